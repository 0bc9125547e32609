"""Bounds of a JSON body, checked on its bytes before any other code reads it. Pure."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import Final

from services.api.problems import BODY_TOO_DEEP, DUPLICATE_KEY, HTTP_CODES

# No request body nests a quarter as deep; the rest is room for precise refusals.
JSON_MAX_DEPTH: Final = 32
_MEDIA_TYPE: Final = "application/json"
_WRONG_TYPE: Final = (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, *HTTP_CODES[415])
_MALFORMED: Final = (HTTPStatus.BAD_REQUEST, *HTTP_CODES[400])
# A string, closed or not, or a bracket. The pattern never backtracks: time grows with length alone.
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?+', re.DOTALL)
_STEPS: Final = re.compile(rb"[\[\]{}]")


def judge_json(media_type: str, body: bytes) -> tuple[int, str, str] | None:
    """Return the problem of a body that is not strict JSON (RFC 8259), too deep or ambiguous; None if it is fine.

    Python's parser accepts more: UTF-16, NaN, unbounded numbers, the last of equal keys. All parsers agree on a body
    that is accepted here.
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
    """Return whether levels nest deeper than allowed, without parsing: every parser recurses once a level."""
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
    """Raise _DuplicateKeyError for a repeated key; the values are discarded."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
