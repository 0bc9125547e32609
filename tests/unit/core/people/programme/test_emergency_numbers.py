"""The number that brings help in a country."""

from __future__ import annotations

import phonenumbers
import pytest

from services.core.people.programme.emergency_numbers import emergency_number


@pytest.mark.parametrize(
    ("country", "number"), [("CN", "110"), ("VN", "113"), ("TR", "112"), ("DE", "112"), (None, "112")]
)
def test_each_country_has_its_number(country: str | None, number: str) -> None:
    assert emergency_number(country) == number
    if country is not None:
        assert phonenumbers.is_emergency_number(number, country)
