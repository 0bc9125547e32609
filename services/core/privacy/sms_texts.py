"""Text messages about an erasure: they say that it happened and nothing about what was erased."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal


def erased_text(what: Literal["child", "family"], locale: str) -> str:
    """Return the text in one of our locales."""
    return _texts()[f"{what}_erased"][locale]


@cache
def _texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        (Path(__file__).parent / "sms_texts.json").read_text(encoding="utf-8")
    )
    return found
