"""Numbers as readers of a locale write them: ``78 %``, ``%78``, ``0,86``, ``12.340``. Pure."""

from __future__ import annotations

from typing import Final

# Decimal sign, sign between thousands; as the Unicode CLDR has them.
_SIGNS: Final = {"en": (".", ","), "zh-Hans": (".", ","), "vi": (",", "."), "tr": (",", ".")}
_PER_CENT: Final = {"en": "{} %", "zh-Hans": "{}%", "vi": "{} %", "tr": "%{}"}


def number_text(value: float, locale: str) -> str:
    """Return a number with at most six significant digits, thousands apart."""
    decimal, thousands = _SIGNS.get(locale, _SIGNS["en"])
    plain = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}" if abs(value) < 1 else f"{value:,g}"
    return plain.translate({ord("."): decimal, ord(","): thousands})


def per_cent_text(share: float, locale: str) -> str:
    """Return a share (0 to 1) in whole per cent."""
    return _PER_CENT.get(locale, _PER_CENT["en"]).format(f"{share * 100:.0f}")


def bounded_text(figure: str, bound: str | None) -> str:
    """Return a figure that stands for everything beyond it with the sign that says so."""
    return {"at_most": f"\N{LESS-THAN OR EQUAL TO} {figure}", "at_least": f"\N{GREATER-THAN OR EQUAL TO} {figure}"}.get(
        bound or "", figure
    )
