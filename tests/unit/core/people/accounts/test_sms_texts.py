"""Our text messages: in each language, one part long where it can be, with the product's host and about nobody."""

from __future__ import annotations

import pytest

from services.core.people.accounts.sms_texts import (
    access_ended_text,
    go_and_look_text,
    invitation_text,
    login_code_text,
    looked_up_text,
    recovery_text,
    urgent_text,
)
from services.core.people.households.sms_texts import programme_ending_text
from services.core.platform.locales import LOCALES, fitting_locale
from services.core.privacy.contests.sms_texts import decision_text

HOST = "app.example.org"


@pytest.mark.parametrize("locale", LOCALES)
def test_each_language_has_a_code_of_one_part(locale: str) -> None:
    code = login_code_text(locale, "482913")
    assert "482913" in code.text
    # A provider that sends templates is given the kind and its parameters, and no log the code.
    assert (code.kind, code.params, code.locale) == ("login_code", {"code": "482913"}, locale)
    assert "482913" not in repr(code)
    # 160 characters of a Latin alphabet, 70 of any other, go in one part.
    assert len(code.text) <= 160
    assert len({login_code_text(locale, "1").text for locale in LOCALES}) == len(LOCALES)


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("zh-CN", "zh-Hans"), ("zh", "zh-Hans"), ("vi_VN", "vi"), ("TR", "tr"), ("en-GB", "en"), ("fr", "en"),
     (None, "en"), ("", "en"), ("zhx", "en")],
)  # fmt: skip
def test_the_language_that_fits_best_is_spoken(wanted: str | None, spoken: str) -> None:
    assert fitting_locale(wanted) == spoken


@pytest.mark.parametrize("locale", LOCALES)
def test_texts_that_ask_to_open_the_product_name_its_host(locale: str) -> None:
    contents = [
        invitation_text(locale, HOST), recovery_text(locale, HOST), looked_up_text(locale, HOST),
        urgent_text(locale, time="14:05", host=HOST), programme_ending_text(locale, HOST),
        access_ended_text(locale, HOST), decision_text(False, locale, HOST), decision_text(True, locale, HOST),
    ]  # fmt: skip
    texts = [content.text for content in contents]
    assert len(set(texts)) == len(texts)
    assert all(text.startswith("SmartWatch") and HOST in text and "{" not in text for text in texts)
    assert "48" in recovery_text(locale, HOST).text
    assert "14:05" in urgent_text(locale, time="14:05", host=HOST).text


@pytest.mark.parametrize("locale", LOCALES)
def test_who_lives_with_the_child_gets_no_link_and_no_name(locale: str) -> None:
    text = go_and_look_text(locale).text
    assert text.startswith("SmartWatch")
    assert "{" not in text
    assert "." not in text.rstrip(".").replace(". ", "")
    assert len({go_and_look_text(locale).text for locale in LOCALES}) == len(LOCALES)
