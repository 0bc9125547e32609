"""Ranges as RFC 9110 section 14 has them, one at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.ranges import RangeNotSatisfiableError, read_range


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", (0, 1000)),
        ("bytes=0-1", (0, 2)),
        ("bytes=0-0", (0, 1)),
        ("bytes=999-", (999, 1000)),
        ("bytes=500-5000", (500, 1000)),
        ("bytes=-1", (999, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("bytes= 5 - 9 ", (5, 10)),
        # No range that is known here: all of it, as the standard allows.
        ("bytes=-", None),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0x1-2", None),
        ("bytes=٣-٤", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_what_is_asked_for(header: str | None, span: tuple[int, int] | None) -> None:
    assert read_range(header, 1000) == span


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=999999999999999999-"])
def test_behind_the_end(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError) as refused:
        read_range(header, 1000)
    assert refused.value.fields() == {"of_bytes": 1000}


@given(header=st.text(max_size=40) | st.from_regex(r"bytes=\d{0,5}-\d{0,5}", fullmatch=True), size=st.integers(1, 9999))
def test_a_span_lies_within(header: str, size: int) -> None:
    try:
        span = read_range(header, size)
    except RangeNotSatisfiableError:
        return
    assert span is None or 0 <= span[0] < span[1] <= size
