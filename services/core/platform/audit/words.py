"""The actions of the audit log and their meanings; screens translate the words."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


@cache
def meanings() -> dict[str, str]:
    """Return every action with its meaning in English; a test compares the keys with the actions in the code."""
    meanings: dict[str, str] = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
    return meanings
