"""Single byte ranges (RFC 9110), which is all that players request."""

from __future__ import annotations

import re

from services.core.platform.errors import CoreError

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*")


class RangeNotSatisfiableError(CoreError):
    """A range that begins beyond the end."""

    code = "range_not_satisfiable"
    sentence = "The requested range is beyond the end of the recording."

    def __init__(self, of_bytes: int) -> None:
        super().__init__()
        self.of_bytes = of_bytes

    def fields(self) -> dict[str, int | str]:
        """Return the length in bytes."""
        return {"of_bytes": self.of_bytes}


def read_range(header: str | None, of_bytes: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last of a ``Range`` header; None for the whole.

    A header that is not a single byte range is ignored, as the standard allows. Raises RangeNotSatisfiableError.
    """
    match = _RANGE.fullmatch(header) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        if int(last) == 0:
            raise RangeNotSatisfiableError(of_bytes)
        return max(0, of_bytes - int(last)), of_bytes
    if last and int(last) < int(first):
        return None
    if int(first) >= of_bytes:
        raise RangeNotSatisfiableError(of_bytes)
    return int(first), min(int(last) + 1, of_bytes) if last else of_bytes
