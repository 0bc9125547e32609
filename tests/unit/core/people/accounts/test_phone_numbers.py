"""How phone numbers are read: each row is a number as people and spreadsheets write it, and its right value."""

from __future__ import annotations

import pytest

from services.core.people.accounts.errors import PhoneInvalidError, PhoneNotMobileError, PhoneRoundedError
from services.core.people.accounts.phone_numbers import (
    calling_code,
    mobile_phone,
    normal_phone,
    possible_phone,
    region_of_phone,
)


@pytest.mark.parametrize(
    ("written", "region", "stored"),
    [
        ("+86 138 0013 8000", None, "+8613800138000"),
        ("13800138000", "CN", "+8613800138000"),
        ("0912 345 678", "VN", "+84912345678"),
        ("(0532) 123-45-67", "TR", "+905321234567"),
        ("+8613800138000", "TR", "+8613800138000"),
        # Kept as a fraction by a program: never a digit more.
        ("13900005599.0", "CN", "+8613900005599"),
        ("+8613900005599.00", None, "+8613900005599"),
        ("13900005599,0", "CN", "+8613900005599"),
        # Eleven digits until 2018-11-15.
        ("01682345678", "VN", "+84382345678"),
        ("+84 120 234 5678", None, "+84702345678"),
        ("01992345678", "VN", "+84592345678"),
        # Copied from a telephone's contacts, or typed with a Chinese keyboard.
        ("\u202d13900005597\u202c", "CN", "+8613900005597"),
        ("\u2066+86 139 0000 5597\u2069", None, "+8613900005597"),
        ("\uff0b\uff18\uff16" + "13900005597", None, "+8613900005597"),
        ("".join(chr(0xFF10 + int(digit)) for digit in "13900005597"), "CN", "+8613900005597"),
        ("139\u00a00000\u30005597", "CN", "+8613900005597"),
        ("139\u20110000\u20135597", "CN", "+8613900005597"),
        ("+49 1512 3456789", None, "+4915123456789"),
    ],
)
def test_a_mobile_number_is_kept_in_one_form_however_it_is_written(
    written: str, region: str | None, stored: str
) -> None:
    assert mobile_phone(written, region) == normal_phone(written, region) == stored


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("091234567", "VN"), ("09123456789", "VN"), ("1380013800", "CN"), ("138001380001", "CN"), ("532123456", "TR"),
        ("53212345678", "TR"), ("+841232345678x", "VN"), ("01302345678", "VN"), ("12000138000", "CN"),
    ],
)  # fmt: skip
def test_a_digit_missing_or_too_many_is_refused(written: str, region: str) -> None:
    with pytest.raises(PhoneInvalidError):
        normal_phone(written, region)
    with pytest.raises(PhoneInvalidError):
        mobile_phone(written, region)


@pytest.mark.parametrize(
    ("written", "region", "stored"),
    [
        ("0769-22221234", "CN", "+8676922221234"), ("0212 123 45 67", "TR", "+902121234567"),
        ("444 1 234", "TR", "+904441234"), ("4008123123", "CN", "+864008123123"),
        ("+49 30 901820", None, "+4930901820"),
    ],
)  # fmt: skip
def test_a_number_at_which_no_text_arrives_can_be_called_and_is_no_mobile_number(
    written: str, region: str | None, stored: str
) -> None:
    assert normal_phone(written, region) == stored
    with pytest.raises(PhoneNotMobileError):
        mobile_phone(written, region)


@pytest.mark.parametrize("written", ["1.39E+10", "1,39E+10", "1.39e10", " 1.3900005599E10 "])
def test_a_number_that_a_spreadsheet_rounded_is_named_so(written: str) -> None:
    for read in (mobile_phone, normal_phone, possible_phone):
        with pytest.raises(PhoneRoundedError):
            read(written, "CN")


@pytest.mark.parametrize(
    "written",
    ["", "13800138000", "+86", "+86138001380001234567", "abc", "+1-800-FLOWERS", "١٢٣٤٥٦٧٨٩", "+8613800138000;ext=5",
     "+8613800138000\x00", "+86138\ud8000013800", "tel:+8613800138000", "\N{FULLWIDTH DIGIT NINE}" * 11, "12.0",
     "\u202d\u202c", "13900005599.5", "+8613900005599.0.0"],
)  # fmt: skip
def test_what_is_no_phone_number_is_refused(written: str) -> None:
    for read in (mobile_phone, normal_phone, possible_phone):
        with pytest.raises(PhoneInvalidError):
            read(written)


def test_the_number_of_a_sim_card_may_be_of_any_range() -> None:
    assert possible_phone("14012345678", "CN") == "+8614012345678"


def test_a_number_names_its_country() -> None:
    assert [calling_code(phone) for phone in ("+8613800138000", "+84912345678")] == ["86", "84"]
    assert [region_of_phone(phone) for phone in ("+8613800138000", "+84912345678")] == ["CN", "VN"]
