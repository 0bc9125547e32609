"""HTTP bodies of pairing."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import TypedCode


class PairRequest(RequestBody):
    """The pairing code shown by the watch."""

    code: Annotated[
        str,
        TypedCode,
        Field(pattern=r"^[0-9]{6}$", examples=["482913"], description="the code, or the scanned URL that contains it"),
    ]


class PairingResponse(ResponseBody):
    """A watch paired with a child."""

    pairing_id: uuid.UUID
    watch_serial: str = Field(examples=["WA00042"])
    state: Literal["issued", "confirmed"] = Field(
        description="confirmed after the watch's first hello as a paired watch"
    )
    issued_at: datetime
    confirmed_at: datetime | None
