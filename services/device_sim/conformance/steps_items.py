"""Steps about what comes to the child: texts, unknown kinds, clips, what is removed, a watch without room."""

from __future__ import annotations

from services.device_sim.conformance.bench import WatchBench, amr_clip, room_chunk_bytes
from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.conformance.hands import Hand, Look, Press
from services.device_sim.conformance.steps import Step, StepSkippedError
from services.protocol import limits


async def _answer(
    bench: WatchBench, ref: str, state: str, *, after: int, within_s: float | None = None
) -> Frame | None:
    return await bench.next("receipt", after=after, ref=ref, state=state, within_s=within_s)


async def text_delivered_and_played(bench: WatchBench, hand: Hand) -> None:
    """Announce a text: `delivered` at once, `played` only when it is read; hold the answer to see it repeated."""
    verdicts, mark = bench.verdicts, bench.mark()
    bench.announce_text("n1", "once only")
    delivered = await _answer(bench, "n1", "delivered", after=mark)
    if not verdicts.check("N1", delivered is not None, came="nothing", expected="delivered of n1"):
        raise StepSkippedError("no delivered")
    await bench.listen()
    early = [frame for frame in bench.seen("receipt", after=mark, ref="n1") if frame.fields.get("state") == "played"]
    verdicts.check("N2", not early, came="played at once", expected="played when it is read",
                   frame=early[0].shown() if early else "")  # fmt: skip
    mark = bench.mark()
    with bench.holding("receipt"):
        await hand.press(Press.READ)
        played = await _answer(bench, "n1", "played", after=mark, within_s=bench.pace.patience_s)
        if played is None:
            raise StepSkippedError("no played")
        verdicts.held("N2")
        place = bench.mark()
        again = await _answer(
            bench, "n1", "played", after=place, within_s=bench.contract_s(limits.RECEIPT_TIMEOUT_S) * 1.6 + 5
        )
        verdicts.check("A1", again is not None, came="nothing", expected="`played` again until it is answered",
                       frame=played.shown())  # fmt: skip
    bench.receipt("n1", "stored", state="played")


async def announced_again(bench: WatchBench, hand: Hand) -> None:
    """Announce the same text again, as a backend does that lost the answer."""
    mark = bench.mark()
    bench.announce_text("n1", "once only")
    delivered = await _answer(bench, "n1", "delivered", after=mark)
    bench.verdicts.check("N5", delivered is not None, came="nothing", expected="delivered of n1 again")
    shown = await hand.look(Look.SHOWN_ONCE)
    if shown is not None:
        bench.verdicts.check("N5", shown, came="it stands there more than once", expected="once")


async def unknown_things(bench: WatchBench, _hand: Hand) -> None:
    """Send an emoji, fields, words and kinds that the watch cannot know, and payloads that nobody can read."""
    verdicts, mark = bench.verdicts, bench.mark()
    seq = bench.next_seq
    bench.say("item/n2", {"seq": seq(), "kind": "emoji", "from": "g-1", "tst": bench.server_tst, "emoji": "heart"})
    emoji = await _answer(bench, "n2", "delivered", after=mark)
    verdicts.check("N1", emoji is not None, came="nothing", expected="delivered of an emoji")
    bench.say("item/n3", {"seq": seq(), "kind": "text", "from": "g-1", "tst": bench.server_tst, "text": "new fields",
                          "colour": "green", "lines": [1, {"a": None}], "part": None})  # fmt: skip
    fields = await _answer(bench, "n3", "delivered", after=mark)
    verdicts.check("P3", fields is not None, came="nothing", expected="delivered of a text with unknown fields")
    bench.say("item/n4", {"seq": seq(), "kind": "hologram", "from": "g-1", "tst": bench.server_tst, "depth": 3})
    refused = await bench.next("receipt", after=mark, ref="n4")
    verdicts.check(
        "N7", refused is not None and refused.fields.get("state") == "rejected"
        and refused.fields.get("detail") == "unsupported_kind",
        came="nothing" if refused is None else refused.shown(), expected="rejected, unsupported_kind",
    )  # fmt: skip
    bench.say("item/n5", {"seq": seq(), "kind": "emoji", "from": "g-1", "tst": bench.server_tst, "emoji": "octopus"})
    word = await bench.next("receipt", after=mark, ref="n5")
    verdicts.check("P4", word is not None, came="nothing", expected="an answer to an unknown emoji")
    room = int(bench.hello.get("max_payload_bytes", limits.MAX_PAYLOAD_DEFAULT_BYTES))
    for payload in (
        b"not json",
        b"[]",
        b'{"seq":',
        b"\xff\xfe",
        b'{"seq":1,"kind":"text","text":"' + b"x" * room + b'"}',
    ):
        bench.endpoint.send(bench.user, "item/n6", payload)
    bench.endpoint.send(bench.user, "hologram", b"{}")
    mark = bench.mark()
    bench.announce_text("n7", "after the noise")
    after = await _answer(bench, "n7", "delivered", after=mark)
    lost = [frame for frame in bench.trace[mark:] if frame.kind is FrameKind.LOST]
    verdicts.check(
        "P7", after is not None and not lost, came="a lost connection" if lost else "nothing",
        expected="delivered of the text after unreadable payloads",
    )  # fmt: skip


async def text_in_parts(bench: WatchBench, _hand: Hand) -> None:
    """Send the second part of a text before the first."""
    mark = bench.mark()
    bench.announce_text("n8", "second half", seq=901, part=2, parts=2)
    await bench.listen(1.0)
    early = bench.seen("receipt", after=mark, ref="n8")
    bench.announce_text("n8", "first half, ", seq=901, part=1, parts=2)
    delivered = await _answer(bench, "n8", "delivered", after=mark)
    bench.verdicts.check(
        "P6", delivered is not None and not early, came="delivered after one part" if early else "nothing",
        expected="delivered after the last part",
    )  # fmt: skip


async def clip_with_a_loss(bench: WatchBench, _hand: Hand) -> None:
    """Serve a clip in two halves with a lost connection between them, then change the manifest of another."""
    verdicts = bench.verdicts
    chunk_bytes = room_chunk_bytes(bench.hello)
    clip = amr_clip(max(3.0, 6 * chunk_bytes / 1600), chunk_bytes, seed=1)
    chunks = clip.manifest["chunks"]
    clip.withheld = set(range(2, chunks))
    mark = bench.mark()
    bench.announce_clip("v1", clip)
    fetch = await bench.next("fetch", after=mark, ref="v1")
    if not verdicts.check("N3", fetch is not None, came="nothing", expected="a fetch of v1"):
        raise StepSkippedError("no fetch")
    await bench.listen(1.0)
    clip.withheld.clear()
    mark = bench.mark()
    bench.endpoint.cut(bench.user)
    hello = await bench.next("hello", after=mark, within_s=bench.contract_s(10) + bench.pace.network_s)
    if hello is None:
        raise StepSkippedError("no reconnection")
    await bench.listen(0.5)
    unasked = bench.seen("fetch", after=mark, ref="v1")
    mark = bench.mark()
    bench.announce_clip("v1", clip)
    fetch = await bench.next("fetch", after=mark, ref="v1")
    first = None if fetch is None else fetch.fields.get("from", 0)
    verdicts.check(
        "N4", first == 2 and not unasked,  # noqa: PLR2004 - the two chunks that were served
        came="a fetch before the announcement" if unasked else f"a fetch from {first}", expected="a fetch from 2",
        frame="" if fetch is None else fetch.shown(),
    )  # fmt: skip
    delivered = await _answer(
        bench, "v1", "delivered", after=mark, within_s=bench.pace.network_s + bench.contract_s(60)
    )
    verdicts.check("N3", delivered is not None, came="nothing", expected="delivered once it is whole")


async def changed_manifest(bench: WatchBench, _hand: Hand) -> None:
    """Announce a clip, serve a part of it, then announce other bytes under the same id."""
    chunk_bytes = room_chunk_bytes(bench.hello)
    before = amr_clip(max(3.0, 4 * chunk_bytes / 1600), chunk_bytes, seed=2)
    before.withheld = set(range(1, before.manifest["chunks"]))
    mark = bench.mark()
    bench.announce_clip("v2", before)
    if await bench.next("fetch", after=mark, ref="v2") is None:
        raise StepSkippedError("no fetch")
    await bench.listen(0.5)
    mark = bench.mark()
    bench.announce_clip("v2", amr_clip(max(3.0, 4 * chunk_bytes / 1600), chunk_bytes, seed=3))
    fetch = await bench.next("fetch", after=mark, ref="v2")
    first = None if fetch is None else fetch.fields.get("from", 0)
    delivered = await _answer(
        bench, "v2", "delivered", after=mark, within_s=bench.pace.network_s + bench.contract_s(60)
    )
    bench.verdicts.check(
        "N9", first == 0 and delivered is not None, came=f"a fetch from {first}",
        expected="a fetch from 0, then delivered", frame="" if fetch is None else fetch.shown(),
    )  # fmt: skip


async def removed(bench: WatchBench, hand: Hand) -> None:
    """Take a text back."""
    mark = bench.mark()
    bench.announce_text("n9", "will be removed")
    await _answer(bench, "n9", "delivered", after=mark)
    bench.say("item/n10", {"seq": bench.next_seq(), "kind": "removed", "ref": "n9"})
    answered = await _answer(bench, "n10", "delivered", after=mark)
    shown = await hand.look(Look.REMOVED)
    bench.verdicts.check("N8", answered is not None and shown is not False,
                         came="nothing" if answered is None else "it is still shown",
                         expected="delivered, and the message is gone")  # fmt: skip


async def no_room(bench: WatchBench, hand: Hand) -> None:
    """Announce a clip to a watch that has no room."""
    await hand.press(Press.FILL_MEMORY)
    mark = bench.mark()
    bench.announce_clip("v3", amr_clip(3.0, room_chunk_bytes(bench.hello), seed=4))
    answer = await bench.next("receipt", after=mark, ref="v3")
    if answer is not None and answer.fields.get("state") == "later":
        bench.verdicts.held("N6")
    await hand.press(Press.FREE_MEMORY)
    bench.clips.pop("v3")
    bench.say("item/n11", {"seq": bench.next_seq(), "kind": "removed", "ref": "v3"})
    await bench.next("receipt", after=mark, ref="n11")


STEPS = (
    Step("A text to the child", text_delivered_and_played, lasts_s=50),
    Step("The same text announced again", announced_again),
    Step("Unknown fields, words and kinds", unknown_things),
    Step("A text in parts", text_in_parts),
    Step("A recording to the child, with a loss in between", clip_with_a_loss, lasts_s=30),
    Step("A recording that changed", changed_manifest, lasts_s=15),
    Step("A message that is taken back", removed),
    Step("A watch without room", no_room),
)
