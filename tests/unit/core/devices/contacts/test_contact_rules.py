"""The contact list: what is dialled, how a guardian is named, what an order must say."""

from __future__ import annotations

import pytest

from services.core.devices.contacts.errors import ContactOrderError
from services.core.devices.contacts.queries import FAMILY
from services.core.devices.contacts.rules import (
    MOST_CONTACTS,
    check_order,
    dialable_number,
    displayed_name,
    phone_contact,
)
from services.core.people.accounts.errors import PhoneInvalidError
from services.core.people.households.rules import RELATIONS
from services.core.platform.locales import LOCALES
from services.core.platform.text_rules import NAME, check_text
from services.protocol import limits
from services.protocol.words import FAMILY as FAMILY_ON_THE_WIRE


def test_the_word_for_everyone_is_the_wires() -> None:
    assert FAMILY == FAMILY_ON_THE_WIRE
    assert MOST_CONTACTS <= limits.ARRAY_MAX_ITEMS


def test_a_number_is_dialled_with_its_country_and_a_short_one_as_it_is() -> None:
    assert dialable_number("13900139000", "CN") == "+8613900139000"
    assert dialable_number("110", "CN") == "110"
    # As a Chinese keyboard and a telephone's contacts write them.
    assert dialable_number("\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT ZERO}", "CN") == "110"
    assert dialable_number("\u202d13900139000\u202c", "CN") == "+8613900139000"
    for wrong in ("12", "x", "+"):
        with pytest.raises(PhoneInvalidError):
            dialable_number(wrong, "CN")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("relation", RELATIONS)
def test_a_guardian_without_a_name_is_called_what_children_say(relation: str, locale: str) -> None:
    shown = displayed_name("", relation, locale)
    assert check_text("name", shown, NAME) == shown
    assert displayed_name("Mei Lin", relation, locale) == "Mei Lin"


def test_an_order_names_each_contact_once() -> None:
    check_order([2, 1], {1, 2})
    for wrong in ([1], [1, 1], [1, 2, 3], [1, 2, 2], []):
        with pytest.raises(ContactOrderError):
            check_order(wrong, {1, 2})


def test_a_contact_is_kept_as_it_will_be_shown_and_dialled() -> None:
    contact = phone_contact(
        name=" Li ", relation="teacher", number="139 0013 9000", may_call=True, emergency=False, region="CN"
    )
    assert (contact.name, contact.number) == ("Li", "+8613900139000")
