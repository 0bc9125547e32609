"""Schemas for imports of public numbers into DHIS2."""

import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from services.api.schema_base import RequestBody, ResponseBody
from services.api.staff.schemas.usage import Code, Dhis2Id


class NewDhis2ImportRequest(RequestBody):
    """Import of a site or of a whole programme with DHIS2's ids; indicators without an id are left out."""

    site_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None
    data_elements: Annotated[dict[Code, Dhis2Id], Field(min_length=1, max_length=50)]
    org_units: Annotated[dict[uuid.UUID, Dhis2Id], Field(min_length=1, max_length=500)]
    check_only: Annotated[bool, Field(description="DHIS2 checks everything (`dryRun`) and stores nothing")] = True

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.site_id is None) is (self.programme_id is None):
            raise ValueError("name a site or a programme, and one alone")
        return self

    def mapping(self) -> dict[str, Any]:
        """Return the ids as they are stored."""
        return {
            "data_elements": dict(self.data_elements),
            "org_units": {str(scope): unit for scope, unit in self.org_units.items()},
        }


class Dhis2Conflict(ResponseBody):
    """A conflict in the words of DHIS2."""

    object: str = Field(description="the id that DHIS2 does not accept")
    problem: str = Field(description="what DHIS2 says about it")
    code: str = Field(description="DHIS2's error code; empty before version 2.38")


class Dhis2Summary(ResponseBody):
    """The import summaries of all batches of a phase together."""

    imported: int = Field(description="values that were new to DHIS2")
    updated: int = Field(description="values that DHIS2 had already")
    ignored: int = Field(description="values that DHIS2 did not accept")
    conflict_count: int = Field(description="number of conflicts that DHIS2 named")
    conflicts: list[Dhis2Conflict] = Field(description="the first 50 different ones")


class Dhis2LeftOut(ResponseBody):
    """What is not sent."""

    suppressed: int = Field(default=0, description="numbers of fewer than 10 families, and numbers that reveal those")
    bounds: int = Field(default=0, description="shares that are published as a bound, not as a number")
    indicators_without_element: list[str] = Field(
        default_factory=list, description="published indicators that the request gives no data element"
    )
    scopes_without_unit: list[str] = Field(
        default_factory=list, description="programme, sites or cohorts that the request gives no organisation unit"
    )
    units_of_other_scopes: list[str] = Field(
        default_factory=list, description="scopes of the request that do not belong to the site or programme"
    )


class Dhis2ImportResponse(ResponseBody):
    """An import: first checked by DHIS2 as a whole, then stored there if nothing conflicts."""

    import_id: uuid.UUID = Field(description="id of the import")
    programme_id: uuid.UUID
    site_id: uuid.UUID | None
    check_only: bool = Field(description="DHIS2 only checks it")
    state: Literal["waiting", "running", "checked", "conflicts", "done", "partly", "failed"] = Field(
        description="checked: DHIS2 would accept all. conflicts: it would not, and nothing was stored. done: all is "
        "stored. partly: DHIS2 ignored values. failed: `problem` says why. Sending again stores nothing twice"
    )
    percent: int
    values: int = Field(description="values of the import; 0 until it runs")
    last_week: date | None = Field(description="the last week of it; null: none is published")
    left_out: Dhis2LeftOut = Field(description="what is not sent, and why")
    checked: Dhis2Summary | None = Field(description="what DHIS2 said when it checked; null: not yet")
    imported: Dhis2Summary | None = Field(description="what DHIS2 said when it stored; null: nothing was stored")
    problem: str | None = Field(description="why it waits, or why it ended so; null: nothing is wrong")
    sentence: str | None = Field(description="the problem in plain English")
    message: str = Field(description="DHIS2's own message, if any")
    asked_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    tried_again_at: datetime | None = Field(description="the next try of an import that waits for DHIS2")


class Dhis2ImportsResponse(ResponseBody):
    """The latest imports about scopes that the caller serves, newest first."""

    imports: list[Dhis2ImportResponse] = Field(description="imports, newest first")
