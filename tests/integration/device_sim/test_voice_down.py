"""A clip is fetched at the watch's own pace, through losses and changes, and receipted once it is whole and on disk."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from services.device_sim.sound import Clip, SoundRefusedError
from services.device_sim.watch.body import WatchTraits
from services.protocol.words import Codec
from tests.integration.device_sim.scripted_backend import PATIENT, Bench
from tests.support.sounds import duration_ms, encoded

CLIP = encoded("amr-nb", 3.0)
CHUNKS = 5
OTHER = encoded("amr-nb", 3.0, pitch_hz=300.0)
SMALL = WatchTraits(chunk_bytes=1024, fetch_window=2)


async def test_a_clip_is_fetched_window_by_window_and_played_into_a_file(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path / "watch", timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        fetches = [await backend.serves_fetch(user, "v1", CLIP) for _ in range(3)]
        assert fetches == [(0, 2), (2, 2), (4, 1)]
        await backend.answers(user, "v1", "delivered")
        received = await watch.wait_for("received", item_kind="voice")
        assert (received["ref"], received["sender"], received["duration_ms"]) == ("v1", "g-1", 3000)
        assert watch.voice.clip("v1") == CLIP
        (item,) = watch.inbox()
        assert (item.kind, item.state, item.duration_ms) == ("voice", "delivered", 3000)
        # Announced again: here already, so it is receipted again and not fetched.
        await backend.announces_clip(user, "v1", CLIP)
        await backend.answers(user, "v1", "delivered")
        watch.voice.play("v1", tmp_path / "played.wav")
        assert abs(duration_ms((tmp_path / "played.wav").read_bytes()) - 3000) < 60
        await backend.answers(user, "v1", "played")
        watch.voice.play("v1")
        await watch.wait_settled()
    assert (backend.count("fetch"), backend.count("receipt", state="played")) == (3, 1)


async def test_a_lost_chunk_is_asked_for_again_alone(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    traits = WatchTraits(chunk_bytes=1024, fetch_window=4)
    async with bench.watch(tmp_path, traits=traits) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        assert await backend.serves_fetch(user, "v1", CLIP, leaving_out={1}) == (0, 4)
        assert await backend.serves_fetch(user, "v1", CLIP) == (1, 1)
        assert await backend.serves_fetch(user, "v1", CLIP) == (4, 1)
        await backend.answers(user, "v1", "delivered")
        assert watch.voice.clip("v1") == CLIP


async def test_after_a_reconnect_and_a_restart_it_goes_on_from_the_first_missing_chunk(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        await backend.serves_fetch(user, "v1", CLIP)
        await backend.hears("fetch", user, ref="v1")
        await watch.go_offline()
        await watch.go_online()
        await backend.greets(user)
        await backend.announces_clip(user, "v1", CLIP)
        assert await backend.serves_fetch(user, "v1", CLIP) == (2, 2)
        await backend.hears("fetch", user, ref="v1")
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        await backend.greets(user)
        await backend.announces_clip(user, "v1", CLIP)
        assert await backend.serves_fetch(user, "v1", CLIP) == (4, 1)
        await backend.answers(user, "v1", "delivered")
        assert watch.voice.clip("v1") == CLIP


@pytest.mark.parametrize(
    ("changed", "chunk_bytes"), [(OTHER, 1024), (CLIP, 1000), (CLIP, 1300)], ids=["hash", "cut", "count"]
)
async def test_another_manifest_voids_the_chunks_held(
    bench: Bench, tmp_path: Path, changed: bytes, chunk_bytes: int
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        await backend.serves_fetch(user, "v1", CLIP)
        await backend.hears("fetch", user, ref="v1")
        await backend.announces_clip(user, "v1", changed, chunk_bytes)
        await watch.wait_for("clip_broken", ref="v1", detail="another_manifest")
        begun = [await backend.serves_fetch(user, "v1", changed, chunk_bytes) for _ in range(2)]
        assert begun == [(0, 2), (2, 2)]
        if -(-len(changed) // chunk_bytes) > 4:
            await backend.serves_fetch(user, "v1", changed, chunk_bytes)
        await backend.answers(user, "v1", "delivered")
        assert watch.voice.clip("v1") == changed


async def test_a_clip_whose_hash_does_not_fit_starts_over_at_once_and_then_ever_more_slowly(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    traits = WatchTraits(chunk_bytes=1024, fetch_window=8)
    async with bench.watch(tmp_path, timings=PATIENT, traits=traits) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        for _ in range(2):
            assert await backend.serves_fetch(user, "v1", OTHER) == (0, 5)
            await watch.wait_for("clip_broken", ref="v1", detail="hash")
        assert watch.inbox() == []
        # Whatever else is said goes out, and no third fetch before it.
        watch.write("family", "meanwhile")
        await backend.stores(user, "meanwhile")
        assert backend.count("fetch") == 2
        await backend.announces_clip(user, "v1", CLIP)
        assert await backend.serves_fetch(user, "v1", CLIP) == (0, 5)
        await backend.answers(user, "v1", "delivered")
        assert watch.voice.clip("v1") == CLIP
    assert backend.count("receipt", state="delivered") == 1


async def test_chunks_that_are_not_of_the_clip_are_ignored(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        await backend.hears("fetch", user, ref="v1")
        for chunk, sound in ((0, CLIP[:1023]), (4, CLIP[-1024:]), (5, CLIP[:1024]), (1, CLIP[:4097])):
            await backend.says_raw(user, f"item/v1/{chunk}", sound)
            await watch.wait_for("frame_ignored")
        await backend.announces_clip(user, "v1", CLIP)
        assert [await backend.serves_fetch(user, "v1", CLIP) for _ in range(3)] == [(0, 2), (2, 2), (4, 1)]
        await backend.answers(user, "v1", "delivered")


async def test_a_watch_without_room_answers_later_and_makes_room_of_what_was_played(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    traits = WatchTraits(chunk_bytes=1024, fetch_window=8, sound_room_bytes=2 * len(CLIP) - 1)
    async with bench.watch(tmp_path / "watch", timings=PATIENT, traits=traits) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        watch.has_room = False
        await backend.announces_clip(user, "v1", CLIP)
        await backend.answers(user, "v1", "later")
        watch.has_room = True
        await backend.announces_clip(user, "v1", CLIP)
        await backend.serves_fetch(user, "v1", CLIP)
        await backend.answers(user, "v1", "delivered")
        await backend.announces_clip(user, "v2", OTHER)
        await backend.answers(user, "v2", "later")
        assert backend.count("fetch", ref="v2") == 0
        watch.voice.play("v1")
        await backend.answers(user, "v1", "played")
        await backend.announces_clip(user, "v2", OTHER)
        await backend.serves_fetch(user, "v2", OTHER)
        await backend.answers(user, "v2", "delivered")
        assert watch.voice.clip("v2") == OTHER
        with pytest.raises(SoundRefusedError, match="made room"):
            watch.voice.play("v1")
        assert [item.ref for item in watch.inbox()] == ["v1", "v2"]
        # The child's own recordings displace it as well, but nothing that was not heard yet.
        recording = Clip(Codec.AMR_NB, OTHER, 1000)
        with pytest.raises(SoundRefusedError, match="no room"):
            watch.voice.record("family", recording)
        watch.voice.play("v2")
        watch.voice.record("family", recording)
        assert watch.voice.clip("v2") is None


@pytest.mark.parametrize(
    ("voice", "detail"),
    [
        ({"codec": "opus"}, "unsupported_codec"),
        ({"bytes": 8193, "chunks": 9}, "clip_too_large"),
        ({"duration_ms": 10_501}, "clip_too_large"),
    ],
)
async def test_what_this_watch_cannot_play_is_refused_and_what_is_held_of_it_forgotten(
    bench: Bench, tmp_path: Path, voice: dict[str, Any], detail: str
) -> None:
    backend = bench.backend
    traits = WatchTraits(chunk_bytes=1024, fetch_window=2, plays=("amr-nb",), max_clip_bytes=8192, max_play_s=10)  # type: ignore[arg-type]
    async with bench.watch(tmp_path, timings=PATIENT, traits=traits) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        await backend.serves_fetch(user, "v1", CLIP)
        await backend.hears("fetch", user, ref="v1")
        await backend.announces_clip(user, "v1", CLIP, **voice)
        await backend.answers(user, "v1", "rejected")
        await watch.wait_for("refused_item", ref="v1", detail=detail)
        await backend.says_raw(user, "item/v1/2", CLIP[2048:3072])
        await watch.wait_for("frame_ignored", detail="unexpected")
        assert watch.inbox() == []


async def test_a_clip_that_is_removed_while_it_is_fetched_is_forgotten(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        await backend.serves_fetch(user, "v1", CLIP)
        # The answer to the next fetch says that it is gone.
        await backend.hears("fetch", user, ref="v1")
        await backend.says(user, "item/v1", seq=1, kind="removed", ref="v1")
        await watch.wait_for("removed", ref="v1")
        await backend.answers(user, "v1", "delivered")
        await backend.says_raw(user, "item/v1/2", CLIP[2048:3072])
        await watch.wait_for("frame_ignored", detail="unexpected")
        assert (watch.inbox(), watch.voice.clip("v1")) == ([], None)
        # One that was heard already is taken back too.
        await backend.announces_clip(user, "v2", CLIP)
        for _ in range(3):
            await backend.serves_fetch(user, "v2", CLIP)
        await backend.answers(user, "v2", "delivered")
        watch.voice.play("v2")
        await backend.says(user, "item/r3", seq=3, kind="removed", ref="v2")
        await backend.answers(user, "r3", "delivered")
        assert watch.voice.clip("v2") is None
        with pytest.raises(KeyError):
            watch.voice.play("v2")


async def test_a_refused_fetch_waits_for_the_next_announcement_and_a_retry_for_its_time(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        await backend.hears("fetch", user, ref="v1")
        await backend.says(user, "receipt", ref="v1", code="retry", retry_after_s=0)
        await backend.hears("fetch", user, ref="v1")
        await backend.says(user, "receipt", ref="v1", code="rejected", detail="out_of_range")
        # Text is answered after it, so the refusal has been taken.
        await backend.says(user, "item/a1", seq=2, kind="text", from_="g-1", text="good morning")
        await backend.answers(user, "a1", "delivered")
        backend.forget()
        count = backend.count("fetch")
        # Unanswered uplinks are repeated twice meanwhile; the fetch is not.
        watch.write("family", "meanwhile")
        for _ in range(3):
            await backend.hears("text", user)
        assert backend.count("fetch") == count
        await backend.announces_clip(user, "v1", CLIP)
        assert [await backend.serves_fetch(user, "v1", CLIP) for _ in range(3)] == [(0, 2), (2, 2), (4, 1)]
        assert backend.count("fetch") == count + 3


async def test_a_modem_that_carries_text_only_is_given_base64(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT, traits=WatchTraits(binary=False, fetch_window=1)) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP, 3072)
        for number in range(2):
            await backend.hears("fetch", user, ref="v1", count=1)
            chunk = CLIP[number * 3072 : (number + 1) * 3072]
            await backend.says_raw(user, f"item/v1/{number}", base64.b64encode(chunk))
        await backend.answers(user, "v1", "delivered")
        assert watch.voice.clip("v1") == CLIP


def on_disk(folder: Path, *pieces: bytes) -> set[bytes]:
    return {piece for file in folder.iterdir() for piece in pieces if piece in file.read_bytes()}


async def test_an_unpaired_watch_keeps_no_sound_anywhere_on_its_disk(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, traits=SMALL) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.announces_clip(user, "v1", CLIP)
        for _ in range(3):
            await backend.serves_fetch(user, "v1", CLIP)
        await backend.answers(user, "v1", "delivered")
        await backend.announces_clip(user, "v2", OTHER)
        await backend.serves_fetch(user, "v2", OTHER)
        await backend.hears("fetch", user, ref="v2")
        watch.voice.record("family", seconds=2.0, seed=1)
        end = await backend.hears("end_of_voice", user)
        chunk = backend.chunks[user, end["ref"]][0]
        pieces = (CLIP[1100:1200], OTHER[1100:1200], chunk[100:200])
        assert on_disk(tmp_path, *pieces) == set(pieces)
        await backend.locks_out(user)
        await backend.hears("pairing", ask="status")
        await backend.says("f-SIM00001", "pairing", unpaired=True, username=user)
        await watch.wait_for("wiped")
        assert on_disk(tmp_path, *pieces) == set()
