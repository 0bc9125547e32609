"""The cursor of the event stream: what was written is read, anything else is refused."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.cursor import CursorInvalidError, read_cursor, write_cursor


@given(st.dictionaries(st.uuids(), st.integers(min_value=0, max_value=2**63 - 1), max_size=50))
def test_what_was_written_is_read(cursors: dict[uuid.UUID, int]) -> None:
    assert read_cursor(write_cursor(cursors)) == cursors


@given(st.text(max_size=200))
def test_any_word_is_read_or_refused_and_never_fails(word: str) -> None:
    try:
        read_cursor(word)
    except CursorInvalidError:
        return


@pytest.mark.parametrize("word", ["x", "AAAA", "é" * 32, "=" * 32, "A" * 4000, "\ud800", "\x00"])
def test_what_is_not_ours_is_refused(word: str) -> None:
    with pytest.raises(CursorInvalidError):
        read_cursor(word)


def test_a_number_beyond_the_column_is_refused() -> None:
    with pytest.raises(CursorInvalidError):
        read_cursor(write_cursor({uuid.UUID(int=1): 2**64 - 1}))
