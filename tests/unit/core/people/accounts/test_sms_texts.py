"""Our text messages: in each language, one part long where it can be, and about nobody."""

from __future__ import annotations

import pytest

from services.core.people.accounts.sms_texts import invitation_text, login_code_text, looked_up_text, recovery_text
from services.core.platform.locales import LOCALES, fitting_locale


@pytest.mark.parametrize("locale", LOCALES)
def test_each_language_has_a_code_and_an_invitation(locale: str) -> None:
    assert "482913" in login_code_text(locale, "482913")
    # 160 characters of a Latin alphabet, 70 of any other, go in one part.
    assert len(login_code_text(locale, "482913")) <= 160
    assert invitation_text(locale)
    assert len({login_code_text(one, "1") for one in LOCALES}) == len(LOCALES)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("zh-CN", "zh-Hans"), ("zh", "zh-Hans"), ("vi_VN", "vi"), ("TR", "tr"), ("en-GB", "en"), ("fr", "en"),
     (None, "en"), ("", "en"), ("zhx", "en")],
)  # fmt: skip
def test_the_language_that_fits_best_is_spoken(asked: str | None, spoken: str) -> None:
    assert fitting_locale(asked) == spoken


@pytest.mark.parametrize("locale", LOCALES)
def test_what_staff_did_is_told_in_each_language_and_names_nobody(locale: str) -> None:
    texts = {recovery_text(locale), looked_up_text(locale)}
    assert len(texts) == 2
    assert all(text.startswith("SmartWatch") and "{" not in text for text in texts)
    assert "48" in recovery_text(locale)
