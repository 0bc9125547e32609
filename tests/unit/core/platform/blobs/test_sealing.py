"""Sealed blobs: any range opens alone, and nothing that was cut, moved, swapped or is another's opens at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from services.core.platform.blobs.errors import BlobBrokenError
from services.core.platform.blobs.sealing import (
    CHUNK_BYTES,
    HEADER_BYTES,
    chunk_count,
    open_chunks,
    plain_size,
    seal_blob,
    span_of_chunks,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 16 * CHUNK_BYTES)
SEALED_CHUNK = CHUNK_BYTES + 16


def plain(size: int) -> bytes:
    # Every place differs from its neighbours and from the same place of another chunk.
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def opened(sealed: bytes, *, key: bytes = KEY, name: str = "n") -> bytes:
    """Open all of a blob as the store does."""
    chunks = chunk_count(plain_size(len(sealed)))
    start, end = span_of_chunks(0, chunks - 1, len(sealed))
    return open_chunks(key, name, sealed[:HEADER_BYTES], sealed[start:end], first=0, of_chunks=chunks)


@pytest.mark.parametrize("size", SIZES)
def test_it_opens_to_what_was_sealed_and_its_size_is_known_from_outside(size: int) -> None:
    sealed = seal_blob(KEY, "n", plain(size))
    assert plain_size(len(sealed)) == size
    assert len(sealed) == HEADER_BYTES + size + 16 * max(1, -(-size // CHUNK_BYTES))
    assert opened(sealed) == plain(size)


@settings(max_examples=60, deadline=None)
@given(size=some.integers(1, 4 * CHUNK_BYTES), place=some.integers(0, 4 * CHUNK_BYTES), length=some.integers(1, 70_000))
@example(size=2 * CHUNK_BYTES, place=CHUNK_BYTES - 1, length=2)
@example(size=2 * CHUNK_BYTES, place=CHUNK_BYTES, length=CHUNK_BYTES)
@example(size=3 * CHUNK_BYTES + 1, place=3 * CHUNK_BYTES, length=1)
def test_the_chunks_of_any_range_open_without_the_others(size: int, place: int, length: int) -> None:
    start = place % size
    end = min(size, start + length)
    sealed = seal_blob(KEY, "n", plain(size))
    first, last = start // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
    low, high = span_of_chunks(first, last, len(sealed))
    opened = open_chunks(
        KEY, "n", sealed[:HEADER_BYTES], sealed[low:high], first=first, of_chunks=chunk_count(size)
    )  # fmt: skip
    assert opened[start - first * CHUNK_BYTES :][: end - start] == plain(size)[start:end]


@settings(max_examples=60, deadline=None)
@given(place=some.integers(0), bit=some.integers(0, 7), size=some.sampled_from([0, 1, 5_000, CHUNK_BYTES + 5]))
def test_one_bit_is_enough_to_close_it(place: int, bit: int, size: int) -> None:
    sealed = bytearray(seal_blob(KEY, "n", plain(size)))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(BlobBrokenError):
        opened(bytes(sealed))


@settings(max_examples=60, deadline=None)
@given(size=some.sampled_from([0, 1, 5_000, CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 9]), cut=some.integers(1))
@example(size=2 * CHUNK_BYTES, cut=SEALED_CHUNK)
@example(size=2 * CHUNK_BYTES + 9, cut=9 + 16)
def test_what_was_cut_off_does_not_open(size: int, cut: int) -> None:
    sealed = seal_blob(KEY, "n", plain(size))
    with pytest.raises(BlobBrokenError):
        opened(sealed[: -(cut % (len(sealed) - HEADER_BYTES) or 1)])


def test_what_was_put_behind_does_not_open() -> None:
    sealed = seal_blob(KEY, "n", plain(CHUNK_BYTES))
    for more in (b"x", bytes(16), bytes(SEALED_CHUNK), sealed[HEADER_BYTES:]):
        with pytest.raises(BlobBrokenError):
            opened(sealed + more)


def chunks_of(sealed: bytes) -> list[bytes]:
    return [sealed[place : place + SEALED_CHUNK] for place in range(HEADER_BYTES, len(sealed), SEALED_CHUNK)]


def test_chunks_that_were_moved_repeated_or_swapped_do_not_open() -> None:
    sealed = seal_blob(KEY, "n", plain(3 * CHUNK_BYTES))
    header, (first, second, third) = sealed[:HEADER_BYTES], chunks_of(sealed)
    assert opened(header + first + second + third)
    for order in (
        (second, first, third),
        (first, first, third),
        (first, third, second),
        (first, second),
        (second, third),
        (first, second, second),
    ):
        with pytest.raises(BlobBrokenError):
            opened(header + b"".join(order))


def test_a_chunk_of_another_blob_does_not_open_even_under_the_same_key() -> None:
    mine, other = (seal_blob(KEY, name, plain(2 * CHUNK_BYTES)) for name in ("n", "m"))
    for header, first in ((mine, other), (other, mine)):
        with pytest.raises(BlobBrokenError):
            opened(header[:HEADER_BYTES] + chunks_of(first)[0] + chunks_of(header)[1])
    for wrong in ({"key": OTHER_KEY}, {"name": "m"}):
        with pytest.raises(BlobBrokenError):
            opened(mine, **wrong)


def test_the_same_sound_never_looks_the_same_twice() -> None:
    first, second = (seal_blob(KEY, "n", plain(5_000)) for _ in range(2))
    assert first[1:HEADER_BYTES] != second[1:HEADER_BYTES]
    assert first[HEADER_BYTES:] != second[HEADER_BYTES:]


@pytest.mark.parametrize("size", [*range(HEADER_BYTES + 16), HEADER_BYTES + SEALED_CHUNK + 15])
def test_a_size_that_no_blob_has_is_refused(size: int) -> None:
    with pytest.raises(BlobBrokenError):
        plain_size(size)
