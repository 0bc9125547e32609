"""Steps against a backend: recordings, items to the child, places, calls for help."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import Any

from services.device_sim.conformance.backend_bench import SILENCE_S, BackendBench, BackendStep, fresh_id
from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.conformance.parent_hands import ParentPress
from services.device_sim.conformance.steps import StepSkippedError
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.protocol.words import Codec

_CHUNK_BYTES = 2048
_ANNOUNCED_WITHIN_S = 20.0


async def recordings(bench: BackendBench) -> None:
    """Send a recording with a chunk missing, then with a wrong one, then as it is."""
    watch, sound = bench.watch, record_clip(speech(3, seed=3), Codec.AMR_NB).sound
    ref, chunks = fresh_id(), [sound[at : at + _CHUNK_BYTES] for at in range(0, len(sound), _CHUNK_BYTES)]
    end = {"to": "family", "codec": "amr-nb", "bytes": len(sound), "chunks": len(chunks),
           "sha256": hashlib.sha256(sound).hexdigest().upper(), "duration_ms": 3000.0, "tst": 0}  # fmt: skip
    for number, chunk in enumerate(chunks[:-1]):
        await watch.say(f"voice/{ref}/{number}", chunk)
    await bench.expect("V9", f"voice/{ref}/end", end, ref, "missing", missing=[len(chunks) - 1])
    await watch.say(f"voice/{ref}/{len(chunks) - 1}", bytes(len(chunks[-1])))
    everything = list(range(len(chunks)))
    await bench.expect("V9", f"voice/{ref}/end", end, ref, "missing", missing=everything)
    for number in everything:
        await watch.say(f"voice/{ref}/{number}", chunks[number])
    await bench.expect("P11", f"voice/{ref}/end", end, ref, "stored")
    bench.verdicts.held("A2")
    await bench.expect("R12", f"voice/{ref}/end", end, ref, "duplicate")
    await bench.expect("R13", f"voice/{ref}/end", {**end, "sha256": "0" * 64}, ref, "rejected", detail="id_conflict")


async def items(bench: BackendBench) -> None:
    """Let the parent write twice: one item at a time, in order, again at each hello, until it is answered."""
    watch, check = bench.watch, bench.verdicts.check
    place = watch.mark()
    await bench.parent.press(ParentPress.WRITE_TWO)
    first = await _item(bench, place, bench.patience_s)
    if first is None:
        raise StepSkippedError("no item was announced")
    await asyncio.sleep(SILENCE_S)
    others = [frame for frame in watch.came("item/*", after=place) if frame.level != first.level]
    check("N12", not others, came=others[0].shown() if others else "", expected="one outstanding item")
    place = await bench.again()
    second = await _item(bench, place)
    check("N12", second is not None and second.level == first.level, came="nothing" if second is None else
          second.shown(), expected=f"{first.level} again at the hello")  # fmt: skip
    ref = first.level.split("/")[1]
    receipt = {"ref": ref, "state": "delivered", "tst": int(time.time())}
    place = await watch.say("receipt", receipt)
    answer = await bench.receipt(place, ref, state="delivered")
    check("A3", answer is not None, came="nothing", expected="a receipt that repeats `delivered`")
    following = await _item(bench, place)
    rises = following is not None and following.fields["seq"] > first.fields["seq"]
    check("N12", rises, came="nothing" if following is None else following.shown(), expected="the next item")
    if following is not None:
        await _deliver(bench, following.level.split("/")[1])


async def _item(bench: BackendBench, place: int, within_s: float = _ANNOUNCED_WITHIN_S) -> Frame | None:
    return await bench.watch.find(
        lambda frame: frame.kind is FrameKind.SENT and frame.level.startswith("item/") and "kind" in frame.fields,
        after=place, within_s=within_s,
    )  # fmt: skip


async def _deliver(bench: BackendBench, ref: str) -> None:
    place = await bench.watch.say("receipt", {"ref": ref, "state": "delivered"})
    await bench.receipt(place, ref, state="delivered")


async def clips(bench: BackendBench) -> None:
    """Let the parent speak; fetch window by window, beyond the end, and what does not exist."""
    watch, check, place = bench.watch, bench.verdicts.check, bench.watch.mark()
    await bench.parent.press(ParentPress.SPEAK)
    item = await _item(bench, place, bench.patience_s)
    if item is None or "voice" not in item.fields:
        raise StepSkippedError("no recording was announced")
    ref, voice = item.level.split("/")[1], item.fields["voice"]
    place = await watch.say("fetch", {"ref": ref, "from": 0, "count": voice["chunks"]})
    last = await watch.next(f"item/{ref}/{voice['chunks'] - 1}", after=place, within_s=_ANNOUNCED_WITHIN_S)
    came = {frame.level: frame.payload for frame in watch.came(f"item/{ref}/*", after=place)}
    chunks = [came.get(f"item/{ref}/{number}", b"") for number in range(voice["chunks"])]
    whole = b"".join(chunks)
    sizes = all(len(chunk) == voice["chunk_bytes"] for chunk in chunks[:-1])
    check("N11", last is not None and sizes and hashlib.sha256(whole).hexdigest() == voice["sha256"].lower(),
          came=f"{len(came)} chunks of {len(whole)} bytes", expected=f"{voice['chunks']} of {voice['bytes']} bytes",
          frame=item.shown())  # fmt: skip
    await bench.expect("N13", "fetch", {"ref": ref, "from": voice["chunks"] + 5, "count": 1}, ref, "rejected",
                       detail="out_of_range")  # fmt: skip
    place = await watch.say("fetch", {"ref": "nothing0here", "from": 0, "count": 1})
    removed = await watch.find(lambda frame: frame.fields.get("kind") == "removed", after=place)
    check("N13", removed is not None, came="nothing", expected="removed")
    await _deliver(bench, ref)


async def states(bench: BackendBench) -> None:
    """Let the parent read a text: the watch hears of it, also at the next hello, until it says `seen`."""
    watch, ref = bench.watch, fresh_id()
    place = await watch.say("text", {"id": ref, "to": "family", "text": "read me", "tst": 0})
    await bench.receipt(place, ref)
    await bench.parent.press(ParentPress.READ)
    state = await watch.next("state", after=place, ref=ref, state="played", within_s=bench.patience_s)
    if state is None:
        raise StepSkippedError("no state came")
    place = await bench.again()
    again = await watch.next("state", after=place, ref=ref)
    for told in watch.came("state", after=0, ref=ref):
        place = await watch.say("receipt", {"ref": ref, "state": "seen", "of": told.fields["state"]})
        await bench.receipt(place, ref, state="seen")
    place = await bench.again()
    await watch.next("time", after=place)
    await asyncio.sleep(SILENCE_S)
    more = watch.came("state", after=place, ref=ref)
    bench.verdicts.check(
        "N14", again is not None and not more, came="nothing at the hello" if again is None else "again after `seen`",
        expected="the state at each hello until `seen`", frame=state.shown(),
    )  # fmt: skip


def _fix(now: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - values of JSON
    return {"_type": "location", "lat": 23.02, "lon": 113.75, "acc": 18, "tst": now, "source": "gps", **more}


async def places(bench: BackendBench) -> None:
    """Send fixes while location is off, then on: alone, in an array with a bad one, without an id, as a reply."""
    watch, check, now = bench.watch, bench.verdicts.check, int(time.time())
    off = fresh_id()
    await bench.expect("L14", "location", _fix(now, id=off), off, "rejected", detail="location_off")
    place = watch.mark()
    await bench.parent.press(ParentPress.LOCATION_ON)
    config = await watch.next("config", after=place, location=True, within_s=bench.patience_s)
    if config is None:
        raise StepSkippedError("location was not turned on")
    await watch.say("ack", {"ref": "config", "version": config.fields["version"], "state": "done"})
    good, bad = fresh_id(), fresh_id()
    receipt = await bench.expect("A2", "location", [_fix(now, id=good), _fix(now - 60, id=bad, lat=91)], good, "stored")
    rejected = [] if receipt is None else receipt.fields.get("rejected", [])
    check("P16", [entry.get("ref") for entry in rejected] == [bad], came=str(rejected), expected=f"{bad} in rejected")
    place = await watch.say("location", _fix(now - 120))
    await watch.say("location", {"_type": "lwt", "tst": now})
    await bench.silence("A5", "receipt", place, "a location without an id, and lwt")
    place = watch.mark()
    await bench.parent.press(ParentPress.LOCATE)
    command = await watch.next("command", after=place, kind="locate", within_s=bench.patience_s)
    if command is None:
        raise StepSkippedError("no command came")
    reply = fresh_id()
    await bench.expect(
        "L13", "location", _fix(int(time.time()), id=reply, reply_to=command.fields["id"]), reply, "stored"
    )
    place = watch.mark()
    await bench.parent.press(ParentPress.LOCATION_OFF)
    config = await watch.next("config", after=place, location=False, within_s=bench.patience_s)
    if config is not None:
        await watch.say("ack", {"ref": "config", "version": config.fields["version"], "state": "done"})


async def calls(bench: BackendBench) -> None:
    """Call for help in every form, and hear what becomes of it."""
    watch, check, now = bench.watch, bench.verdicts.check, int(time.time())
    sos = fresh_id()
    place = watch.mark()
    await bench.expect(
        "S5", "alert", {"id": sos, "kind": " SOS ", "tst": now * 1000, "location": "here"}, sos, "stored"
    )
    bench.verdicts.held("A2")
    calling = await watch.next("alert", after=place, ref=sos, within_s=30)
    if calling is not None:
        check("S9", calling.fields.get("state") == "calling", came=calling.shown(), expected="calling")
    await bench.parent.press(ParentPress.ACKNOWLEDGE)
    seen = await watch.next("alert", after=place, ref=sos, state="seen", within_s=bench.patience_s)
    place = await bench.again()
    again = await watch.next("alert", after=place, ref=sos)
    check("S9", seen is not None and "seen_by" in seen.fields and again is not None,
          came="no `seen`" if seen is None else "nothing at the hello",
          expected="seen with seen_by, and again at the hello")  # fmt: skip
    short = {"id": "short", "kind": "sos", "tst": now}
    await bench.expect("S6", "alert", short, "short", "stored")
    await bench.expect("S6", "alert", short, "short", "duplicate")
    await bench.expect("S6", "alert", {"kind": "sos_cancelled", "tst": now}, None, "stored")
    await bench.expect("S7", "alert", b"SOS", None, "stored")
    later = fresh_id()
    await bench.expect("S8", "alert", {"id": later, "kind": "volcano", "tst": now}, later, "retry")


async def calls_of_an_older_watch(bench: BackendBench) -> None:
    """Call for help after a hello without `alert_states`."""
    watch, sos = bench.watch, fresh_id()
    await bench.again(alert_states=None)
    place = await watch.say("alert", {"id": sos, "kind": "sos", "tst": int(time.time())})
    await bench.receipt(place, sos)
    await asyncio.sleep(SILENCE_S)
    early = watch.came("alert", after=place, ref=sos)
    await bench.parent.press(ParentPress.ACKNOWLEDGE)
    seen = await watch.next("alert", after=place, ref=sos, within_s=bench.patience_s)
    fits = not early and seen is not None and "seen_by" in seen.fields and "state" not in seen.fields
    bench.verdicts.check("S10", fits, came=early[0].shown() if early else "nothing" if seen is None else seen.shown(),
                         expected="seen_by only, when a guardian takes care")  # fmt: skip


STEPS = (
    BackendStep("Recordings", recordings),
    BackendStep("Texts to the child", items),
    BackendStep("A recording to the child", clips),
    BackendStep("What became of the child's message", states),
    BackendStep("Places", places),
    BackendStep("Calls for help", calls),
    BackendStep("Calls of an older watch", calls_of_an_older_watch),
)
