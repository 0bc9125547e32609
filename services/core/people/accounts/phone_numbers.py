"""Parsing of phone numbers for lists, log-in, invitations, contacts, recovery and staff. Pure.

Numbers of China, Viet Nam and Turkey are validated by their numbering plans, which change once in a decade: length and
first digits of a mobile number. The library's number ranges are not used there, because operators open new ranges
faster than library updates reach the installations. For other countries the library decides.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

from services.core.people.accounts.errors import PhoneInvalidError, PhoneNotMobileError, PhoneRoundedError

_CHARACTERS: Final = re.compile(r"\+?[0-9 ()\-.]{3,30}", re.ASCII)
# A spreadsheet turns 13900005599 into 1.39E+10, which loses the remaining digits.
_ROUNDED: Final = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+", re.ASCII)
# Programs that store a number as a floating-point value append this fraction.
_DECIMALS: Final = re.compile(r"(\+?[0-9]{4,})[.,]0+", re.ASCII)
_HYPHENS: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))

# National significant numbers of mobile phones, by calling code.
# CN: MIIT, Telecommunications network numbering plan (2017). VN: Decision 2036/QD-BTTTT (2017). TR: Electronic
# Communications Numbering Regulation (2010), annex 1.
_MOBILE: Final = {
    86: re.compile(r"1[3-9][0-9]{9}"),
    84: re.compile(r"[35789][0-9]{8}"),
    90: re.compile(r"5[0-9]{9}"),
}
# Viet Nam shortened its mobile numbers in 2018; the old ones ended on 2018-11-15 (Decision 2036/QD-BTTTT).
_VN_OLD: Final = re.compile(r"1([0-9]{2})([0-9]{7})")
_VN_NEW_PREFIX: Final = {
    "20": "70", "21": "79", "22": "77", "23": "83", "24": "84", "25": "85", "26": "76", "27": "81", "28": "78",
    "29": "82", "62": "32", "63": "33", "64": "34", "65": "35", "66": "36", "67": "37", "68": "38", "69": "39",
    "86": "56", "88": "58", "99": "59",
}  # fmt: skip
_NO_TEXT_ARRIVES: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL, PhoneNumberType.PAGER,
    }
)  # fmt: skip


def mobile_phone(written: str, region: str | None = None) -> str:
    """Return a number that can receive SMS, in E.164.

    ``region`` as in :func:`possible_phone`. Raises PhoneRoundedError, PhoneNotMobileError for another kind of number,
    PhoneInvalidError.
    """
    number = _checked(written, region)
    if not _is_mobile(number):
        raise PhoneNotMobileError
    return _e164(number)


def normal_phone(written: str, region: str | None = None) -> str:
    """Return a callable number, mobile or landline, in E.164. Raises PhoneRoundedError, PhoneInvalidError."""
    return _e164(_checked(written, region))


def possible_phone(written: str, region: str | None = None) -> str:
    """Return a number of a possible length in E.164 (``+8613800138000``), such as that of a SIM card.

    ``region`` (ISO 3166-1) applies if the country code is missing. Full-width digits are folded; invisible characters
    and a trailing ``.0`` are dropped. Raises PhoneRoundedError, PhoneInvalidError.
    """
    return _e164(_parsed(written, region))


def folded_phone(written: str) -> str:
    """Return a number folded to ASCII where possible; phones wrap contacts' numbers in bidi controls."""
    seen = "".join(character for character in written if unicodedata.category(character) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", seen).translate(_HYPHENS).split())


def calling_code(phone: str) -> str:
    """Return the country calling code of an E.164 number, such as 86."""
    return str(phonenumbers.parse(phone).country_code)


def region_of_phone(phone: str) -> str | None:
    """Return the country (ISO 3166-1) of an E.164 number, or None."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone))


def _checked(written: str, region: str | None) -> PhoneNumber:
    number = _parsed(written, region)
    if number.country_code in _MOBILE and not _is_mobile(number) and not phonenumbers.is_valid_number(number):
        raise PhoneInvalidError
    return number


def _parsed(written: str, region: str | None) -> PhoneNumber:
    text = folded_phone(written)
    if _ROUNDED.fullmatch(text):
        raise PhoneRoundedError
    if whole := _DECIMALS.fullmatch(text):
        text = whole[1]
    if _CHARACTERS.fullmatch(text) is None:
        raise PhoneInvalidError
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalidError from error
    number = _renumbered(number)
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise PhoneInvalidError
    return number


def _renumbered(number: PhoneNumber) -> PhoneNumber:
    old = _VN_OLD.fullmatch(phonenumbers.national_significant_number(number))
    if number.country_code != 84 or old is None or old[1] not in _VN_NEW_PREFIX:  # noqa: PLR2004 - Viet Nam
        return number
    return phonenumbers.parse(f"+84{_VN_NEW_PREFIX[old[1]]}{old[2]}")


def _is_mobile(number: PhoneNumber) -> bool:
    plan = _MOBILE.get(number.country_code or 0)
    if plan is not None:
        return plan.fullmatch(phonenumbers.national_significant_number(number)) is not None
    return phonenumbers.number_type(number) not in _NO_TEXT_ARRIVES


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
