"""Items on the watch: stored once, shown in server order, receipted until answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.device_sim.scripted_backend import PATIENT, Bench


async def test_an_item_announced_again_is_there_once_and_receipted_again(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        for _ in range(2):
            await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="good morning")
            await backend.answers(user, "a1", "delivered")
        assert [item.text for item in watch.inbox()] == ["good morning"]
        watch.read("a1")
        await backend.answers(user, "a1", "played")
        # It forgot that it was played, or never committed it: both are said again.
        await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="good morning")
        await backend.answers(user, "a1", "delivered")
        await backend.answers(user, "a1", "played")
        await watch.wait_settled()


async def test_a_receipt_is_said_again_until_it_is_answered_over_a_restart(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="good morning")
        first = await backend.hears("receipt", user, ref="a1", state="delivered")
        again = await backend.hears("receipt", user, ref="a1", state="delivered")
        assert first.fields == again.fields
        watch.read("a1")
    backend.forget()
    async with bench.watch(tmp_path) as watch:
        await backend.greets(user)
        await backend.says(user, "receipt", ref="a1", state="delivered", code="retry", retry_after_s=0)
        await backend.answers(user, "a1", "delivered")
        await backend.says(user, "receipt", ref="a1", state="played", code="rejected", detail="unknown_ref")
        await watch.wait_settled()
        assert [item.state for item in watch.inbox()] == ["played"]


async def test_items_are_shown_in_the_order_of_their_numbers_with_holes(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        for ref, seq in (("c3", 90), ("a1", 3), ("b2", 17)):
            await backend.says(user, f"item/{ref}", seq=seq, kind="emoji", from_="g-1", emoji="heart")
            await backend.answers(user, ref, "delivered")
        assert [item.ref for item in watch.inbox()] == ["a1", "b2", "c3"]


async def test_a_text_in_parts_is_taken_when_the_last_part_is_there(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        for part, text in ((2, "morning"), (1, "good ")):
            await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text=text, part=part, parts=2)
        await backend.answers(user, "a1", "delivered")
        assert [item.text for item in watch.inbox()] == ["good morning"]
    assert backend.count("receipt") == 1


async def test_a_removed_item_is_forgotten_and_both_are_receipted(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="take this back")
        await backend.answers(user, "a1", "delivered")
        await backend.says(user, "item/b2", seq=2, kind="removed", ref="a1")
        await backend.answers(user, "b2", "delivered")
        await backend.says(user, "item/c3", seq=3, kind="removed", ref="never-came")
        await backend.answers(user, "c3", "delivered")
        await backend.says(user, "item/never-came", seq=1, kind="text", from_="g-1", text="too late")
        await backend.answers(user, "never-came", "delivered")
        assert watch.inbox() == []
        with pytest.raises(KeyError):
            watch.read("a1")


@pytest.mark.parametrize(
    ("ref", "fields", "detail"),
    [
        ("v1", {"kind": "hologram", "seq": 4, "shine": True}, "unsupported_kind"),
        (
            "v2",
            {
                "kind": "voice",
                "seq": 4,
                "from": "g-1",
                "voice": {"codec": "lyra", "bytes": 900, "chunk_bytes": 4096, "chunks": 1, "sha256": "0" * 64},
            },
            "unsupported_codec",
        ),
        ("v3", {"kind": "text", "seq": 4, "from": "g-1"}, "malformed"),
        ("v4", {"kind": "text", "seq": 4, "from": "g-1", "text": "a\u0000b"}, "text_invalid"),
        ("v5", {"kind": "text", "seq": -1, "from": "g-1", "text": "x"}, "out_of_range"),
    ],
)
async def test_what_the_watch_cannot_show_is_refused_with_a_reason_and_stops_nothing(
    bench: Bench, tmp_path: Path, ref: str, fields: dict[str, object], detail: str
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, f"item/{ref}", **fields)
        await backend.hears("receipt", user, ref=ref, state="rejected", detail=detail)
        await backend.says(user, "receipt", ref=ref, state="rejected", code="stored")
        await backend.says(user, "item/a1", seq=5, kind="text", from_="g-1", text="the next one")
        await backend.answers(user, "a1", "delivered")
        await watch.wait_settled()
        assert [item.text for item in watch.inbox()] == ["the next one"]


async def test_an_emoji_of_a_later_version_is_shown_as_its_word(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "item/a1", seq=1, kind="emoji", from_="g-1", emoji="jetpack")
        await backend.answers(user, "a1", "delivered")
        assert [item.text for item in watch.inbox()] == ["jetpack"]


async def test_a_watch_without_room_answers_later_and_takes_it_later(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        watch.has_room = False
        await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="good morning")
        await backend.answers(user, "a1", "later")
        assert watch.inbox() == []
        watch.has_room = True
        await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="good morning")
        await backend.answers(user, "a1", "delivered")
        assert len(watch.inbox()) == 1


@pytest.mark.parametrize("kind", ["listen", "call", "camera", "firmware"])
async def test_commands_this_watch_cannot_do_fail_as_unsupported(bench: Bench, tmp_path: Path, kind: str) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "command", id="c4", kind=kind, by="g-1", ttl_s=90)
        await backend.hears("ack", user, ref="c4", state="failed", detail="unsupported")
        late = backend.server_tst - 10
        await backend.says(user, "command", id="c5", kind=kind, by="g-1", expires_tst=late)
        await backend.hears("ack", user, ref="c5", state="expired")


@pytest.mark.parametrize(
    ("level", "payload"),
    [
        ("time", b"\xff\xfe"),
        ("time", b'{"tst":"now"}'),
        ("contacts", b'{"version":1,"contacts":[{"id":"g-1"}]}'),
        ("contacts", b"[" * 5000),
        ("receipt", b'{"code":"stored","ref":7}'),
        ("item", b'{"seq":1}'),
        ("item/a1/0", b"sound of something never asked for"),
        ("hologram", b"{}"),
        ("state", b'{"ref":"x"}'),
    ],
)
async def test_frames_that_cannot_be_read_disturb_nothing(
    bench: Bench, tmp_path: Path, level: str, payload: bytes
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says_raw(user, level, payload)
        await watch.wait_for("frame_ignored")
        await backend.says(user, "item/a2", seq=5, kind="text", from_="g-1", text="the next one")
        await backend.answers(user, "a2", "delivered")
        assert watch.is_online
        assert backend.count("hello") == 1
