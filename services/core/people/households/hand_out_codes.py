"""One-time codes from a hand-out's own budget: the code on the wall authorises the request."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from services.core.people.households.errors import HandOutClosedError
from services.core.people.households.tables import HandOut
from services.core.people.programme.tables import Site
from services.core.platform.crypto.random_ids import BASE32_ALPHABET
from services.core.platform.db.database import UnitOfWork

_WALL_CODE_LETTERS: Final = 8


def code_as_hashed(code: str) -> str:
    """Return a typed code in the form that is hashed: without capitals, spaces and hyphens."""
    return code.lower().replace("-", "").replace(" ", "")


def hand_out_code_hash(work: UnitOfWork, code: str) -> bytes:
    """Return the keyed hash that identifies a hand-out."""
    return work.vault.keyed_hash(code_as_hashed(code), "hand-out-code")


def wall_code(work: UnitOfWork, hand_out_id: uuid.UUID) -> str:
    """Return the code that a hand-out shows on the wall: 8 base32 letters, 40 bits, enough for hours and no session.

    The code follows from the id under the key of hashes, so that a wall can show it again without a stored copy.
    """
    mac = work.vault.keyed_hash(str(hand_out_id), "hand-out-wall-code")
    return "".join(BASE32_ALPHABET[byte % len(BASE32_ALPHABET)] for byte in mac[:_WALL_CODE_LETTERS])


def is_open(hand_out: HandOut, now: datetime) -> bool:
    """Return whether a hand-out is open."""
    return now < hand_out.closes_at


async def hand_out_is_open(work: UnitOfWork, code: str) -> bool:
    """Return whether an open hand-out with this wall code has codes left."""
    result = await work.session.exec(select(HandOut).where(HandOut.code_hash == hand_out_code_hash(work, code)))
    hand_out = result.first()
    return hand_out is not None and is_open(hand_out, work.now) and hand_out.codes_left > 0


async def has_open_hand_out(work: UnitOfWork, site_id: uuid.UUID) -> bool:
    """Return whether a hand-out of a site is open now."""
    result = await work.session.exec(
        select(HandOut.hand_out_id).where(HandOut.site_id == site_id, col(HandOut.closes_at) > work.now).limit(1)
    )
    return result.first() is not None


async def country_of_hand_out(work: UnitOfWork, code: str) -> str | None:
    """Return the country (ISO 3166-1) of the site of the hand-out with this wall code, open or closed, or None."""
    result = await work.session.exec(
        select(Site.country)
        .join(HandOut, col(HandOut.site_id) == col(Site.site_id))
        .where(HandOut.code_hash == hand_out_code_hash(work, code))
    )
    return result.first()


async def take_code_of(work: UnitOfWork, code: str) -> HandOut:
    """Use one code of the budget of the open hand-out with this wall code; raises HandOutClosedError.

    Every phone number uses one, so that the remaining budget does not reveal whether a number is enrolled.
    """
    result = await work.session.exec(
        select(HandOut).where(HandOut.code_hash == hand_out_code_hash(work, code)).with_for_update(key_share=True)
    )
    hand_out = result.first()
    if hand_out is None or not is_open(hand_out, work.now) or hand_out.codes_left <= 0:
        raise HandOutClosedError
    hand_out.codes_left -= 1
    work.add(hand_out)
    return hand_out
