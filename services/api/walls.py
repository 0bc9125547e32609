"""The wall of a hand-out: its code and counts, at a signed address without a log-in."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from services.api.access import OPEN
from services.api.declaring import Routes
from services.api.dependencies import SettingsHere, Work
from services.api.limits import costs_address
from services.api.problems import problem_responses
from services.api.qr import qr_svg
from services.api.schema_base import ResponseBody
from services.core.office.hand_outs.walls import TOKEN_CHARACTERS, wall_of
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/walls", tags=["wall"])

Token = Annotated[
    str,
    Path(
        min_length=TOKEN_CHARACTERS, max_length=TOKEN_CHARACTERS, pattern=r"^[A-Za-z0-9_-]+$",
        description="fragment of a hand-out's `wall_url`",
    ),
]  # fmt: skip


class WallResponse(ResponseBody):
    """An open hand-out as a room reads it: no family, no name of a person, only counts."""

    site: str = Field(description="name of the site")
    locale: str = Field(description="language of the site")
    timezone: str = Field(description="time zone of the site")
    code: str = Field(description="wall code that parents send as `hand_out_code`", examples=["k3m9-q2x7"])
    log_in_url: str = Field(
        description="page where parents log in, with the wall code",
        examples=["https://watch.example.org/log-in#wall=k3m9-q2x7"],
    )
    qr_svg: str = Field(description="the QR code of `log_in_url` as an SVG element")
    closes_at: datetime
    enrolled: int = Field(description="families of the site")
    logged_in: int = Field(description="families whose first guardian has joined")
    given: int = Field(description="families with a watch")
    paired: int = Field(description="families whose watch is paired")


@router.get(
    "/{token}",
    dependencies=[OPEN, costs_address(Limits.WALLS_OF_ADDRESS)],
    responses=problem_responses(403, 404, 422, 429),
)
async def read_wall(work: Work, settings: SettingsHere, token: Token) -> WallResponse:
    """Return what a hand-out shows on the wall, until it closes; 404 for an address that was never given."""
    wall = await wall_of(work, token)
    address = f"{settings.public_url.rstrip('/')}/log-in#wall={wall.code}"
    return WallResponse(**asdict(wall), log_in_url=address, qr_svg=qr_svg(address))
