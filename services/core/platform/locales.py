"""The languages of the product."""

from __future__ import annotations

from typing import Final

LOCALES: Final = ("en", "zh-Hans", "vi", "tr")
DEFAULT_LOCALE: Final = "en"

# The country assumed for a phone number without country code.
_REGIONS: Final = {"zh-Hans": "CN", "vi": "VN", "tr": "TR"}


def fitting_locale(requested: str | None, default: str = DEFAULT_LOCALE) -> str:
    """Return the supported locale that matches a BCP 47 tag best (``zh-CN``: ``zh-Hans``), or ``default``."""
    if not requested:
        return default
    language = requested.replace("_", "-").split("-", 1)[0].lower()
    for locale in LOCALES:
        if locale.split("-", 1)[0] == language:
            return locale
    return default


def region_of(locale: str) -> str | None:
    """Return the country (ISO 3166-1) in which the programme's speakers of a locale live, or None."""
    return _REGIONS.get(locale)
