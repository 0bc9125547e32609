"""Validate vendor-supplied factory secrets: at least 128 bits, unique, not derived from a label. Pure.

Randomness cannot be proved. The checks reject the failures seen in the field: a shared default, a counter, the serial
or IMEI in another notation, and digests of them.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.core.platform.spreadsheets.sheets import Fault

_BITS_MIN: Final = 128
_CHARACTERS_MAX: Final = 128
_PRINTABLE: Final = re.compile(r"[!-~]+")
# Bits per character, by the smallest alphabet that contains the whole secret.
_ALPHABETS: Final = (
    (re.compile(r"[0-9]+"), math.log2(10)),
    (re.compile(r"[0-9a-f]+|[0-9A-F]+"), 4.0),
    (re.compile(r"[a-z2-7]+=*|[A-Z2-7]+=*"), 5.0),
    (re.compile(r"[A-Za-z0-9]+"), math.log2(62)),
    (re.compile(r"[A-Za-z0-9+/_-]+=*"), 6.0),
)
# With probability 10^-6, 39 random decimal digits use fewer than 7 distinct ones; for hexadecimal it is 10^-9.
_DISTINCT_MIN: Final = 7
# The probability that two of 20,000 random secrets share their first 14 hexadecimal digits is 10^-8.
_ALIKE_CHARACTERS_MAX: Final = 13
# The probability that six digits of a label occur in a random secret of 43 characters is 10^-7.
_LABEL_CHARACTERS_MIN: Final = 6
# The probability that a random secret shares its first six bytes with one of 200 derivations is 10^-12.
_DERIVED_BYTES_MIN: Final = 6
_DIGESTS: Final = (
    "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s",
)  # fmt: skip


@dataclass(frozen=True)
class OfferedSecret:
    """A secret from a vendor's file, and the label texts of its watch."""

    row: int
    serial: str
    imei: str | None
    secret: str


def secret_faults(offered: Sequence[OfferedSecret]) -> list[Fault]:
    """Return every fault of a file's secrets, by row; a fault never contains the secret."""
    faults = []
    for entry in offered:
        weakness = _weakness(entry)
        if weakness is not None:
            faults.append(Fault(entry.row, "secret", *weakness))
    return faults + _alike(offered)


def _weakness(offered: OfferedSecret) -> tuple[str, str] | None:
    secret = offered.secret
    if not secret:
        return "secret_missing", "This cell is empty."
    if len(secret) > _CHARACTERS_MAX or _PRINTABLE.fullmatch(secret) is None:
        return "secret_malformed", f"A secret is at most {_CHARACTERS_MAX} printable ASCII characters without spaces."
    if _bits(secret) < _BITS_MIN or len(set(secret)) < _DISTINCT_MIN or _repeats_itself(secret):
        return "secret_weak", "A secret needs 128 random bits: 32 hexadecimal digits or 22 base64 characters."
    if _is_derived(offered):
        return "secret_derived", "This is derived from the serial or IMEI. Secrets must be random."
    return None


def _bits(secret: str) -> float:
    for alphabet, bits in _ALPHABETS:
        if alphabet.fullmatch(secret):
            return len(secret.rstrip("=")) * bits
    return len(secret) * math.log2(94)


def _repeats_itself(secret: str) -> bool:
    # A string is a repetition exactly when it occurs inside its own doubling at an inner position.
    if secret in (secret + secret)[1:-1]:
        return True
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    return len(steps) == 1


def _is_derived(offered: OfferedSecret) -> bool:
    folded = offered.secret.lower()
    labels = [label for label in (offered.serial, offered.imei) if label]
    for label in labels:
        for shown in (label.lower(), label.lower()[::-1]):
            if len(shown) >= _LABEL_CHARACTERS_MIN and shown in folded:
                return True
    readings = list(_readings(offered.secret))
    return any(_begin_alike(reading, derived) for derived in _derivations(labels) for reading in readings)


def _readings(secret: str) -> Iterator[bytes]:
    """Yield the byte strings that a secret may encode; of a truncated secret, the complete bytes."""
    yield secret.encode()
    # Text after the padding is decoded separately: Python 3.11 ignores it, Python 3.13 rejects the whole.
    for bare in filter(None, secret.split("=")):
        for decode, group, text in (
            (bytes.fromhex, 2, bare),
            (base64.b64decode, 4, bare.replace("-", "+").replace("_", "/")),
            (base64.b32decode, 8, bare.upper()),
        ):
            # binascii.Error is a ValueError: the secret does not use this encoding.
            with contextlib.suppress(ValueError):
                yield decode(text[: len(text) // group * group])


def _begin_alike(reading: bytes, derived: bytes) -> bool:
    common = min(len(reading), len(derived))
    return common >= _DERIVED_BYTES_MIN and reading[:common] == derived[:common]


def _derivations(labels: Sequence[str]) -> Iterator[bytes]:
    """Yield the values that a vendor's script can derive from labels without randomness."""
    joined = [glue.join(order) for order in (labels, labels[::-1]) for glue in ("", "-", ":", "_")]
    seeds = dict.fromkeys([*labels, *joined, *(f"f-{label}" for label in labels)])
    for raw in dict.fromkeys(written.encode() for seed in seeds for written in (seed, seed.lower())):
        yield raw
        for name in _DIGESTS:
            yield hashlib.new(name, raw, usedforsecurity=False).digest()


def _alike(offered: Sequence[OfferedSecret]) -> list[Fault]:
    """Return a fault for secrets that are equal or share a long prefix or suffix, as counters and fixed stems do."""
    faults: dict[int, Fault] = {}
    for reverse in (False, True):
        ordered = sorted(
            (entry.secret.lower()[::-1] if reverse else entry.secret.lower(), entry.row) for entry in offered
        )
        for (before, first_row), (after, row) in pairwise(ordered):
            later, earlier = max(first_row, row), min(first_row, row)
            if before == after:
                faults[later] = Fault(later, "secret", "secret_reused", f"Row {earlier} has the same secret.")
            elif before[: _ALIKE_CHARACTERS_MAX + 1] == after[: _ALIKE_CHARACTERS_MAX + 1]:
                faults.setdefault(
                    later, Fault(later, "secret", "secret_alike", f"Row {earlier} has nearly the same secret.")
                )
    return list(faults.values())
