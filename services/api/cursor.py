"""Positions of clients as opaque words: in the event streams of their families, in the check-ins of a day."""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.core.location.checkins.queries import After
from services.core.platform.errors import CoreError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Family, number of the last event, tag of that event.
_ENTRY = struct.Struct(">16sQI")
_VERSION = "2."
# The format until September 2026, without tags.
_OLDER_ENTRY = struct.Struct(">16sQ")
_MOST_FAMILIES = 50
_TAGS = 2**32 - 1


@dataclass(frozen=True)
class Position:
    """The last event of a family that a client has seen: its number, and a tag, since numbers repeat."""

    seq: int
    # 0: unknown.
    tag: int = 0


def tag_of(created_at: datetime) -> int:
    """Return the tag of an event.

    Numbers repeat after a restore from a backup. The microsecond in which an event was recorded does not, so that a
    cursor from before the restore is recognised, whatever number the restored events have reached.
    """
    return (created_at - _EPOCH) // timedelta(microseconds=1) % _TAGS + 1


class CursorInvalidError(CoreError):
    """A cursor that this API did not issue."""

    code = "cursor_invalid"
    sentence = "This cursor is invalid. Start again without a cursor."


def write_cursor(cursors: Mapping[uuid.UUID, Position]) -> str:
    """Return family ids and the last event seen in each as one URL-safe word."""
    packed = b"".join(
        _ENTRY.pack(family_id.bytes, position.seq, position.tag) for family_id, position in sorted(cursors.items())
    )
    return _VERSION + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(word: str) -> dict[uuid.UUID, Position]:
    """Return the content of :func:`write_cursor`; raises CursorInvalidError. A cursor grants no access."""
    if word == "-":
        return {}
    entry, text = (_ENTRY, word[len(_VERSION) :]) if word.startswith(_VERSION) else (_OLDER_ENTRY, word)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CursorInvalidError from error
    if len(packed) % entry.size or len(packed) > entry.size * _MOST_FAMILIES:
        raise CursorInvalidError
    positions = {uuid.UUID(bytes=raw): Position(seq, *tag) for raw, seq, *tag in entry.iter_unpack(packed)}
    if any(position.seq >= 2**63 for position in positions.values()):
        raise CursorInvalidError
    return positions


_PLACE_IN_DAY = struct.Struct(">QQ")


def write_day_cursor(after: After) -> str:
    """Return the last check-in of a page as one URL-safe word."""
    micros = (after.happened_at - _EPOCH) // timedelta(microseconds=1)
    packed = _PLACE_IN_DAY.pack(micros, after.tst) + f"{after.username} {after.ref}".encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_day_cursor(word: str) -> After:
    """Return the content of :func:`write_day_cursor`; raises CursorInvalidError. A cursor grants no access."""
    try:
        packed = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        micros, tst = _PLACE_IN_DAY.unpack_from(packed)
        username, _, ref = packed[_PLACE_IN_DAY.size :].decode("ascii").partition(" ")
        happened_at = _EPOCH + timedelta(microseconds=micros)
    except (ValueError, struct.error, OverflowError) as error:
        # binascii.Error and UnicodeDecodeError are ValueErrors.
        raise CursorInvalidError from error
    if tst >= 2**63 or "\x00" in username + ref:
        raise CursorInvalidError
    return After(happened_at, username, ref, tst)
