"""The languages that people are spoken to in."""

from __future__ import annotations

from typing import Final

LOCALES: Final = ("en", "zh-Hans", "vi", "tr")
DEFAULT_LOCALE: Final = "en"

# Where a number written without its country code most likely belongs.
_REGIONS: Final = {"zh-Hans": "CN", "vi": "VN", "tr": "TR"}


def fitting_locale(requested: str | None, default: str = DEFAULT_LOCALE) -> str:
    """Return the one of our locales that fits a BCP 47 tag best: ``zh-CN`` gets ``zh-Hans``; else ``default``."""
    if not requested:
        return default
    language = requested.replace("_", "-").split("-", 1)[0].lower()
    for locale in LOCALES:
        if locale.split("-", 1)[0] == language:
            return locale
    return default


def region_of(locale: str) -> str | None:
    """Return the country (ISO 3166-1) where a locale's speakers in the programme live, or None."""
    return _REGIONS.get(locale)
