"""The age from which the child's own consent is required, by the country of the family's site. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

_DEFAULT: Final = "default"


@dataclass(frozen=True)
class Ages:
    """The age limits of one country, in whole years, and their legal source.

    From ``own_agreement_too`` on, the child's agreement is required in addition to the guardian's consent. From
    ``own_consent`` on, the child consents itself. If only the second is set, nothing changes below it.
    """

    own_agreement_too: int | None
    own_consent: int
    source: str

    @property
    def asked_from(self) -> int:
        """The lowest age at which the child's own agreement is required."""
        return self.own_consent if self.own_agreement_too is None else self.own_agreement_too


@cache
def _table() -> dict[str, Ages]:
    page = json.loads((Path(__file__).parent / "ages.json").read_text(encoding="utf-8"))
    return {
        country: Ages(row.get("own_agreement_too_from_years"), row["own_consent_from_years"], row["source"])
        for country, row in page.items()
    }


def ages_of(country: str | None) -> Ages:
    """Return the age limits of a country (ISO 3166-1 alpha-2), or the default for None and for other countries."""
    table = _table()
    return table.get(country or _DEFAULT, table[_DEFAULT])


def age_on(birth_date: date, today: date) -> int:
    """Return the age in whole years; a birthday on 29 February falls on 1 March in common years."""
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)


def is_asked(birth_date: date | None, today: date, country: str | None) -> bool:
    """Return whether the child's own agreement is required; False without a date of birth."""
    return birth_date is not None and age_on(birth_date, today) >= ages_of(country).asked_from
