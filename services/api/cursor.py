"""Where a client stands in the event streams of its families, as one opaque word."""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
from collections.abc import Mapping

from services.core.errors import CoreError

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
