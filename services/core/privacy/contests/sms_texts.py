"""Text messages about a decision on a contested right: they name no guardian and no right."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from services.core.platform.locales import fitting_locale


def decision_text(is_done: bool, locale: str, host: str) -> str:  # noqa: FBT001 - before or after
    """Return the text before (two have agreed) or after a decision is carried out."""
    return _texts()["decision_done" if is_done else "decision_waiting"][fitting_locale(locale)].format(host=host)


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return texts
