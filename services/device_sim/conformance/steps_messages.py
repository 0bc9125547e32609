"""Steps about what the child sends: repeats, receipts of every code, recordings."""

from __future__ import annotations

from services.device_sim.conformance.bench import WatchBench
from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.conformance.hands import Hand, Look, Press
from services.device_sim.conformance.steps import Step, StepSkippedError
from services.protocol import limits

_LATE = 1.6  # jitter of a half, and a tenth for the network
_DETOUR_S = 5.0
_RETRY_AFTER_S = 2
_AT_ONCE_S = 5.0


async def _pressed_text(bench: WatchBench, hand: Hand) -> Frame:
    mark = bench.mark()
    await hand.press(Press.TEXT)
    frame = await bench.next("text", after=mark, within_s=bench.pace.patience_s)
    if frame is None:
        raise StepSkippedError("no text came")
    return frame


async def repeats(bench: WatchBench, hand: Hand) -> None:
    """Hold the receipt of a text: it comes again in time, doubling, at once after a reconnect, until its receipt."""
    verdicts = bench.verdicts
    wait_s = bench.contract_s(limits.RECEIPT_TIMEOUT_S)
    with bench.holding("text"):
        first = await _pressed_text(bench, hand)
        ref = str(first.fields.get("id"))
        now = bench.server_tst
        tst = first.fields.get("tst", 0)
        verdicts.check(
            "T2", abs(tst - now) <= 10 + wait_s, came=f"tst {tst}", expected=f"about {now}", frame=first.shown()
        )
        second = await bench.next("text", after=_place(bench, first), id=ref, within_s=wait_s * _LATE + _DETOUR_S)
        if second is None:
            for number in ("R3", "R4"):
                verdicts.broken(number, came="nothing", expected=f"{ref} again after {wait_s:.1f} s",
                                frame=first.shown())  # fmt: skip
            raise StepSkippedError("no repeat")
        verdicts.held("R3", "R4")
        third = await bench.next("text", after=_place(bench, second), id=ref, within_s=2 * wait_s * _LATE + _DETOUR_S)
        if third is not None:
            gaps = second.at_s - first.at_s, third.at_s - second.at_s
            verdicts.check("R5", gaps[1] >= gaps[0] * 1.2, came=f"waits of {gaps[0]:.1f} s and {gaps[1]:.1f} s",
                           expected="doubling", frame=third.shown())  # fmt: skip
        await _cut_and_see(bench, ref)
    bench.receipt(ref, "stored")
    mark = bench.mark()
    await bench.listen(max(bench.pace.quiet_s, min(wait_s * 1.2, 40.0)))
    again = bench.seen("text", after=mark, id=ref)
    verdicts.check("R8", not again, came="sent again after `stored`", expected="nothing more",
                   frame=again[0].shown() if again else "")  # fmt: skip


async def _cut_and_see(bench: WatchBench, ref: str) -> None:
    verdicts, mark = bench.verdicts, bench.mark()
    began_s = bench.trace[-1].at_s
    bench.endpoint.cut(bench.user)
    lost = await bench.find(lambda frame: frame.kind is FrameKind.LOST, after=mark)
    began_s = began_s if lost is None else lost.at_s
    first_s = bench.contract_s(limits.RECONNECT_FIRST_S)
    connect = await bench.find(
        lambda frame: frame.kind is FrameKind.CONNECT, after=mark, within_s=first_s * _LATE + bench.pace.network_s
    )
    came = "no connection" if connect is None else f"a connection after {connect.at_s - began_s:.2f} s"
    verdicts.check(
        "C11", connect is not None and connect.at_s - began_s >= first_s * 0.8, came=came,
        expected=f"{first_s:.2f} s or a little more", frame="" if connect is None else connect.shown(),
    )  # fmt: skip
    hello = await bench.next("hello", after=mark)
    again = None if hello is None else await bench.next("text", after=mark, id=ref, within_s=_AT_ONCE_S)
    verdicts.check("R6", again is not None, came="nothing", expected=f"{ref} at once after the hello",
                   frame="" if hello is None else hello.shown())  # fmt: skip


def _place(bench: WatchBench, frame: Frame) -> int:
    """Return the place behind a frame."""
    return next(place for place, other in enumerate(bench.trace, 1) if other is frame)


async def duplicate(bench: WatchBench, hand: Hand) -> None:
    """Answer `duplicate`: it settles like `stored`."""
    with bench.holding("text"):
        frame = await _pressed_text(bench, hand)
        ref, mark = str(frame.fields.get("id")), bench.mark()
        bench.receipt(ref, "duplicate")
        await bench.listen(max(bench.pace.quiet_s, min(bench.contract_s(40), 40)))
        again = bench.seen("text", after=mark, id=ref)
    bench.verdicts.check("R8", not again, came="sent again after `duplicate`", expected="nothing more",
                         frame=again[0].shown() if again else "")  # fmt: skip


async def id_conflict(bench: WatchBench, hand: Hand) -> None:
    """Answer `rejected id_conflict`: the same words come under a fresh id."""
    with bench.holding("text"):
        frame = await _pressed_text(bench, hand)
        ref, mark = str(frame.fields.get("id")), bench.mark()
        bench.receipt(ref, "rejected", detail="id_conflict")
        again = await bench.find(
            lambda sent: sent.kind is FrameKind.PUBLISH and sent.level == "text" and sent.fields.get("id") != ref,
            after=mark, within_s=bench.pace.network_s + bench.contract_s(30),
        )  # fmt: skip
        same = again is not None and all(again.fields.get(name) == frame.fields.get(name) for name in ("text", "emoji"))
        bench.verdicts.check("R9", same, came="nothing" if again is None else again.shown(),
                             expected="the same message under a fresh id", frame=frame.shown())  # fmt: skip
        if again is not None:
            bench.receipt(str(again.fields.get("id")), "stored")


async def retry(bench: WatchBench, hand: Hand) -> None:
    """Answer `retry`: the message comes again after the stated wait, not before."""
    with bench.holding("text"):
        frame = await _pressed_text(bench, hand)
        ref, mark, at_s = str(frame.fields.get("id")), bench.mark(), frame.at_s
        bench.receipt(ref, "retry", retry_after_s=_RETRY_AFTER_S)
        again = await bench.next("text", after=mark, id=ref, within_s=_RETRY_AFTER_S + bench.pace.network_s)
        waited = None if again is None else again.at_s - at_s
        bench.verdicts.check(
            "R10", waited is not None and waited >= _RETRY_AFTER_S * 0.85,
            came="nothing" if waited is None else f"again after {waited:.1f} s", expected=f"after {_RETRY_AFTER_S} s",
            frame=frame.shown(),
        )  # fmt: skip
        bench.receipt(ref, "stored")


async def recipient_removed(bench: WatchBench, hand: Hand) -> None:
    """Answer `rejected recipient_removed`: the child is told."""
    with bench.holding("text"):
        frame = await _pressed_text(bench, hand)
        bench.receipt(str(frame.fields.get("id")), "rejected", detail="recipient_removed")
    await bench.listen(1.0)
    shown = await hand.look(Look.NOT_SENT)
    if shown is not None:
        bench.verdicts.check("V7", shown, came="nothing was shown", expected="not sent", frame=frame.shown())


async def recording(bench: WatchBench, hand: Hand) -> None:
    """Take a recording, ask for a chunk of it again, and store it."""
    with bench.holding("voice"):
        mark = bench.mark()
        await hand.press(Press.VOICE)
        end = await bench.next("voice/*/end", after=mark, within_s=bench.pace.patience_s)
        if end is None:
            raise StepSkippedError("no recording came")
        ref, chunks = end.level.split("/")[1], int(end.fields.get("chunks", 1))
        mark = bench.mark()
        bench.receipt(ref, "missing", missing=[chunks - 1])
        again = await bench.next(f"voice/{ref}/end", after=mark, within_s=bench.pace.network_s + bench.contract_s(30))
        sent = [frame.level.split("/")[2] for frame in bench.seen(f"voice/{ref}/*", after=mark)]
        bench.verdicts.check("V4", again is not None and sent[-2:] == [str(chunks - 1), "end"], came=", ".join(sent),
                             expected=f"{chunks - 1}, end", frame=end.shown())  # fmt: skip
        bench.receipt(ref, "stored")
    bench.say("state", {"ref": ref, "by": "g-1", "state": "played", "tst": bench.server_tst})
    await bench.listen(0.5)


async def state_seen(bench: WatchBench, hand: Hand) -> None:
    """Tell the child that its message was played; hold the answer, so that it comes again."""
    with bench.holding("receipt"):
        frame = await _pressed_text(bench, hand)
        ref = str(frame.fields.get("id"))
        await bench.listen(0.5)
        mark = bench.mark()
        bench.say("state", {"ref": ref, "by": "g-1", "state": "played", "tst": bench.server_tst})
        seen = await bench.next("receipt", after=mark, ref=ref, state="seen", of="played")
        bench.verdicts.check("N10", seen is not None, came="nothing", expected=f"seen of {ref}", frame=frame.shown())
        if seen is None:
            return
        again = await bench.next(
            "receipt", after=_place(bench, seen), ref=ref, state="seen",
            within_s=bench.contract_s(limits.RECEIPT_TIMEOUT_S) * _LATE + _DETOUR_S,
        )  # fmt: skip
        bench.verdicts.check("A1", again is not None, came="nothing", expected="`seen` again until it is answered",
                             frame=seen.shown())  # fmt: skip
    bench.receipt(ref, "stored", state="seen", of="played")
    shown = await hand.look(Look.STATE_PLAYED)
    if shown is not None:
        bench.verdicts.check("N10", shown, came="nothing was shown", expected="the state", frame=seen.shown())


STEPS = (
    Step("A text without its receipt", repeats, lasts_s=190),
    Step("Receipt: duplicate", duplicate, lasts_s=45),
    Step("Receipt: id_conflict", id_conflict),
    Step("Receipt: retry", retry),
    Step("Receipt: recipient_removed", recipient_removed),
    Step("A recording, one chunk of it lost", recording),
    Step("What became of the child's message", state_seen, lasts_s=50),
)
