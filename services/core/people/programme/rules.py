"""Valid names and attributes of programmes, sites, cohorts and staff members."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from importlib import resources

from services.core.people.programme.errors import (
    CountryUnknownError,
    DatesReversedError,
    EmailRefusedError,
    EndTooSoonError,
    LocaleUnknownError,
    RoleUnknownError,
    SiteKindUnknownError,
    TimezoneUnknownError,
)
from services.core.platform.crypto.random_ids import BASE32_ALPHABET
from services.core.platform.locales import LOCALES
from services.core.platform.text_rules import TextNotAllowedError, TextRule, check_text

ROLES = ("factory", "coordinator", "staff", "manager", "admin")
# Roles that hand out watches or work for the factory are limited to one site.
ROLES_OF_ONE_SITE = frozenset({"factory", "coordinator"})
SITE_KINDS = ("factory", "school", "centre")

# The notice promised to guardians; households.rules counts it from each family's own notification.
END_NOTICE_DAYS = 30

_NAME = TextRule(max_characters=80, max_bytes=320, is_name=True, may_be_formula=False)
# Names stored before this rule can still be found.
_LOOKED_UP = replace(_NAME, may_be_formula=True)
_EMAIL_CHARACTERS_MAX = 254  # RFC 5321 section 4.5.3.1.3, less the brackets
# Deliberately narrow: a colleague types the address once, and a wrong one must not become a login.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def check_name(text: str) -> str:
    """Return the stored form of a programme's, site's, cohort's or colleague's name; raises TextNotAllowedError."""
    return check_text("name", text, _NAME)


def composed(text: str) -> str:
    """Return a name in stored form for a lookup; an invalid name becomes empty and matches nothing."""
    try:
        return check_text("name", text, _LOOKED_UP)
    except TextNotAllowedError:
        return ""


def folded_name(text: str) -> str:
    """Return a name for comparison: capitals, full-width letters and white space are folded."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("\u0307", "").split())


@cache
def countries() -> frozenset[str]:
    """Return the ISO 3166-1 alpha-2 codes, from the time zone database."""
    listed = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line.split("\t")[0] for line in listed.splitlines() if line and not line.startswith("#"))


@cache
def timezones() -> frozenset[str]:
    """Return the IANA time zone names, independent of the zones installed on the host."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def check_country(text: str) -> str:
    """Return a country's code in capitals; raises CountryUnknownError."""
    code = text.strip().upper()
    if code not in countries():
        raise CountryUnknownError
    return code


def check_timezone(text: str) -> str:
    """Return a time zone's name; raises TimezoneUnknownError."""
    name = text.strip()
    if name not in timezones():
        raise TimezoneUnknownError
    return name


def check_locale(text: str) -> str:
    """Return a supported language; raises LocaleUnknownError."""
    known = {locale.lower(): locale for locale in LOCALES}.get(text.strip().lower())
    if known is None:
        raise LocaleUnknownError
    return known


def check_site_kind(text: str) -> str:
    """Return a kind of site; raises SiteKindUnknownError."""
    if text not in SITE_KINDS:
        raise SiteKindUnknownError
    return text


def check_dates(starts_on: date | None, ends_on: date | None) -> None:
    """Reject a cohort that ends before it starts; raises DatesReversedError."""
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise DatesReversedError


def check_ends_on(ends_on: date, today: date) -> None:
    """Reject a last day that leaves families less than their notice period; raises EndTooSoonError."""
    earliest = today + timedelta(days=END_NOTICE_DAYS)
    if ends_on < earliest:
        raise EndTooSoonError(earliest.isoformat())


def check_email(text: str) -> str:
    """Return an e-mail address in lower case, so that a person has one account; raises EmailRefusedError."""
    address = text.strip().lower()
    if len(address) > _EMAIL_CHARACTERS_MAX or _EMAIL.fullmatch(address) is None:
        raise EmailRefusedError
    return address


def check_role(text: str) -> str:
    """Return a role; raises RoleUnknownError."""
    if text not in ROLES:
        raise RoleUnknownError
    return text


def new_initial_password() -> str:
    """Return a password of 125 random bits in five groups of five letters, suitable for reading aloud."""
    groups = ("".join(secrets.choice(BASE32_ALPHABET) for _ in range(5)) for _ in range(5))
    return "-".join(groups)
