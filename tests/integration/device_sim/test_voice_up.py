"""The child's recordings are kept whole until their receipt; only missing parts are repeated."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from services.core.platform.audio.decoding import examine
from services.device_sim.sound import SoundRefusedError, speech_wav
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.records import OutgoingState, WatchRefusedError
from services.device_sim.watch.watch import NotSentError
from services.protocol.words import Codec
from tests.integration.device_sim.scripted_backend import PATIENT, Bench, Heard
from tests.support.sounds import duration_ms

SMALL = WatchTraits(chunk_bytes=1024)


async def hears_clip(bench: Bench, user: str) -> tuple[str, list[bytes], dict[str, Any]]:
    """Return the id, the chunks and the `end` of the next recording that is sent whole."""
    end = await bench.backend.hears("end_of_voice", user)
    ref = str(end["ref"])
    return ref, [bench.backend.chunks[user, ref][number] for number in range(end["chunks"])], end.fields


async def says_missing(bench: Bench, user: str, end: Heard, *numbers: int) -> None:
    await bench.backend.says(user, "receipt", ref=end["ref"], code="missing", missing=list(numbers))


@pytest.mark.parametrize(
    ("records", "starts", "codec"), [(Codec.AMR_NB, b"#!AMR\n", "amr-nb"), (Codec.OPUS, b"OggS", "opus")]
)
async def test_a_recording_goes_up_in_chunks_and_its_end_says_what_they_make(
    bench: Bench, tmp_path: Path, records: Codec, starts: bytes, codec: str
) -> None:
    backend = bench.backend
    traits = WatchTraits(chunk_bytes=1024, records=(records,))
    async with bench.watch(tmp_path / "watch", timings=PATIENT, traits=traits) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.voice.record("family", speech_wav(3.0, seed=4))
        ref, chunks, end = await hears_clip(bench, user)
        sound = b"".join(chunks)
        assert sound.startswith(starts)
        assert [len(chunk) for chunk in chunks[:-1]] == [1024] * (len(chunks) - 1)
        assert (end["to"], end["codec"], end["bytes"], end["chunks"]) == ("family", codec, len(sound), len(chunks))
        assert end["sha256"] == hashlib.sha256(sound).hexdigest()
        assert (end["duration_ms"], abs(duration_ms(sound) - 3000) < 60) == (3000, True)
        assert examine(sound)["media"] in {"amr-nb", "ogg-opus"}  # what the backend itself finds in it
        await backend.says(user, "receipt", ref=ref, code="stored")
        assert (await watch.wait_stored(message)).wire_id == ref
        # The same words of the same seed are the same bytes, and free their room once they are stored.
        again = watch.voice.record("family", seconds=3.0, seed=4)
        assert watch.sent()[1].number == again.number
        assert b"".join((await hears_clip(bench, user))[1]) == sound


async def test_only_what_is_missing_is_said_again(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.voice.record("family", seconds=3.0)
        end = await backend.hears("end_of_voice", user)
        assert end["chunks"] == 5
        sound = dict(backend.chunks[user, end["ref"]])
        backend.chunks.clear()
        await says_missing(bench, user, end, 3, 1, 99)
        assert (await backend.hears("end_of_voice", user)).fields == end.fields
        assert backend.chunks[user, end["ref"]] == {number: sound[number] for number in (1, 3)}
        # All of them: the hash did not fit.
        backend.chunks.clear()
        await says_missing(bench, user, end, *range(5))
        await backend.hears("end_of_voice", user)
        assert backend.chunks[user, end["ref"]] == sound
        await backend.says(user, "receipt", ref=end["ref"], code="duplicate")
        await watch.wait_stored(message)
    assert backend.count("end_of_voice") == 3


async def test_the_same_missing_again_and_again_is_not_answered_faster_than_the_page_repeats(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        watch.voice.record("family", seconds=1.0)
        for _ in range(3):
            await says_missing(bench, user, await backend.hears("end_of_voice", user), 0)
        await watch.wait_for("chunks_missing")
        await watch.wait_for("chunks_missing")
        await watch.wait_for("chunks_missing")
        after = watch.write("family", "after")
        await backend.stores(user, "after")
        await watch.wait_stored(after)
    assert backend.count("end_of_voice") == 3


async def test_after_a_reconnect_and_a_restart_the_end_alone_asks_what_is_missing(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        watch.voice.record("family", seconds=3.0)
        first = await backend.hears("end_of_voice", user)
        sound = dict(backend.chunks[user, first["ref"]])
        backend.chunks.clear()
        await watch.go_offline()
        await watch.go_online()
        await backend.greets(user)
        assert (await backend.hears("end_of_voice", user)).fields == first.fields
        assert not backend.chunks
    async with bench.watch(tmp_path, timings=PATIENT, traits=WatchTraits(chunk_bytes=512)) as watch:
        await backend.greets(user)
        end = await backend.hears("end_of_voice", user)
        await says_missing(bench, user, end, 4)
        await backend.hears("end_of_voice", user)
        # Cut as they were when the end was made, whatever the watch does with new ones.
        assert backend.chunks[user, end["ref"]] == {4: sound[4]}
        await backend.says(user, "receipt", ref=end["ref"], code="stored")
        await watch.wait_settled()
        assert watch.sent()[0].state is OutgoingState.STORED


async def test_an_end_without_receipt_is_repeated_and_its_chunks_are_not(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        watch.voice.record("family", seconds=1.0)
        ends = [await backend.hears("end_of_voice", user) for _ in range(3)]
        assert ends[0].fields == ends[1].fields == ends[2].fields
        assert backend.count("chunk_of_voice") == ends[0]["chunks"]
        await backend.says(user, "receipt", ref=ends[0]["ref"], code="retry", retry_after_s=0)
        await backend.hears("end_of_voice", user)
        assert backend.count("chunk_of_voice") == ends[0]["chunks"]


async def test_an_id_conflict_sends_every_chunk_and_the_end_under_a_fresh_id(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.voice.record("family", seconds=2.0)
        first = await backend.hears("end_of_voice", user)
        await backend.says(user, "receipt", ref=first["ref"], code="rejected", detail="id_conflict")
        second = await backend.hears("end_of_voice", user)
        assert second["ref"] != first["ref"]
        assert {**second.fields, "ref": ""} == {**first.fields, "ref": ""}
        assert backend.chunks[user, second["ref"]] == backend.chunks[user, first["ref"]]
        await backend.says(user, "receipt", ref=second["ref"], code="stored")
        assert (await watch.wait_stored(message)).wire_id == second["ref"]


async def test_a_modem_that_carries_text_only_sends_base64_and_says_so(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=WatchTraits(chunk_bytes=1024, binary=False)) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        assert [heard["binary"] for heard in backend.heard if heard.level == "hello"] == [False]
        watch.voice.record("family", seconds=2.0)
        _, chunks, end = await hears_clip(bench, user)
        sound = b"".join(base64.b64decode(chunk, validate=True) for chunk in chunks)
        assert (hashlib.sha256(sound).hexdigest(), len(sound)) == (end["sha256"], end["bytes"])


async def test_other_words_do_not_wait_for_a_long_recording(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=WatchTraits(chunk_bytes=512)) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        watch.voice.record("family", seconds=20.0)
        watch.write("family", "in between")
        await backend.stores(user, "in between")
        assert backend.count("end_of_voice") == 0
        assert (await backend.hears("end_of_voice", user))["chunks"] == 63


async def test_a_rejected_recording_is_shown_as_not_sent_and_frees_its_room(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=WatchTraits(sound_room_bytes=5_000)) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.voice.record("family", seconds=3.0)
        with pytest.raises(SoundRefusedError, match="no room"):
            watch.voice.record("family", seconds=3.0)
        end = await backend.hears("end_of_voice", user)
        await backend.says(user, "receipt", ref=end["ref"], code="rejected", detail="recipient_removed")
        with pytest.raises(NotSentError, match="recipient_removed"):
            await watch.wait_stored(message)
        watch.voice.record("family", seconds=3.0)


async def test_the_watch_refuses_to_record_what_is_no_sound(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path / "watch") as watch:
        with pytest.raises(WatchRefusedError, match="not paired"):
            watch.voice.record("family")
        await backend.pairs(watch, bench.watch_port)
        with pytest.raises(WatchRefusedError, match="no contact"):
            watch.voice.record("Mama")
        for sound in (b"", b"RIFF but not more", speech_wav(0, seed=1), speech_wav(60.5, seed=1), tmp_path / "none"):
            with pytest.raises(SoundRefusedError):
                watch.voice.record("family", sound)
        assert watch.sent() == []
