"""The number of a country that brings help: public numbers with their sources."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

_DEFAULT_COUNTRY: Final = "default"


@cache
def _numbers() -> dict[str, dict[str, str]]:
    numbers: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return numbers


def emergency_number(country: str | None) -> str:
    """Return the number to dial in an emergency in a country (ISO 3166-1), or 112 where none is listed."""
    numbers = _numbers()
    return numbers.get(country or _DEFAULT_COUNTRY, numbers[_DEFAULT_COUNTRY])["number"]
