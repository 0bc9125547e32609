"""Accepted texts of people, for every text field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.platform.text_rules import MESSAGE, NAME, OPTIONAL_NAME, TextNotAllowedError, TextRule, check_text


@pytest.mark.parametrize(
    "text", ["hi", "晚安 🌙", "two\nlines\tand a tab", "שלום \u202babc\u202c", "👩‍👩‍👧", "e\u0301", "  padded  "]
)
def test_a_message_is_stored_exactly_as_it_was_written(text: str) -> None:
    assert check_text("text", text, MESSAGE) == text


@pytest.mark.parametrize(
    ("written", "stored"),
    [("  Mei ", "Mei"), ("e\u0301mile", "émile"), ("Bà Nội", "Bà Nội"), ("👩‍👩‍👧 Mẹ", "👩‍👩‍👧 Mẹ"), ("ﷺ", "ﷺ")],
)
def test_a_name_is_composed_and_trimmed(written: str, stored: str) -> None:
    assert check_text("name", written, NAME) == stored


@pytest.mark.parametrize("rule", [NAME, MESSAGE])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n ".replace("\n", ""), "empty"),
        ("\u200d", "empty"),
        ("a\x00b", "character"),
        ("a\ud83d", "character"),
        ("\udc00", "character"),
        ("bell\x07", "character"),
        ("csi\x9b", "character"),
        ("a" * 501, "too_long"),
        ("🌙" * 501, "too_long"),
    ],
)
def test_what_cannot_be_stored_or_shown_is_refused_with_field_and_reason(
    rule: TextRule, text: str, reason: str
) -> None:
    with pytest.raises(TextNotAllowedError) as refused:
        check_text("greeting", text, rule)
    assert refused.value.fields() == {"field": "greeting", "reason": reason}


@pytest.mark.parametrize(
    "text", ["a\nb", "a\u2028b", "evil\u202egnp.exe", "\u2066x\u2069", "a\u200bb", "a\ufeffb", "a\ue000b", "a\u061cb"]
)
def test_a_name_is_one_line_that_is_seen_as_what_it_is(text: str) -> None:
    with pytest.raises(TextNotAllowedError):
        check_text("name", text, NAME)


def test_a_name_is_bounded_in_characters_and_in_bytes() -> None:
    assert check_text("name", "梅" * 40, NAME) == "梅" * 40
    for too_long in ("a" * 41, "🌙" * 31):
        with pytest.raises(TextNotAllowedError) as refused:
            check_text("name", too_long, NAME)
        assert refused.value.reason == "too_long"


def test_an_optional_name_may_be_empty_and_nothing_worse() -> None:
    assert check_text("name", "  ", OPTIONAL_NAME) == ""
    with pytest.raises(TextNotAllowedError):
        check_text("name", "\u200d", OPTIONAL_NAME)


@given(st.text(alphabet=st.characters(), max_size=600), st.sampled_from([NAME, MESSAGE, OPTIONAL_NAME]))
def test_what_passes_can_be_encoded_and_stored_and_passes_again(text: str, rule: TextRule) -> None:
    try:
        stored = check_text("text", text, rule)
    except TextNotAllowedError:
        return
    assert "\x00" not in stored
    assert len(stored.encode()) <= rule.max_bytes
    assert check_text("text", stored, rule) == stored
