"""Steps about contacts, settings, places, commands and calls for help."""

from __future__ import annotations

from typing import Any

from services.device_sim.conformance.bench import WatchBench
from services.device_sim.conformance.frames import Frame
from services.device_sim.conformance.hands import Hand, Look, Press
from services.device_sim.conformance.steps import Step, StepSkippedError
from services.protocol import limits

_ALL_DAY = [{"days": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "to": "23:59"}]


async def _acked(bench: WatchBench, name: str, version: int, after: int) -> Frame | None:
    return await bench.next("ack", after=after, ref=name, version=version, state="done")


async def lists(bench: WatchBench, _hand: Hand) -> None:
    """Send other versions, higher and lower, in one part and in two, with words of a later contract."""
    verdicts, mark = bench.verdicts, bench.mark()
    bench.send_contacts(90, relation="godparent", may_sing=True)
    higher = await _acked(bench, "contacts", 90, mark)
    verdicts.check("P4", higher is not None, came="nothing", expected="an ack of contacts with an unknown relation")
    for name, number, send in (("contacts", "L1", bench.send_contacts), ("config", "L2", bench.send_config)):
        mark = bench.mark()
        send(40)
        first = await _acked(bench, name, 40, mark)
        send(7)
        lower = await _acked(bench, name, 7, mark)
        verdicts.check(
            number, first is not None and lower is not None,
            came="no ack of the lower version" if first is not None else "no ack",
            expected="acks of version 40, then of version 7",
        )  # fmt: skip
    mark = bench.mark()
    whole = {**bench.contacts, "version": 41}
    bench.say("contacts", {**whole, "part": 2, "parts": 2, "contacts": whole["contacts"][1:]})
    await bench.listen(1.0)
    early = bench.seen("ack", after=mark, ref="contacts")
    bench.say("contacts", {**whole, "part": 1, "parts": 2, "contacts": whole["contacts"][:1]})
    bench.contacts = whole
    done = await _acked(bench, "contacts", 41, mark)
    verdicts.check("P5", done is not None and not early, came="an ack after one part" if early else "no ack",
                   expected="an ack after the second part")  # fmt: skip


async def quiet_messages(bench: WatchBench, hand: Hand) -> None:
    """Set quiet times for the whole day; a message comes silently."""
    mark = bench.mark()
    bench.send_config(50, quiet=_ALL_DAY)
    if await _acked(bench, "config", 50, mark) is None:
        raise StepSkippedError("no ack of the settings")
    bench.announce_text("q1", "quietly")
    await bench.next("receipt", after=mark, ref="q1", state="delivered")
    silent = await hand.look(Look.SILENT)
    if silent is not None:
        bench.verdicts.check("L5", silent, came="a sound", expected="silence in quiet times")


async def call_in_quiet_times(bench: WatchBench, hand: Hand) -> None:
    """Press SOS in quiet times and answer nothing: after a minute the watch shows whom to call."""
    verdicts, mark = bench.verdicts, bench.mark()
    await hand.press(Press.SOS)
    alert = await bench.next("alert", after=mark, within_s=bench.pace.patience_s)
    if alert is None:
        raise StepSkippedError("no alert came")
    sos = alert.fields.get("kind") == "sos" and "id" in alert.fields
    verdicts.check("S1", sos, came=alert.shown(), expected="kind sos and an id", frame=alert.shown())
    await bench.listen(bench.contract_s(limits.ALERT_ANSWER_TIMEOUT_S) + 1.0)
    shown = await hand.look(Look.WHOM_TO_CALL)
    if shown is not None:
        verdicts.check("S2", shown, came="nothing was shown", expected="whom the child can call", frame=alert.shown())


async def call_answered(bench: WatchBench, hand: Hand) -> None:
    """Press SOS; tell the watch what becomes of the call."""
    mark = bench.mark()
    await hand.press(Press.SOS)
    alert = await bench.next("alert", after=mark, within_s=bench.pace.patience_s)
    if alert is None or not bench.hello.get("alert_states"):
        raise StepSkippedError("no alert, or a watch without alert_states")
    ref = alert.fields.get("id")
    for answer in ({"state": "calling"}, {"state": "seen", "seen_by": "g-1"}, {"state": "unanswered"}):
        bench.say("alert", {"ref": ref, "tst": bench.server_tst, **answer})
        await bench.listen(min(bench.pace.quiet_s, 2.0))
    shown = await hand.look(Look.CALL_STATES)
    if shown is not None:
        bench.verdicts.check("S3", shown, came="not all of it", expected="calling, seen, whom to call",
                             frame=alert.shown())  # fmt: skip
    bench.say("alert", {"ref": ref, "tst": bench.server_tst - 600, "state": "seen", "seen_by": "g-1"})
    await bench.listen(min(bench.pace.quiet_s, 2.0))
    old = await hand.look(Look.OLD_SEEN)
    if old is not None:
        bench.verdicts.check("S4", old, came="shown as news", expected="with its time, silently", frame=alert.shown())


async def _commanded(bench: WatchBench, wire_id: str, kind: str, **fields: Any) -> Frame | None:  # noqa: ANN401
    mark = bench.mark()
    bench.say("command", {"id": wire_id, "kind": kind, "by": "g-1", "ttl_s": 90,
                          "expires_tst": bench.server_tst + 90, **fields})  # fmt: skip
    return await bench.next("ack", after=mark, ref=wire_id)


def _state(ack: Frame | None) -> str:
    return "nothing" if ack is None else str(ack.fields.get("state"))


async def commands(bench: WatchBench, hand: Hand) -> None:
    """Ring twice under one id, ring too late, and ask for what no watch may do."""
    verdicts = bench.verdicts
    ring = await _commanded(bench, "c1", "ring")
    verdicts.check("L6", _state(ring) in {"done", "taken"}, came=_state(ring), expected="an ack of ring")
    again = await _commanded(bench, "c1", "ring")
    rang_once = await hand.look(Look.RANG_ONCE)
    verdicts.check(
        "L8", again is not None and rang_once is not False,
        came="it rang again" if again is not None else "nothing", expected="the same ack, without ringing again",
    )  # fmt: skip
    late = await _commanded(bench, "c2", "ring", expires_tst=bench.server_tst - 30)
    verdicts.check("L7", _state(late) == "expired", came=_state(late), expected="expired")
    verdicts.check("T3", _state(late) == "expired", came=_state(late), expected="expired, on server time")
    for number, kind in enumerate(("listen", "camera", "hologram")):
        refused = await _commanded(bench, f"c3{number}", kind)
        unsupported = refused is not None and refused.fields.get("detail") == "unsupported"
        verdicts.check("L9", _state(refused) == "failed" and unsupported,
                       came=f"{kind}: {'nothing' if refused is None else refused.shown()}",
                       expected="failed, unsupported")  # fmt: skip


async def places(bench: WatchBench, hand: Hand) -> None:
    """Turn location on, off, and see what the watch takes."""
    verdicts, mark = bench.verdicts, bench.mark()
    bench.send_config(60, location=True)
    if await _acked(bench, "config", 60, mark) is None:
        raise StepSkippedError("no ack of the settings")
    await hand.press(Press.FIX)
    fix = await bench.next("location", after=mark, within_s=bench.pace.patience_s)
    located = await _commanded(bench, "c5", "locate")
    reply = await bench.next("location", after=mark, reply_to="c5", within_s=2.0)
    verdicts.check("L6", located is not None or reply is not None, came="nothing", expected="an answer to locate")
    mark = bench.mark()
    bench.send_config(61, location=False)
    if await _acked(bench, "config", 61, mark) is None or fix is None:
        raise StepSkippedError("no fix to compare with")
    await bench.listen(0.5)
    mark = bench.mark()
    await hand.press(Press.FIX)
    await _commanded(bench, "c6", "locate")
    await bench.listen(min(15.0, bench.pace.patience_s / 12) + 1.0)
    taken = bench.seen("location", after=mark)
    verdicts.check("L4", not taken, came="a location", expected="none while location is off",
                   frame=taken[0].shown() if taken else "")  # fmt: skip


async def usage(bench: WatchBench, hand: Hand) -> None:
    """Take a report of the usage counters; the rules of every frame judge it."""
    mark = bench.mark()
    await hand.press(Press.USAGE)
    await bench.next("usage", after=mark, within_s=bench.pace.patience_s / 3)


STEPS = (
    Step("Contacts and settings", lists),
    Step("A message in quiet times", quiet_messages),
    Step("SOS in quiet times, nobody answers", call_in_quiet_times, lasts_s=65),
    Step("SOS, and what becomes of it", call_answered),
    Step("Commands", commands),
    Step("Places on and off", places, lasts_s=20),
    Step("Usage counters", usage),
)
