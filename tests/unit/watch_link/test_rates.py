"""How fast a watch may talk: counted for each user name, and a clip that lost a chunk says so at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.core.platform.limits.rules import Limit, Limits
from services.protocol import limits
from services.protocol.topics import Identity, Uplink, UplinkKind, User
from services.watch_link.rates import Rates

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINE, THEIRS = User(Identity.PAIRED, "7k3q2v2m4x5d"), User(Identity.PAIRED, "3k3q2v2m4x5d")
CLIP = "k3m9q2x7d5fa"


def _rates() -> Rates:
    return Rates(Limit(2, 1, timedelta(seconds=10), "watch", "messages"))


def _wait_s(rates: Rates, user: User, uplink: Uplink | None, now: datetime, size_bytes: int = 100) -> int | None:
    return rates.wait_s(user, uplink, size_bytes, now)


def _text(user: User = MINE) -> Uplink:
    return Uplink(user, UplinkKind.TEXT)


def test_beyond_the_burst_a_watch_is_told_when_to_come_again_and_others_are_heard() -> None:
    rates = _rates()
    assert [_wait_s(rates, MINE, _text(), NOW) for _ in range(3)] == [None, None, 10]
    assert _wait_s(rates, THEIRS, _text(THEIRS), NOW) is None
    assert _wait_s(rates, MINE, _text(), NOW + timedelta(seconds=10)) is None


def test_what_has_no_kind_that_we_know_counts_like_the_rest() -> None:
    rates = _rates()
    assert [_wait_s(rates, MINE, None, NOW) for _ in range(3)] == [None, None, 10]


def test_the_end_of_a_clip_whose_chunk_was_let_go_is_put_off_once_even_when_there_is_room_again() -> None:
    rates = _rates()
    chunk, end = Uplink(MINE, UplinkKind.VOICE_CHUNK, CLIP, 0), Uplink(MINE, UplinkKind.VOICE_END, CLIP)
    assert [_wait_s(rates, MINE, chunk, NOW) for _ in range(3)] == [None, None, 10]
    later = NOW + timedelta(minutes=1)
    assert _wait_s(rates, MINE, end, later) == 1
    # The second one is heard, and answered with the chunks that are missing.
    assert _wait_s(rates, MINE, end, later) is None


def test_a_clip_that_was_whole_ends_as_always() -> None:
    rates = _rates()
    assert _wait_s(rates, MINE, Uplink(MINE, UplinkKind.VOICE_CHUNK, CLIP, 0), NOW) is None
    assert _wait_s(rates, MINE, Uplink(MINE, UplinkKind.VOICE_END, CLIP), NOW) is None


def test_firmware_makers_are_told_the_limit_that_is_kept() -> None:
    kept = Limits.MESSAGES_OF_WATCH.value
    assert (Limits.BYTES_OF_WATCH.value.burst, Limits.BYTES_OF_WATCH.value.refill) == (
        limits.BYTES_AT_ONCE_MAX, limits.BYTES_PER_HOUR_MAX,
    )  # fmt: skip
    assert (kept.burst, kept.refill, kept.span) == (
        limits.MESSAGES_AT_ONCE_MAX, limits.MESSAGES_PER_HOUR_MAX, timedelta(hours=1),
    )  # fmt: skip
    # The largest clip in the smallest chunks fits at once.
    assert kept.burst > limits.CLIP_MAX_CHUNKS


def test_bytes_count_as_well_as_messages() -> None:
    rates = Rates(
        Limit(100, 100, timedelta(hours=1), "watch", "messages"), Limit(1000, 100, timedelta(seconds=1), "", "")
    )
    assert [_wait_s(rates, MINE, _text(), NOW, 400) for _ in range(3)] == [None, None, 2]
    assert _wait_s(rates, THEIRS, _text(THEIRS), NOW, 400) is None
    assert _wait_s(rates, MINE, _text(), NOW + timedelta(seconds=2), 400) is None


def test_a_message_larger_than_all_that_may_come_at_once_is_handled_after_a_pause() -> None:
    rates = Rates(size_bytes=Limit(1000, 1000, timedelta(seconds=1), "", ""))
    assert [_wait_s(rates, MINE, _text(), NOW, 5000) for _ in range(2)] == [None, 1]


def test_a_chunk_that_the_bridge_did_not_store_puts_the_end_of_its_clip_off() -> None:
    rates = _rates()
    rates.note_unhandled(Uplink(MINE, UplinkKind.VOICE_CHUNK, CLIP, 0))
    end = Uplink(MINE, UplinkKind.VOICE_END, CLIP)
    assert [_wait_s(rates, MINE, end, NOW) for _ in range(2)] == [1, None]
