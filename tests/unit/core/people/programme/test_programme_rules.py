"""Which countries, zones, languages, names and addresses a programme may have."""

import zoneinfo
from datetime import date

import pytest

from services.core.people.programme import errors, rules
from services.core.platform.text_rules import TextNotAllowedError


@pytest.mark.parametrize(("written", "code"), [("CN", "CN"), (" vn ", "VN"), ("Tr", "TR")])
def test_a_country_is_its_two_letter_code(written: str, code: str) -> None:
    assert rules.check_country(written) == code


@pytest.mark.parametrize("written", ["", "C", "CHN", "XX", "UK", "12", "C\u0000", "中国"])
def test_anything_else_is_no_country(written: str) -> None:
    with pytest.raises(errors.CountryUnknownError):
        rules.check_country(written)


@pytest.mark.parametrize("name", ["Asia/Shanghai", "Asia/Ho_Chi_Minh", "Europe/Istanbul"])
def test_the_programmes_time_zones_are_known_and_loadable(name: str) -> None:
    assert rules.check_timezone(f" {name} ") == name
    assert zoneinfo.ZoneInfo(name).key == name


@pytest.mark.parametrize("name", ["", "asia/shanghai", "Asia", "../etc/passwd", "/etc/localtime", "GMT+25", "A\u0000"])
def test_anything_else_is_no_time_zone(name: str) -> None:
    with pytest.raises(errors.TimezoneUnknownError):
        rules.check_timezone(name)


def test_every_listed_zone_loads_on_this_machine() -> None:
    assert all(zoneinfo.ZoneInfo(name).key == name for name in rules.timezones())


@pytest.mark.parametrize(("written", "locale"), [("en", "en"), ("zh-hans", "zh-Hans"), ("VI", "vi"), ("tr ", "tr")])
def test_a_language_is_one_that_the_product_speaks(written: str, locale: str) -> None:
    assert rules.check_locale(written) == locale


@pytest.mark.parametrize("written", ["", "de", "zh", "zh-Hant", "en-US"])
def test_other_languages_are_refused_rather_than_guessed(written: str) -> None:
    with pytest.raises(errors.LocaleUnknownError):
        rules.check_locale(written)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\u0000b", "a\u202eb", "a\nb", "a\ud800"])
def test_a_name_must_be_readable(name: str) -> None:
    with pytest.raises(TextNotAllowedError):
        rules.check_name(name)
    assert rules.composed(name) == ""


def test_a_name_is_kept_composed_and_without_outer_spaces() -> None:
    assert rules.check_name("  Vi\u0065\u0323\u0302t Factory ") == "Việt Factory"


@pytest.mark.parametrize("written", ["ann@example.org", " Ann.Lee+x@Sub.Example.org "])
def test_an_address_is_kept_in_lower_case(written: str) -> None:
    assert rules.check_email(written) == written.strip().lower()


@pytest.mark.parametrize(
    "written", ["", "ann", "ann@", "@x.org", "ann@x", "a b@x.org", "a@x\n.org", "ä@x.org", "a@b@c.org"]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(errors.EmailRefusedError):
        rules.check_email(written)


@pytest.mark.parametrize("role", ["", "Staff", "owner", "root"])
def test_there_are_four_roles_and_no_other(role: str) -> None:
    with pytest.raises(errors.RoleUnknownError):
        rules.check_role(role)


def test_a_cohort_does_not_end_before_it_starts() -> None:
    rules.check_dates(date(2026, 3, 1), date(2026, 3, 1))
    rules.check_dates(None, date(2026, 3, 1))
    with pytest.raises(errors.DatesReversedError):
        rules.check_dates(date(2026, 3, 2), date(2026, 3, 1))


def test_an_initial_password_is_random_and_can_be_read_out() -> None:
    made = {rules.new_initial_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 29 and set(password) <= set("abcdefghijklmnopqrstuvwxyz234567-") for password in made)
