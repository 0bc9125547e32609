"""Base classes of request and response bodies.

Validators are built at the first use (``defer_build``): the API has 300 bodies, and building them all took a third of
a second of every start. The routes' own validators follow the configuration of the body that they hold.
"""

import warnings

from pydantic import BaseModel, ConfigDict
from pydantic.warnings import UnsupportedFieldAttributeWarning

# FastAPI gives each body an alias that pydantic does not need. It silences the warning while a route is declared, which
# is before these validators are built.
warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)


class RequestBody(BaseModel):
    """A request body. Unknown fields are refused, so that no client believes that a role named there counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class ResponseBody(BaseModel):
    """A response body; later versions may add fields."""

    model_config = ConfigDict(frozen=True, defer_build=True)
