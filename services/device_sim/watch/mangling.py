"""Malformed payloads by grammar: what firmware really sends when a buffer is short or a field has the wrong type."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Final

_OTHER_TYPES: Final[tuple[Any, ...]] = (None, True, -1, 1e308, "", "x" * 5000, [], {}, [[[]]], "\u202e", "\ud83e\uddd2")


def mangled(payload: bytes, chance: random.Random) -> bytes:
    """Return a payload that is broken in one way; the same chance breaks it in the same way."""
    try:
        fields = json.loads(payload)
    except ValueError:
        return _cut(payload, chance)
    if not isinstance(fields, dict) or not fields:
        return _cut(payload, chance)
    return chance.choice(_WAYS)(payload, fields, chance)


def _cut(payload: bytes, chance: random.Random) -> bytes:
    return payload[: chance.randrange(len(payload))] if payload else b"{"


def _retyped(_payload: bytes, fields: dict[str, Any], chance: random.Random) -> bytes:
    return json.dumps({**fields, chance.choice(sorted(fields)): chance.choice(_OTHER_TYPES)}).encode()


def _renamed(_payload: bytes, fields: dict[str, Any], chance: random.Random) -> bytes:
    name = chance.choice(sorted(fields))
    return json.dumps({(key.upper() if key == name else key): value for key, value in fields.items()}).encode()


def _without(_payload: bytes, fields: dict[str, Any], chance: random.Random) -> bytes:
    name = chance.choice(sorted(fields))
    return json.dumps({key: value for key, value in fields.items() if key != name}).encode()


def _nested(_payload: bytes, fields: dict[str, Any], _chance: random.Random) -> bytes:
    return (b'{"a":' * 40) + json.dumps(fields).encode() + b"}" * 40


_WAYS: Final[tuple[Callable[[bytes, dict[str, Any], random.Random], bytes], ...]] = (
    lambda payload, _fields, chance: _cut(payload, chance),
    lambda payload, _fields, _chance: payload + payload,
    lambda payload, _fields, _chance: payload.replace(b'"', b"'"),
    lambda payload, _fields, _chance: payload.decode().encode("utf-16"),
    lambda payload, _fields, _chance: b"AT+QMTPUB=0,1,1\r\n" + payload,
    _retyped,
    _renamed,
    _without,
    _nested,
)
