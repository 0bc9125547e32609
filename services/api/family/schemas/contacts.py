"""Contact lists over HTTP."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from services.api.family.schemas.families import Name, Relation
from services.api.schema_base import RequestBody, ResponseBody

Number = Annotated[str, Field(min_length=3, max_length=32, examples=["+8613900139000"])]


class ContactResponse(ResponseBody):
    """Somebody who can reach the child, or whom the child can call."""

    contact_id: uuid.UUID
    wire_id: str = Field(description="what the watch calls it", examples=["g-1"])
    kind: Literal["guardian", "phone"]
    guardian_id: uuid.UUID | None
    name: str
    relation: Relation
    number: str | None
    may_message: bool
    may_call: bool
    position: int
    emergency: bool
    state: Literal["proposed", "approved"]


class ContactListResponse(ResponseBody):
    """The list, and which version of it the watch has acknowledged (0: none, or no watch)."""

    version: int
    acked_version: int
    contacts: list[ContactResponse]


class NewContactRequest(RequestBody):
    """A phone contact to propose."""

    name: Name
    relation: Relation
    number: Number
    may_call: bool = True
    emergency: bool = False


class ChangeContactRequest(RequestBody):
    """What changes; what is left out stays."""

    name: Name | None = None
    relation: Relation | None = None
    number: Number | None = None
    may_call: bool | None = None
    emergency: bool | None = None


class ContactOrderRequest(RequestBody):
    """Every contact once, the first on top."""

    contact_ids: Annotated[list[uuid.UUID], Field(max_length=50)]
