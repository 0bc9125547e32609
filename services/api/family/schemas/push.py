"""Push endpoints over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody

Address = Annotated[str, Field(min_length=8, max_length=1000, examples=["https://push.example.org/abc"])]
Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_=-]+$")]


class NewWebPushRequest(RequestBody):
    """A browser's subscription, as ``PushSubscription.toJSON()`` gives it."""

    kind: Literal["web_push"]
    address: Address = Field(description="the subscription's endpoint")
    p256dh: Key
    auth: Key


class NewWebhookRequest(RequestBody):
    """A program that wants to be told."""

    kind: Literal["webhook"]
    address: Address


NewPushEndpointRequest = Annotated[NewWebPushRequest | NewWebhookRequest, Field(discriminator="kind")]


class PushEndpointResponse(ResponseBody):
    """An endpoint; it lives as long as the session that registered it. The address is not told again."""

    endpoint_id: uuid.UUID
    kind: Literal["web_push", "webhook"]
    created_at: datetime
    taken_at: datetime | None = Field(description="when it took something last")
    failing_since_at: datetime | None


class RegisteredPushEndpointResponse(PushEndpointResponse):
    """A new endpoint, with the secret by which a webhook knows that a note is ours: told once."""

    secret: str | None


class PushEndpointsResponse(ResponseBody):
    """The caller's endpoints."""

    endpoints: list[PushEndpointResponse]


class PushKeyResponse(ResponseBody):
    """What a browser is given as ``applicationServerKey``."""

    public_key: str
