"""The consent texts: every part in every language, and only today's can be agreed to."""

from __future__ import annotations

import pytest

from services.core.people.consents.errors import ConsentTextUnknownError
from services.core.people.consents.rules import Part, check_text_is_current, consent_texts
from services.core.platform.locales import LOCALES


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("part", list(Part))
def test_every_part_can_be_read_and_agreed_to_in_every_language(part: Part, locale: str) -> None:
    text = consent_texts()[part, locale]
    assert len(text.text) > 100
    check_text_is_current(part, text.text_version, locale)


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        ("en", ["not end-to-end encrypted", "not an emergency service", "30 days", "take it back"]),
        ("zh-Hans", ["不是端到端加密", "不是紧急救援服务", "30 天", "撤回"]),
        ("vi", ["không phải mã hóa đầu cuối", "không phải dịch vụ khẩn cấp", "30 ngày", "rút lại"]),
        ("tr", ["Uçtan uca şifreli değildir", "acil yard\u0131m hizmeti değildir", "30 gün", "geri alabilirsiniz"]),
    ],
)
def test_the_text_about_messages_says_what_we_are_not(locale: str, says: list[str]) -> None:
    text = consent_texts()[Part.MESSAGES, locale].text
    assert [phrase for phrase in says if phrase not in text] == []


@pytest.mark.parametrize(("version", "locale"), [("0", "en"), ("", "en"), ("1", "fr"), ("1 ", "en")])
def test_another_text_than_todays_cannot_be_agreed_to(version: str, locale: str) -> None:
    with pytest.raises(ConsentTextUnknownError) as refused:
        check_text_is_current(Part.MESSAGES, version, locale)
    assert refused.value.current_version == consent_texts()[Part.MESSAGES, "en"].text_version
