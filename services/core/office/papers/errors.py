"""Errors of printed papers."""

from __future__ import annotations

from collections.abc import Sequence

from services.core.platform.errors import CoreError

_NAMED_MAX = 5


class CharactersNotPrintableError(CoreError):
    """A text of a paper holds characters that no font of the product has; names the rows and the code points."""

    code = "characters_not_printable"
    sentence = "Some characters cannot be printed. Write these names in other characters."

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        # Where ("row 3", "title") and which characters.
        self.places = tuple(places)

    def fields(self) -> dict[str, int | str]:
        """Return the first places with their code points; programme, site and cohort names are not personal."""
        named = [
            f"{place}: {', '.join(f'U+{ord(character):04X}' for character in characters)}"
            for place, characters in self.places[:_NAMED_MAX]
        ]
        return {"places": "; ".join(named), "count": len(self.places)}


class ProgrammePhoneMissingError(CoreError):
    """Labels and leaflets name a number to call, and none is set for the site's country."""

    code = "programme_phone_missing"
    sentence = "No phone number of the programme is set for this country. Set SMARTWATCH_PROGRAMME_PHONES."

    def __init__(self, country: str) -> None:
        super().__init__()
        self.country = country

    def fields(self) -> dict[str, int | str]:
        """Return the country (ISO 3166-1 alpha-2)."""
        return {"country": self.country}
