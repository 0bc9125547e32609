"""HTTP bodies of push endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody

Address = Annotated[str, Field(min_length=8, max_length=1000, examples=["https://push.example.org/abc"])]
Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_=-]+$")]


class NewWebPushRequest(RequestBody):
    """A browser's subscription: the fields of `PushSubscription.toJSON()`."""

    kind: Literal["web_push"]
    address: Address = Field(description="the subscription's endpoint")
    p256dh: Key
    auth: Key


class NewWebhookRequest(RequestBody):
    """A webhook of a program."""

    kind: Literal["webhook"]
    address: Address


NewPushEndpointRequest = Annotated[NewWebPushRequest | NewWebhookRequest, Field(discriminator="kind")]


class PushEndpointResponse(ResponseBody):
    """A push endpoint. It ends with the session that registered it; its address is never returned."""

    endpoint_id: uuid.UUID
    kind: Literal["web_push", "webhook"]
    created_at: datetime
    taken_at: datetime | None = Field(description="time of the last successful delivery")
    failing_since_at: datetime | None


class RegisteredPushEndpointResponse(PushEndpointResponse):
    """A new endpoint; `secret` verifies the signature of a webhook's notifications and is returned only here."""

    secret: str | None


class PushEndpointsResponse(ResponseBody):
    """The caller's push endpoints."""

    endpoints: list[PushEndpointResponse]


class PushTrialResponse(ResponseBody):
    """A trial notification was queued; whether the phone wakes is for its holder to see."""

    endpoint_id: uuid.UUID
    asked_at: datetime


class PushKeyResponse(ResponseBody):
    """The `applicationServerKey` for a browser's subscription."""

    public_key: str
