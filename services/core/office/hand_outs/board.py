"""The board of a hand-out: every family of a site in parts, of which a poll receives only those that have changed.

A part's digest covers its rows, so that no clock and no change log decides what a page is missing: whatever changes a
row, changes its part. The page sends the digests back and replaces each part that it receives.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlmodel import col, select

from services.core.devices.push.queries import families_not_reached
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.people.households.hand_out_codes import has_open_hand_out
from services.core.people.households.queries import has_primary_guardian
from services.core.people.households.tables import Enrolment, Family
from services.core.platform.db.database import UnitOfWork

# With 50 families a change repeats one or two rows; the digests fit in an address of 171 characters.
PARTS: Final = 32
_DIGEST_BYTES: Final = 4
_NOTHING: Final = bytes(_DIGEST_BYTES)
SINCE_CHARACTERS: Final = -(-PARTS * _DIGEST_BYTES * 4 // 3)


@dataclass(frozen=True)
class BoardRow:
    """A family on hand-out day.

    ``no_working_channel`` is None while no hand-out of the site is open: then it would only tell who has joined.
    """

    family_code: str
    has_logged_in: bool
    serials: tuple[str, ...]
    paired: bool
    no_working_channel: bool | None


@dataclass(frozen=True)
class Board:
    """The counts, and the changed parts by number; ``since`` states what the reader now has."""

    since: str
    enrolled: int
    logged_in: int
    given: int
    paired: int
    parts: dict[int, list[BoardRow]]


async def board_of(work: UnitOfWork, site_id: uuid.UUID, since: str | None = None) -> Board:
    """Return the board of a site: everything without ``since``, otherwise the parts that differ from it."""
    rows = await _rows(work, site_id)
    parts: dict[int, list[BoardRow]] = {part: [] for part in range(PARTS)}
    for row in rows:
        parts[_part_of(row.family_code)].append(row)
    had = _digests(since)
    now = [_digest(parts[part]) for part in range(PARTS)]
    return Board(
        since=_encoded(now),
        enrolled=len(rows),
        logged_in=sum(row.has_logged_in for row in rows),
        given=sum(bool(row.serials) for row in rows),
        paired=sum(row.paired for row in rows),
        parts={part: parts[part] for part in range(PARTS) if now[part] != had[part]},
    )


async def _rows(work: UnitOfWork, site_id: uuid.UUID) -> list[BoardRow]:
    result = await work.session.exec(
        select(Family.family_code, has_primary_guardian(), Watch.serial, WatchIdentity.username)
        .select_from(Enrolment)
        .join(Family, col(Family.family_id) == col(Enrolment.family_id))
        .outerjoin(Watch, (col(Watch.handed_out_to) == col(Family.family_id)) & (col(Watch.state) == "handed_out"))
        .outerjoin(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
        )
        .where(col(Enrolment.site_id) == site_id, col(Enrolment.ended_at).is_(None))
        .order_by(col(Family.family_code), col(Watch.serial))
    )
    has_logged_in: dict[str, bool] = {}
    watches: dict[str, list[tuple[str, bool]]] = {}
    for code, has_joined, serial, username in result:
        has_logged_in[code] = has_joined
        watches.setdefault(code, []).extend(_paired(serial, username))
    is_open = await has_open_hand_out(work, site_id)
    unreached = await families_not_reached(work, list(watches)) if is_open else set()
    return [
        BoardRow(
            code, has_logged_in[code], tuple(serial for serial, _ in of_family),
            bool(of_family) and all(paired for _, paired in of_family), code in unreached if is_open else None,
        )
        for code, of_family in watches.items()
    ]  # fmt: skip


def _paired(serial: str | None, username: str | None) -> list[tuple[str, bool]]:
    """Return the watch of an outer join and whether it is paired; nothing for a family without one."""
    return [] if serial is None else [(serial, username is not None)]


def _part_of(family_code: str) -> int:
    return hashlib.sha256(family_code.encode()).digest()[0] % PARTS


def _digest(rows: Sequence[BoardRow]) -> bytes:
    if not rows:
        return _NOTHING
    content = json.dumps([asdict(row) for row in rows], sort_keys=True).encode()
    return hashlib.sha256(content).digest()[:_DIGEST_BYTES]


def _encoded(digests: Iterable[bytes]) -> str:
    return base64.urlsafe_b64encode(b"".join(digests)).decode().rstrip("=")


def _digests(since: str | None) -> Mapping[int, bytes]:
    raw = b"" if since is None else base64.urlsafe_b64decode(since + "=" * (-len(since) % 4))
    return {part: raw[part * _DIGEST_BYTES :][:_DIGEST_BYTES] or _NOTHING for part in range(PARTS)}
