"""The cursor of the event stream: what was written is read, anything else is refused."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.cursor import CursorInvalidError, Position, read_cursor, tag_of, write_cursor

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)
POSITIONS = st.builds(Position, NUMBERS, st.integers(min_value=0, max_value=2**32 - 1))


@given(st.dictionaries(st.uuids(), POSITIONS, max_size=50))
def test_what_was_written_is_read(cursors: dict[uuid.UUID, Position]) -> None:
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
        read_cursor(write_cursor({uuid.UUID(int=1): Position(2**64 - 1)}))


def test_a_cursor_of_an_earlier_version_is_read_without_tags() -> None:
    assert read_cursor("AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAq") == {uuid.UUID(int=1): Position(42)}


def test_fifty_families_fit_into_the_header_and_the_address() -> None:
    assert len(write_cursor({uuid.uuid4(): Position(2**63 - 1, 2**32 - 1) for _ in range(50)})) <= 2000


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_tag_fits_and_is_never_the_unknown_one(created_at: datetime) -> None:
    assert 0 < tag_of(created_at) < 2**32
