"""HTTP bodies of contact lists."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from services.api.family.schemas.families import Name, Relation
from services.api.schema_base import RequestBody, ResponseBody

Number = Annotated[str, Field(min_length=3, max_length=32, examples=["+8613900139000"])]


class ContactResponse(ResponseBody):
    """A person who can reach the child, or whom the child can call."""

    contact_id: uuid.UUID
    wire_id: str = Field(description="id of the contact on the watch", examples=["g-1"])
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
    lives_with_child: bool = Field(
        description="this phone contact agreed to get a text message when the child's watch calls for help"
    )


class ContactListResponse(ResponseBody):
    """The contact list; `acked_version` is the version that the watch has acknowledged (0: none, or no watch)."""

    version: int
    acked_version: int
    contacts: list[ContactResponse]


class NewContactRequest(RequestBody):
    """A phone contact to add."""

    name: Name
    relation: Relation
    number: Number
    may_call: bool = True
    emergency: bool = False


class ChangeContactRequest(RequestBody):
    """Fields to change; omitted fields stay unchanged."""

    name: Name | None = None
    relation: Relation | None = None
    number: Number | None = None
    may_call: bool | None = None
    emergency: bool | None = None


class LivesWithChildRequest(RequestBody):
    """The agreement of a contact who lives with the child, with the proof of a spoken or written consent."""

    agreed: Literal[True] = Field(description="the caller confirms that the contact agreed to the text messages")
    how: Literal["spoken", "paper"] = "spoken"
    witness: str = Field(max_length=200, description="who was present", examples=["Uncle Chen"])
    form_number: str = Field(default="", max_length=200, description="of the signed form, with `paper`")


class ContactOrderRequest(RequestBody):
    """Ids of all contacts, each once, in the new order."""

    contact_ids: Annotated[list[uuid.UUID], Field(max_length=50)]
