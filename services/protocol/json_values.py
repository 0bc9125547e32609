"""Values in the JSON of watches, which is often not quite JSON: numbers, stray characters, and a bound on nesting."""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from services.protocol import limits


def _whole(digits: str) -> int | float:
    # Python refuses 4,300 digits and takes long over fewer; no field holds more than 19.
    return int(digits) if len(digits) <= limits.NUMBER_MAX_CHARS else math.inf


def _number(text: str) -> int | float:
    """Return ``3.0`` and ``3e2`` as the integers they equal, as JSON Schema reads them, and others as floats."""
    value = float(text)
    # A float that is no whole number cannot equal an integer: most coordinates end here.
    if value.is_integer() and len(text) <= limits.NUMBER_MAX_CHARS:
        exact = Decimal(text)
        # No field holds more than 19 digits; a larger exponent would only cost time.
        if exact.adjusted() <= _INTEGER_MAX_EXPONENT and exact == exact.to_integral_value():
            return int(exact)
    return value


_BEFORE_JSON: Final = "\ufeff\x00 \t\r\n"
_INTEGER_MAX_EXPONENT: Final = 19
# Control characters inside strings are accepted: a modem that does not escape a line break must not cost a text.
_DECODER: Final = json.JSONDecoder(parse_int=_whole, parse_float=_number, strict=False)


def first_value(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return the first JSON value of a text, without what stands before and after it.

    Raises ValueError, and RecursionError for a value that is nested beyond what Python reads.
    """
    return _DECODER.raw_decode(text.lstrip(_BEFORE_JSON))[0]


# `isinstance` of a union builds the union first.
_CONTAINERS: Final = (dict, list)


def is_too_deep(given: dict[str, Any]) -> bool:
    """Return whether a value stands inside `limits.JSON_MAX_DEPTH` containers or more, this object counted."""
    level: list[object] = [value for value in given.values() if isinstance(value, _CONTAINERS)]
    if not level:
        # Nothing is nested, as in most messages.
        return False
    for _ in range(limits.JSON_MAX_DEPTH - 1):
        level = list(_children(level))
        if not level:
            return False
    return True


def _children(level: list[object]) -> Iterator[object]:
    for value in level:
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list):
            yield from value
