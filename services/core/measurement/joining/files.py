"""A file of published cells for the systems of other countries: JSON, signed by the system that made it. Pure.

The signature is Ed25519 over the canonical JSON of everything but itself. A system's key follows from its key of
hashes, so that nothing has to be stored, and its public half is what the others trust.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.core.measurement.joining.errors import JoinRefusedError
from services.core.platform.disclosure import Audience

KIND: Final = "smartwatch-usage-cells"
FORMAT: Final = 1
FILE_MAX_BYTES: Final = 16 * 1024 * 1024
_KEY_BYTES: Final = 32


@dataclass(frozen=True)
class JoinedCell:
    """A published number of a whole programme; the counts and the value are None where it was suppressed."""

    week: date
    indicator: str
    version: int
    n: int | None
    count: int | None
    value: float | None
    bound: str | None


@dataclass(frozen=True)
class CellFile:
    """The published cells of one system's programme, and what they are of."""

    programme: str
    programme_id: str
    countries: tuple[str, ...]
    site_ids: tuple[str, ...]
    audience: str
    least_families: int
    simulated: bool
    made_at: str
    cells: tuple[JoinedCell, ...]
    # Of the system that signed, base64.
    public_key: str = ""


def public_key_of(seed: bytes) -> str:
    """Return the public half of a system's key, base64."""
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()).decode()


def write_cell_file(content: CellFile, seed: bytes) -> bytes:
    """Return the signed file; the same content gives the same bytes."""
    described = {
        "kind": KIND, "format": FORMAT, "programme": content.programme, "programme_id": content.programme_id,
        "countries": list(content.countries), "site_ids": list(content.site_ids), "audience": content.audience,
        "k": content.least_families, "simulated": content.simulated, "made_at": content.made_at,
        "public_key": public_key_of(seed),
        "cells": [
            {"week": cell.week.isoformat(), "indicator": cell.indicator, "version": cell.version, "n": cell.n,
             "count": cell.count, "value": cell.value, "bound": cell.bound}
            for cell in content.cells
        ],
    }  # fmt: skip
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(_canonical(described))
    return json.dumps(described | {"signature": base64.b64encode(signature).decode()}, indent=1).encode() + b"\n"


def read_cell_file(name: str, content: bytes) -> CellFile:
    """Return a file whose signature is that of the key in it; who has that key is for :func:`trusted_name` to say.

    Raises JoinRefusedError: ``join_file_malformed``, ``join_signature_wrong``.
    """
    described = _object(name, content)
    signature = described.pop("signature", None)
    try:
        key = _bytes_of(described.get("public_key"))
        Ed25519PublicKey.from_public_bytes(key).verify(_bytes_of(signature), _canonical(described))
    except (InvalidSignature, ValueError) as error:
        raise JoinRefusedError(
            "join_signature_wrong", f"{name}: the signature is missing or not of this content: the file was changed."
        ) from error
    try:
        return _file_of(described)
    except (KeyError, TypeError, ValueError) as error:
        raise JoinRefusedError("join_file_malformed", f"{name} is no file of `smartwatch usage cells`.") from error


def read_trusted_keys(name: str, content: bytes) -> dict[str, str]:
    """Return the names of systems by public key, from lines `NAME KEY`; `#` begins a comment.

    Raises JoinRefusedError ``join_keys_malformed``.
    """
    pairs: list[tuple[str, str]] = []
    is_well = True
    try:
        for line in content.decode().splitlines():
            words = line.partition("#")[0].split()
            if not words:
                continue
            system, key = words
            pairs.append((system, key))
            is_well &= len(_bytes_of(key)) == _KEY_BYTES
    except ValueError:
        is_well = False
    names = {key: system for system, key in pairs}
    if not is_well or len(names) < len(pairs) or len(set(names.values())) < len(pairs):
        raise JoinRefusedError("join_keys_malformed", f"{name} has lines `NAME KEY`, each name and each key once.")
    return names


def _object(name: str, content: bytes) -> dict[str, Any]:
    if len(content) > FILE_MAX_BYTES:
        raise JoinRefusedError("join_file_malformed", f"{name} is larger than 16 MiB.")
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise JoinRefusedError("join_file_malformed", f"{name} is no JSON.") from error
    if not isinstance(read, dict) or read.get("kind") != KIND or read.get("format") != FORMAT:
        raise JoinRefusedError("join_file_malformed", f"{name} is no file of `smartwatch usage cells`.")
    return read


def _file_of(described: Mapping[str, Any]) -> CellFile:
    least, simulated = described["k"], described["simulated"]
    if type(least) is not int or type(simulated) is not bool:
        raise TypeError
    return CellFile(
        programme=_text(described["programme"]), programme_id=_text(described["programme_id"]),
        countries=tuple(_texts(described["countries"])), site_ids=tuple(_texts(described["site_ids"])),
        audience=Audience(described["audience"]).value, least_families=least, simulated=simulated,
        made_at=_text(described["made_at"]), cells=tuple(map(_cell_of, described["cells"])),
        public_key=_text(described["public_key"]),
    )  # fmt: skip


def _cell_of(described: Mapping[str, Any]) -> JoinedCell:
    version, bound, value = described["version"], described["bound"], described["value"]
    n, count = counts = described["n"], described["count"]
    if type(version) is not int or bound not in {None, "at_most", "at_least"}:
        raise ValueError
    if any(number is not None and (type(number) is not int or number < 0) for number in counts):
        raise ValueError
    if value is not None and (type(value) not in {int, float} or not math.isfinite(value)):
        raise ValueError
    return JoinedCell(
        date.fromisoformat(described["week"]), _text(described["indicator"]), version, n, count,
        None if value is None else float(value), bound,
    )  # fmt: skip


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:  # noqa: PLR2004 - longer than any name
        raise TypeError
    return value


def _texts(values: Sequence[object]) -> Iterator[str]:
    if not isinstance(values, list):
        raise TypeError
    return map(_text, values)


def _bytes_of(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _canonical(described: Mapping[str, Any]) -> bytes:
    return json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
