"""Schemas for recovery, hand-outs, contests and break-glass, with families by their code."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import Phone, WrittenTime
from services.core.office.recovery.paper import Document
from services.core.people.households.rules import BREAK_GLASS_LONGEST_DELAY_DAYS, HAND_OUT_MOST_FAMILIES

FamilyCode = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[A-Z0-9-]+$", examples=["DG1-017"])]
FamilyCodeInPath = Annotated[str, Path(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9-]+$")]
FormNumber = Annotated[
    str, Field(min_length=1, max_length=40, examples=["2026-0417"], description="the number on the document")
]
DocumentSeen = Annotated[
    Document | None,
    Field(description="the kind of document; required if no form of the family is on record, which the error states"),
]


class NewRecoveryRequest(RequestBody):
    """A recovery as written on the paper: a guardian's new number, or a new primary guardian."""

    kind: Literal["phone", "primary"] = Field(
        description="phone: a new number for the guardian; primary: the new number's holder becomes primary guardian"
    )
    phone: Phone = Field(description="the current number of the affected guardian")
    new_phone: Phone
    form_number: FormNumber
    document: DocumentSeen = None


class ApproveRecoveryRequest(RequestBody):
    """The document's number, entered independently by the second person."""

    form_number: FormNumber
    document: DocumentSeen = None


class RecoveryResponse(ResponseBody):
    """A recovery; phone and document numbers are omitted, because the second person must see the document."""

    recovery_id: uuid.UUID
    family_code: str
    kind: str
    state: str = Field(description="asked, waiting, contested, withdrawn, done, failed")
    document: str = Field(description="enrolment_form, identity_card, passport, household_book")
    asked_by: uuid.UUID
    asked_by_name: str
    asked_at: datetime
    approved_by: uuid.UUID | None
    approved_by_name: str | None
    due_at: datetime | None
    ended_at: datetime | None


class RecoveriesResponse(ResponseBody):
    """Recoveries, newest first."""

    recoveries: list[RecoveryResponse]


class FamilyRecoveryResponse(ResponseBody):
    """A recovery approved by two staff members, as shown to the family's guardians."""

    recovery_id: uuid.UUID
    kind: str
    guardian_id: uuid.UUID = Field(
        description="the guardian whose number changes or who is replaced as the primary guardian"
    )
    state: str
    due_at: datetime | None
    ended_at: datetime | None


class FamilyRecoveriesResponse(ResponseBody):
    """Recoveries, newest first."""

    recoveries: list[FamilyRecoveryResponse]


class NewHandOutRequest(RequestBody):
    """The expected number of families, and the duration."""

    families: Annotated[int, Field(ge=1, le=HAND_OUT_MOST_FAMILIES, examples=[50])]
    minutes: Annotated[int, Field(ge=5, le=120, examples=[90])]


class HandOutResponse(ResponseBody):
    """A hand-out."""

    hand_out_id: uuid.UUID
    families: int
    codes_left: int
    opened_at: datetime
    closes_at: datetime
    open: bool
    may_prolong: bool = Field(description="whether the caller opened it, and it can stay open for longer")
    wall_url: str | None = Field(
        description="page for a projector, which shows code and counts without a log-in; null: closed",
        examples=["https://watch.example.org/wall#nX0c"],
    )


class ProlongHandOutRequest(RequestBody):
    """The new end; at most six hours after the opening."""

    closes_at: WrittenTime


class OpenedHandOutResponse(HandOutResponse):
    """The hand-out, and its wall code, which parents send as `hand_out_code`; its wall shows it again."""

    code: str = Field(examples=["k3m9-q2x7"])


class HandOutsResponse(ResponseBody):
    """Hand-outs, newest first."""

    hand_outs: list[HandOutResponse]


class PrintSlipsRequest(RequestBody):
    """The families whose slips are printed."""

    family_codes: Annotated[list[FamilyCode], Field(min_length=1, max_length=HAND_OUT_MOST_FAMILIES)]


class NewDecisionRequest(RequestBody):
    """A decision whether a contested right is removed, with the number of the family's document."""

    upholds: bool = Field(description="true removes the contested right; false keeps it")
    form_number: FormNumber
    document: DocumentSeen = None


class ApproveDecisionRequest(RequestBody):
    """The document's number, entered independently by the second person."""

    form_number: FormNumber
    document: DocumentSeen = None


class DecisionResponse(ResponseBody):
    """A decision about a contested right; the document's number is not returned."""

    contest_id: uuid.UUID
    upholds: bool
    state: str = Field(description="asked, waiting, withdrawn, done, failed")
    document: str
    asked_by: uuid.UUID
    asked_by_name: str
    asked_at: datetime
    approved_by: uuid.UUID | None
    approved_by_name: str | None
    due_at: datetime | None


class ContestAtSite(ResponseBody):
    """A contested right: relations and the right, no names."""

    contest_id: uuid.UUID
    family_code: str
    raised_by_relation: str
    about_relation: str
    right: str = Field(description="message, locate, manage")
    raised_at: datetime
    decision: DecisionResponse | None


class ContestsAtSiteResponse(ResponseBody):
    """Open contests, oldest first."""

    contests: list[ContestAtSite]


class NewBreakGlassRequest(RequestBody):
    """The reason for the access, and the delay of the notification if an immediate one is dangerous."""

    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["The school called: the child is missing."])]
    tell_after_days: Annotated[int, Field(ge=0, le=BREAK_GLASS_LONGEST_DELAY_DAYS)] = Field(
        0, description="a value above 0 needs a second approval, by a third person"
    )


class BreakGlassResponse(ResponseBody):
    """A break-glass case; the reason is visible to the staff who decide about it."""

    break_glass_id: uuid.UUID
    family_code: str
    reason: str
    tell_after_days: int
    asked_by: uuid.UUID
    asked_by_name: str
    asked_at: datetime
    approved_by: uuid.UUID | None
    approved_by_name: str | None
    delay_approved_by: uuid.UUID | None
    delay_approved_by_name: str | None
    opened_at: datetime | None
    closes_at: datetime | None
    told_at: datetime | None


class BreakGlassListResponse(ResponseBody):
    """A page of cases, newest first."""

    break_glass: list[BreakGlassResponse]
    next: uuid.UUID | None = Field(description="`after` of the next page; null: last page")


class BreakGlassGuardianResponse(ResponseBody):
    """A guardian's name and number, and nothing else."""

    name: str
    phone: str
