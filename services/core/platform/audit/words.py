"""The actions of the log and their meaning; screens translate the word."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


@cache
def meanings() -> dict[str, str]:
    """Return every action with what it means, in plain English; a test holds them equal to what the code writes."""
    meanings: dict[str, str] = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
    return meanings
