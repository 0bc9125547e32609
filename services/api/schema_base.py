"""The base of everything that is sent to us and told by us."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """What a client sends: unknown fields are refused, so that nobody believes a role or family named there counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ResponseBody(BaseModel):
    """What a client is told; fields may be added in later versions."""

    model_config = ConfigDict(frozen=True)
