"""Pairing over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import TypedCode


class PairRequest(RequestBody):
    """The code that the watch shows."""

    code: Annotated[
        str, TypedCode, Field(pattern=r"^[0-9]{6}$", examples=["482913"], description="or the scanned address with it")
    ]


class PairingResponse(ResponseBody):
    """A watch bound to a child."""

    pairing_id: uuid.UUID
    watch_serial: str = Field(examples=["WA00042"])
    state: Literal["issued", "confirmed"] = Field(description="confirmed by the watch's first hello under its new name")
    issued_at: datetime
    confirmed_at: datetime | None
