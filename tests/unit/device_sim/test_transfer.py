"""Which chunks are asked for next, and how a download goes on."""

from __future__ import annotations

import pytest

from services.device_sim.console.console import CommandError, seconds, voice_shown
from services.device_sim.parent.http import Download
from services.device_sim.watch.records import Transfer
from services.protocol.downlink import ItemVoice, VoiceManifest


def transfer(*numbers: int) -> Transfer:
    """Return a clip of 5 chunks, the last of 100 bytes, with some of them here."""
    manifest = VoiceManifest(codec="amr-nb", bytes=4 * 1024 + 100, chunk_bytes=1024, chunks=5, sha256="0" * 64)
    return Transfer("v1", ItemVoice(seq=1, sender="g-1", voice=manifest), frozenset(numbers))


@pytest.mark.parametrize(
    ("numbers", "window", "missing"),
    [
        ((), 4, [0, 1, 2, 3]),
        ((), 9, [0, 1, 2, 3, 4]),
        ((0, 1), 2, [2, 3]),
        ((0, 2, 4), 4, [1]),
        ((0, 1, 2), 4, [3, 4]),
        ((0, 1, 2, 3, 4), 4, []),
    ],
)
def test_the_first_run_that_is_missing_is_asked_for(numbers: tuple[int, ...], window: int, missing: list[int]) -> None:
    assert list(transfer(*numbers).next_missing(window)) == missing
    assert transfer(*numbers).is_whole is not bool(missing)


def test_every_chunk_has_its_size_and_others_have_none() -> None:
    assert [transfer().size_of(number) for number in (-1, 0, 3, 4, 5)] == [0, 1024, 1024, 100, 0]


def test_a_download_asks_for_the_rest_of_the_same_version_only() -> None:
    read = Download()
    assert read.headers() == {}
    read.begin(200, '"one"')
    read.content += b"begin"
    assert read.headers() == {"Range": "bytes=5-", "If-Range": '"one"'}
    read.begin(206, '"one"')
    read.content += b"ning"
    assert bytes(read.content) == b"beginning"
    # Another version is there by now, and comes from its start.
    read.begin(200, '"two"')
    assert (bytes(read.content), read.headers()) == (b"", {})
    read.content += b"x"
    assert read.headers() == {"Range": "bytes=1-", "If-Range": '"two"'}


@pytest.mark.parametrize(
    ("voice", "line"),
    [
        (voice_shown(4400, [0, 12, 13, 50, 99, 100]), "[voice 4.4 s ▁▁▂▄██]"),
        (voice_shown(61_000), "[voice 61.0 s]"),
        (voice_shown(None, None, "gone"), "[voice gone]"),
        (voice_shown(900, [], "\x1b[2Jpending"), "[voice 0.9 s \ufffd[2Jpending]"),
    ],
)
def test_a_voice_message_is_shown_by_its_length_and_its_heights(voice: str, line: str) -> None:
    assert voice == line


def test_a_length_of_time_is_a_number_within_its_range_or_no_length_at_all() -> None:
    assert (seconds("2.5", 60), seconds("60", 60), seconds("night.wav", 60)) == (2.5, 60.0, None)
    for word in ("0", "-1", "60.1", "nan", "inf"):
        with pytest.raises(CommandError):
            seconds(word, 60)
