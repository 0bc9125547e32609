"""Texts of exports and reports, in every locale."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from services.core.measurement.publishing.coding import MEDIAN_FAMILIES, SHARE_FAMILIES
from services.core.platform.disclosure import LEAST, Audience
from services.core.platform.locales import DEFAULT_LOCALE, LOCALES

_TEXTS = Path(__file__).parent / "texts"


@cache
def words(locale: str) -> dict[str, str]:
    """Return the texts of a locale by key; an unknown locale gets English."""
    known = locale if locale in LOCALES else DEFAULT_LOCALE
    texts: dict[str, str] = json.loads((_TEXTS / f"{known}.json").read_text(encoding="utf-8"))
    return texts


def suppression_text(text: Mapping[str, str], audience: Audience) -> str:
    """Return the sentence that says of how large groups an audience is shown numbers."""
    least = LEAST[audience]
    return text["suppression"].format(median=MEDIAN_FAMILIES * least, share=SHARE_FAMILIES * least)
