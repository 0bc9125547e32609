"""Steps about pairing, connections, refused log-ins, loss of power, and the end of a pairing."""

from __future__ import annotations

import itertools

from services.device_sim.conformance.bench import WatchBench
from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.conformance.hands import Hand, Press
from services.device_sim.conformance.steps import Step, StepSkippedError
from services.protocol import limits

_LATE = 1.6


async def pairing(bench: WatchBench, hand: Hand) -> None:
    """From the first code to the first hello."""
    verdicts, mark = bench.verdicts, bench.mark()
    await hand.press(Press.PAIR)
    request = await bench.next("pairing", user=bench.factory, after=mark, ask="code", within_s=bench.pace.patience_s)
    if request is None:
        raise StepSkippedError("no code was asked for")
    await bench.listen(0.5)
    mark = bench.mark()
    bench.say("pairing", {"paired": True, "child_name": "Mei", "credentials": bench.new_credentials()},
              user=bench.factory)  # fmt: skip
    within_s = bench.contract_s(20) + bench.pace.network_s
    if bench.endpoint.sees_connections:
        connect = await _connect(bench, after=mark, user=bench.user, within_s=within_s)
        verdicts.check("I7", connect is not None, came="no connection", expected="a connection with the credentials")
        if connect is None or connect.connect is None:
            raise StepSkippedError("no paired connection")
        hello = await bench.next("hello", after=mark, user=bench.user)
        right = connect.connect.password == bench.credentials["password"] and hello is not None
        verdicts.check("I6", right, came="another password" if hello else "no hello",
                       expected="the credentials as given, then hello", frame=connect.shown())  # fmt: skip
    else:
        hello = await bench.next("hello", after=mark, user=bench.user, within_s=within_s)
        verdicts.check("I7", hello is not None, came="no hello", expected="a connection with the credentials")
        if hello is None:
            raise StepSkippedError("no hello with the credentials")
    await bench.listen(0.3)
    mark = bench.mark()
    bench.send_contacts(3)
    bench.send_config(2)
    await bench.next("ack", after=mark, ref="contacts", version=3)
    await bench.next("ack", after=mark, ref="config", version=2)


async def _connect(bench: WatchBench, *, after: int, user: str, within_s: float) -> Frame | None:
    return await bench.find(
        lambda frame: frame.kind is FrameKind.CONNECT and frame.user == user, after=after, within_s=within_s
    )


async def unanswered_hello(bench: WatchBench, _hand: Hand) -> None:
    """Answer no hello: it comes again three times, then the watch reconnects under a fresh `conn`."""
    verdicts, mark = bench.verdicts, bench.mark()
    with bench.holding("hello"):
        bench.endpoint.cut(bench.user)
        hellos: list[Frame] = []
        place = mark
        for wait_s in (10, *limits.HELLO_REPEAT_S):
            hello = await bench.next("hello", after=place, within_s=bench.contract_s(wait_s * _LATE) + 5)
            if hello is None:
                break
            hellos.append(hello)
            place = next(number for number, frame in enumerate(bench.trace, 1) if frame is hello)
        gaps = [later.at_s - earlier.at_s for earlier, later in itertools.pairwise(hellos)]
        wanted = [bench.contract_s(wait_s) for wait_s in limits.HELLO_REPEAT_S]
        fits = len(gaps) == len(wanted) and all(
            0.85 * want <= gap <= 1.4 * want + 2 for gap, want in zip(gaps, wanted, strict=True)
        )
        again = None
        if fits:
            again = await _connect(
                bench, after=place, user=bench.user, within_s=bench.contract_s(20 + 2 * limits.RECONNECT_FIRST_S) + 10
            )
        verdicts.check(
            "C10", fits and again is not None,
            came=f"waits of {', '.join(f'{gap:.2f}' for gap in gaps)} s" + ("" if again else ", no reconnection"),
            expected=f"waits of {', '.join(f'{want:.2f}' for want in wanted)} s, then a reconnection",
            frame=hellos[-1].shown() if hellos else "",
        )  # fmt: skip
    bench.endpoint.cut(bench.user)
    await bench.next("hello", after=bench.mark(), within_s=bench.contract_s(30) + 10)
    await bench.listen(0.3)


async def loss_of_power(bench: WatchBench, hand: Hand) -> None:
    """Hold the receipt of a text and take the power away: it comes again under the same id."""
    verdicts, mark = bench.verdicts, bench.mark()
    with bench.holding("text"):
        await hand.press(Press.TEXT)
        text = await bench.next("text", after=mark, within_s=bench.pace.patience_s)
        if text is None:
            raise StepSkippedError("no text came")
        boot, mark = bench.hello.get("boot"), bench.mark()
        await hand.press(Press.POWER_CYCLE)
        hello = await bench.next("hello", after=mark, within_s=bench.pace.patience_s)
        if hello is None:
            raise StepSkippedError("the watch did not come back")
        again = await bench.next("text", after=mark, id=text.fields.get("id"), within_s=bench.contract_s(40) + 5)
        verdicts.check("R11", again is not None, came="nothing", expected="the text again after the restart",
                       frame=text.shown())  # fmt: skip
        if boot is not None and "boot" in hello.fields:
            grown = hello.fields["boot"] > boot
            verdicts.check("T1", grown, came=f"boot {hello.fields['boot']} after {boot}", expected="a higher boot",
                           frame=hello.shown())  # fmt: skip
        bench.receipt(str(text.fields.get("id")), "stored")
    mark = bench.mark()
    await hand.press(Press.TEXT)
    await bench.next("text", after=mark, within_s=bench.pace.patience_s)


async def refused_login(bench: WatchBench, hand: Hand) -> None:
    """Refuse the paired user, tell the watch that its pairing stands, then let it in again."""
    await _refuse(bench, {"paired": True, "username": bench.user}, "I3")
    await _let_in(bench, hand, "I2")


async def unpaired_another(bench: WatchBench, hand: Hand) -> None:
    """Refuse the paired user and name another one as unpaired."""
    other = bench.user[:-1] + ("a" if bench.user[-1] != "a" else "b")
    await _refuse(bench, {"unpaired": True, "username": other}, "I3")
    await _let_in(bench, hand, "I4")


async def _refuse(bench: WatchBench, answer: dict[str, object], number: str) -> None:
    """Refuse until the factory identity asks for its status, and answer it once."""
    mark = bench.mark()
    with bench.holding("pairing"):
        bench.endpoint.refused.add(bench.user)
        bench.endpoint.cut(bench.user)
        refused = await bench.find(
            lambda frame: frame.kind is FrameKind.REFUSED, after=mark, within_s=bench.contract_s(20) + 10
        )
        wait_s = bench.contract_s(limits.REFUSED_LOGIN_ASK_STATUS_S)
        request = await bench.next("pairing", after=mark, user=bench.factory, ask="status", within_s=3 * wait_s + 30)
        waited = None if request is None or refused is None else request.at_s - refused.at_s
        bench.verdicts.check(
            number, waited is not None and waited >= wait_s * 0.85,
            came="no question" if waited is None else f"asked after {waited:.1f} s",
            expected=f"`status` after {wait_s:.1f} s", frame="" if request is None else request.shown(),
        )  # fmt: skip
        bench.say("pairing", answer, user=bench.factory)
        await bench.listen(0.5)


async def _let_in(bench: WatchBench, hand: Hand, number: str) -> None:
    mark = bench.mark()
    bench.endpoint.refused.discard(bench.user)
    came = await bench.find(
        # A watch that asks for a code has forgotten its pairing.
        lambda frame: frame.kind is FrameKind.PUBLISH
        and (frame.level == "hello" or (frame.level == "pairing" and frame.fields.get("ask") == "code")),
        after=mark, within_s=bench.contract_s(300) + bench.pace.network_s,
    )  # fmt: skip
    hello = came if came is not None and came.level == "hello" else None
    kept = hello is not None and hello.fields.get("contacts_version") == bench.contacts["version"]
    bench.verdicts.check(
        number, kept, came="no hello" if hello is None else f"contacts_version {hello.fields.get('contacts_version')}",
        expected=f"a hello with contacts_version {bench.contacts['version']}: nothing was wiped",
        frame="" if hello is None else hello.shown(),
    )  # fmt: skip
    if hello is None or not kept:
        # A wiped watch has to be paired again before the next step can use it.
        bench.credentials, bench.acked = {}, {}
        await pairing(bench, hand)


async def restart(bench: WatchBench, _hand: Hand) -> None:
    """Command a restart."""
    boot, mark = bench.hello.get("boot"), bench.mark()
    bench.say("command", {"id": "r1", "kind": "restart", "expires_tst": bench.server_tst + 600})
    ack = await bench.next("ack", after=mark, ref="r1")
    hello = await bench.next("hello", after=mark, within_s=bench.pace.patience_s)
    grown = hello is not None and hello.fields.get("boot", 0) > (boot or 0)
    bench.verdicts.check(
        "L10", ack is not None and ack.fields.get("state") == "done" and grown,
        came="no ack" if ack is None else "no hello with a higher boot", expected="an ack, then a hello after the boot",
        frame="" if ack is None else ack.shown(),
    )  # fmt: skip


async def switched_off(bench: WatchBench, hand: Hand) -> None:
    """Switch off by hand, and on again."""
    mark = bench.mark()
    await hand.press(Press.SWITCH_OFF)
    off = await bench.next("status", after=mark, state="off", within_s=bench.pace.patience_s / 3)
    gone = await bench.find(
        lambda frame: frame.kind in {FrameKind.LOST, FrameKind.DISCONNECT}, after=mark, within_s=bench.pace.network_s
    )
    if gone is not None:
        bench.verdicts.check("C15", off is not None, came="a silent end", expected="up/status off", frame=gone.shown())
    mark = bench.mark()
    await hand.press(Press.SWITCH_ON)
    await bench.next("hello", after=mark, within_s=bench.pace.patience_s)


async def end_of_a_pairing(bench: WatchBench, hand: Hand) -> None:
    """Unpair the watch: it wipes, shows a code again, and knows nothing of the first family."""
    name, verdicts = bench.user, bench.verdicts
    await _refuse(bench, {"unpaired": True, "username": name}, "I3")
    bench.unpaired, bench.credentials, bench.acked = name, {}, {}
    bench.contacts, bench.config = {}, {}
    mark = bench.mark()
    await pairing(bench, hand)
    hello = await bench.next("hello", after=mark, user=bench.user)
    fresh = hello is not None and not hello.fields.get("contacts_version") and not hello.fields.get("config_version")
    verdicts.check(
        "I5", fresh, came="no hello" if hello is None else f"contacts_version {hello.fields.get('contacts_version')}",
        expected="a hello without lists of the first family", frame="" if hello is None else hello.shown(),
    )  # fmt: skip


async def wiped(bench: WatchBench, hand: Hand) -> None:
    """Command a wipe: it is acknowledged, and the watch is as out of its box."""
    mark = bench.mark()
    bench.say("command", {"id": "w1", "kind": "wipe", "expires_tst": bench.server_tst + 600})
    ack = await bench.next("ack", after=mark, ref="w1")
    bench.credentials, bench.acked = {}, {}
    bench.contacts, bench.config = {}, {}
    await bench.listen(1.0)
    mark = bench.mark()
    await pairing(bench, hand)
    hello = await bench.next("hello", after=mark, user=bench.user)
    fresh = hello is not None and not hello.fields.get("contacts_version")
    bench.verdicts.check(
        "L11", ack is not None and ack.fields.get("state") == "done" and fresh,
        came="no ack" if ack is None else "the lists of the family are still there",
        expected="an ack, then a watch without lists", frame="" if ack is None else ack.shown(),
    )  # fmt: skip


FIRST_STEPS = (Step("Pairing", pairing, needs_pairing=False, lasts_s=30),)
LAST_STEPS = (
    Step("A hello without an answer", unanswered_hello, lasts_s=190),
    Step("Loss of power with a text on its way", loss_of_power, lasts_s=30),
    Step("A refused log-in", refused_login, lasts_s=110),
    Step("A refused log-in, another watch unpaired", unpaired_another, lasts_s=110),
    Step("A restart by command", restart, lasts_s=20),
    Step("Switched off by hand", switched_off),
    Step("The end of a pairing", end_of_a_pairing, lasts_s=130),
    Step("A wipe by command", wiped, lasts_s=30),
)
