"""The wall of a hand-out: a signed address that shows its code and its counts without a log-in, until it closes."""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.core.office.hand_outs.actions import grouped
from services.core.office.hand_outs.board import board_of
from services.core.people.households.errors import HandOutClosedError, NotFoundError
from services.core.people.households.hand_out_codes import hand_out_code_hash, is_open, wall_code
from services.core.people.households.tables import HandOut
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork

_ID_BYTES: Final = 16
_SIGNATURE_BYTES: Final = 16
TOKEN_CHARACTERS: Final = -(-(_ID_BYTES + _SIGNATURE_BYTES) * 4 // 3)


@dataclass(frozen=True)
class Wall:
    """The content of a wall: the site's name and language, the code in its written form, and counts of families."""

    site: str
    locale: str
    timezone: str
    code: str
    closes_at: datetime
    enrolled: int
    logged_in: int
    given: int
    paired: int


def wall_token(work: UnitOfWork, hand_out_id: uuid.UUID) -> str:
    """Return the token of a hand-out's wall: its id and a signature of 128 bits. It reads the wall and nothing else."""
    return base64.urlsafe_b64encode(hand_out_id.bytes + _signature(work, hand_out_id)).decode().rstrip("=")


async def wall_of(work: UnitOfWork, token: str) -> Wall:
    """Return the wall of an open hand-out. Raises NotFoundError for a token that was never given; HandOutClosedError.

    A hand-out of an earlier version had a random code, of which only a hash is known: it has no wall.
    """
    hand_out = await work.session.get(HandOut, _signed_id(work, token))
    if hand_out is None:
        raise NotFoundError
    if not is_open(hand_out, work.now):
        raise HandOutClosedError
    code = wall_code(work, hand_out.hand_out_id)
    if not hmac.compare_digest(hand_out_code_hash(work, code), hand_out.code_hash):
        raise NotFoundError
    site = await work.session.get_one(Site, hand_out.site_id)
    board = await board_of(work, hand_out.site_id)
    return Wall(
        site=site.name, locale=site.locale, timezone=site.timezone, code=grouped(code), closes_at=hand_out.closes_at,
        enrolled=board.enrolled, logged_in=board.logged_in, given=board.given, paired=board.paired,
    )  # fmt: skip


def _signed_id(work: UnitOfWork, token: str) -> uuid.UUID:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error:
        raise NotFoundError from None
    if len(raw) != _ID_BYTES + _SIGNATURE_BYTES:
        raise NotFoundError
    hand_out_id = uuid.UUID(bytes=raw[:_ID_BYTES])
    if not hmac.compare_digest(raw[_ID_BYTES:], _signature(work, hand_out_id)):
        raise NotFoundError
    return hand_out_id


def _signature(work: UnitOfWork, hand_out_id: uuid.UUID) -> bytes:
    return work.vault.keyed_hash(str(hand_out_id), "hand-out-wall")[:_SIGNATURE_BYTES]
