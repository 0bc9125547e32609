"""One byte range of RFC 9110, which is all that players ask for."""

from __future__ import annotations

import re

from services.core.platform.errors import CoreError

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*")


class RangeNotSatisfiableError(CoreError):
    """A range that begins behind the end."""

    code = "range_not_satisfiable"
    sentence = "The recording is shorter than that."

    def __init__(self, of_bytes: int) -> None:
        super().__init__()
        self.of_bytes = of_bytes

    def fields(self) -> dict[str, int | str]:
        """Return how many bytes there are."""
        return {"of_bytes": self.of_bytes}


def read_range(header: str | None, of_bytes: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that ``Range`` asks for, or None: all of it.

    What is no single byte range is passed over, as the standard allows. Raises RangeNotSatisfiableError.
    """
    found = _RANGE.fullmatch(header) if header else None
    if found is None:
        return None
    first, last = found.groups()
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
