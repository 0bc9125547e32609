"""Bounds of a message, and the order of its states."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.conversation.messages.errors import EmojiUnknownError
from services.core.conversation.messages.rules import MessageKind, RecipientState, advance, emoji_body, text_body
from services.core.platform.text_rules import TextNotAllowedError

STATES = st.sampled_from(list(RecipientState))


@pytest.mark.parametrize(
    ("current", "reported", "moved"),
    [
        ("queued", "stored", "stored"),
        ("stored", "delivered", "delivered"),
        ("stored", "played", "played"),
        ("played", "delivered", None),
        ("delivered", "delivered", None),
        ("expired", "delivered", "delivered"),
        ("rejected", "played", "played"),
        ("delivered", "expired", None),
        ("played", "rejected", None),
        ("expired", "rejected", None),
    ],
)
def test_states_only_move_forward(current: str, reported: str, moved: str | None) -> None:
    assert advance(current, reported) == moved


@given(st.lists(STATES, min_size=1, max_size=8))
def test_reports_in_any_order_end_where_the_furthest_one_is(reports: list[RecipientState]) -> None:
    ends = set()
    for order in itertools.islice(itertools.permutations(reports), 24):
        state = RecipientState.QUEUED
        for reported in order:
            state = advance(state, reported) or state
        ends.add(state if state not in {RecipientState.EXPIRED, RecipientState.REJECTED} else "given up")
    assert len(ends) == 1


def test_what_a_parent_wrote_is_kept_to_the_letter() -> None:
    words = "  晚安 \u202eabc\u200d👩‍👧\n"
    assert text_body(words).content == words


@pytest.mark.parametrize("words", ["", "   ", "a\x00b", "\ud800", "x" * 501, "a\x07"])
def test_what_cannot_be_shown_is_refused(words: str) -> None:
    with pytest.raises(TextNotAllowedError):
        text_body(words)


def test_an_emoji_is_one_of_the_list() -> None:
    assert emoji_body("heart").kind is MessageKind.EMOJI
    with pytest.raises(EmojiUnknownError):
        emoji_body("Heart")


def test_a_text_and_an_emoji_of_the_same_word_differ() -> None:
    assert text_body("heart").fingerprint != emoji_body("heart").fingerprint
