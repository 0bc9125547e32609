"""SMS texts in each language; they name no child, no watch and no inviting guardian."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from services.core.platform.locales import fitting_locale


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return texts


def login_code_text(locale: str, code: str) -> str:
    """Return the text that carries a one-time code."""
    return _texts()[fitting_locale(locale)]["login_code"].format(code=code)


def invitation_text(locale: str, host: str) -> str:
    """Return the text that announces an invitation; ``host`` is where the product is opened."""
    return _texts()[fitting_locale(locale)]["invitation"].format(host=host)


def urgent_text(locale: str, *, time: str, host: str) -> str:
    """Return the text to a guardian about a watch that called for help at ``time`` (the child's wall clock)."""
    return _texts()[fitting_locale(locale)]["urgent"].format(time=time, host=host)


def go_and_look_text(locale: str) -> str:
    """Return the text to a person who lives with a child whose watch called for help: no name, place or link."""
    return _texts()[fitting_locale(locale)]["go_and_look"]


def recovery_text(locale: str, host: str) -> str:
    """Return the text that announces a change which can still be contested."""
    return _texts()[fitting_locale(locale)]["recovery"].format(host=host)


def looked_up_text(locale: str, host: str) -> str:
    """Return the text that notifies a guardian of a staff access to name and number."""
    return _texts()[fitting_locale(locale)]["looked_up"].format(host=host)
