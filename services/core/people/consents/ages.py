"""From which age on a child's own word is asked for, by the country where the family takes part. Pure."""

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
    """The ages of one country, in whole years, and the law they come from.

    ``own_agreement_too``: from then on the child agrees beside its guardian. ``own_consent``: from then on it is the
    child that consents. Where only the second is set, nothing changes before it.
    """

    own_agreement_too: int | None
    own_consent: int
    source: str

    @property
    def asked_from(self) -> int:
        """The age at which the child's own word is asked for first."""
        return self.own_consent if self.own_agreement_too is None else self.own_agreement_too


@cache
def _table() -> dict[str, Ages]:
    page = json.loads((Path(__file__).parent / "ages.json").read_text(encoding="utf-8"))
    return {
        country: Ages(row.get("own_agreement_too_from_years"), row["own_consent_from_years"], row["source"])
        for country, row in page.items()
    }


def ages_of(country: str | None) -> Ages:
    """Return the ages of a country (ISO 3166-1 alpha-2); one we do not serve, or none, gets the default."""
    table = _table()
    return table.get(country or _DEFAULT, table[_DEFAULT])


def age_on(birth_date: date, today: date) -> int:
    """Return the age in whole years; who was born on 29 February is a year older on 1 March."""
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)


def is_asked(birth_date: date | None, today: date, country: str | None) -> bool:
    """Say whether the child's own word is asked for; without a date of birth it never is."""
    return birth_date is not None and age_on(birth_date, today) >= ages_of(country).asked_from
