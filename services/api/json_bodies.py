"""What a JSON body may be, judged on its bytes before anything else reads it. Pure."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import Final

from services.api.problems import BODY_TOO_DEEP, DUPLICATE_KEY, HTTP_CODES

# Nothing asked for here nests a quarter as deep; the rest is room for what is refused by pointer.
JSON_MAX_DEPTH: Final = 32
_MEDIA_TYPE: Final = "application/json"
_WRONG_TYPE: Final = (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, *HTTP_CODES[415])
_MALFORMED: Final = (HTTPStatus.BAD_REQUEST, *HTTP_CODES[400])
# A string, closed or not, or what opens or closes a level. Nothing is tried twice: time grows with length alone.
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?+', re.DOTALL)
_STEPS: Final = re.compile(rb"[\[\]{}]")


def judge_json(media_type: str, body: bytes) -> tuple[int, str, str] | None:
    """Return the problem of a body that is not JSON as RFC 8259 has it, too deep or ambiguous, or None.

    Python's parser accepts more: UTF-16, NaN, numbers beyond all bounds, the last of two equal keys. Every parser reads
    an accepted body alike.
    """
    if not body:
        return None
    if media_type != _MEDIA_TYPE:
        return _WRONG_TYPE
    if is_too_deep(body):
        return BODY_TOO_DEEP
    try:
        json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique_keys
        )
    except _DuplicateKeyError:
        return DUPLICATE_KEY
    except (ValueError, RecursionError):
        return _MALFORMED
    return None


def is_too_deep(body: bytes) -> bool:
    """Say whether levels nest deeper than we read, without parsing: any parser recurses as deep as they do."""
    if body.count(b"[") + body.count(b"{") <= JSON_MAX_DEPTH:
        return False
    depth = 0
    for step in _STEPS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if step in b"[{" else -1
        if depth > JSON_MAX_DEPTH:
            return True
    return False


class _DuplicateKeyError(Exception):
    """An object names a key twice: parsers differ in which value they keep."""


def _unique_keys(pairs: list[tuple[str, object]]) -> None:
    """Raise _DuplicateKeyError where a key comes twice; nothing is kept of the values."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
