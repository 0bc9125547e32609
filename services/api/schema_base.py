"""Base classes of request and response bodies."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A request body. Unknown fields are refused, so that no client believes that a role named there counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ResponseBody(BaseModel):
    """A response body; later versions may add fields."""

    model_config = ConfigDict(frozen=True)
