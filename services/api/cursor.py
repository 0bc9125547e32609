"""Where a client stands, as one opaque word: in the event streams of its families, in the check-ins of a day."""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from services.core.location.checkins.queries import After
from services.core.platform.errors import CoreError

_ENTRY = struct.Struct(">16sQ")
_MOST_FAMILIES = 50


class CursorInvalidError(CoreError):
    """The cursor was not made by us."""

    code = "cursor_invalid"
    sentence = "This cursor is not one of ours. Begin without one."


def write_cursor(cursors: Mapping[uuid.UUID, int]) -> str:
    """Return family ids and the last event number seen in each as one URL-safe word."""
    packed = b"".join(_ENTRY.pack(family_id.bytes, seq) for family_id, seq in sorted(cursors.items()))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=") or "-"


def read_cursor(word: str) -> dict[uuid.UUID, int]:
    """Return what :func:`write_cursor` wrote; raises CursorInvalidError. It gives no access: rights are read anew."""
    if word == "-":
        return {}
    try:
        packed = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CursorInvalidError from error
    if len(packed) % _ENTRY.size or len(packed) > _ENTRY.size * _MOST_FAMILIES:
        raise CursorInvalidError
    found = {uuid.UUID(bytes=raw): seq for raw, seq in _ENTRY.iter_unpack(packed)}
    if any(seq >= 2**63 for seq in found.values()):
        raise CursorInvalidError
    return found


_PLACE_IN_DAY = struct.Struct(">QQ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_day_cursor(after: After) -> str:
    """Return the last check-in of a page as one URL-safe word."""
    micros = (after.happened_at - _EPOCH) // timedelta(microseconds=1)
    packed = _PLACE_IN_DAY.pack(micros, after.tst) + f"{after.username} {after.ref}".encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_day_cursor(word: str) -> After:
    """Return what :func:`write_day_cursor` wrote; raises CursorInvalidError. It gives no access."""
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
