"""Steps against a backend: pairing, connections, what is read leniently, what is refused."""

from __future__ import annotations

import asyncio
import secrets
import time

from services.device_sim.conformance.backend_bench import SILENCE_S, BackendBench, BackendStep, fresh_id
from services.device_sim.conformance.frames import FrameKind
from services.device_sim.conformance.parent_hands import ParentPress
from services.device_sim.conformance.steps import StepSkippedError
from services.device_sim.watch.mqtt_connection import ConnectionLostError
from services.protocol import limits


async def pairing(bench: BackendBench) -> None:
    """From the first code to the first hello."""
    factory, check = bench.factory, bench.verdicts.check
    await factory.connect()
    place = await factory.say("pairing", {"ask": "status"})
    await factory.next("pairing", after=place)
    codes = []
    for _ in range(2):
        place = await factory.say("pairing", {"ask": "code"})
        answer = await factory.find(
            lambda frame: frame.level == "pairing" and "code" in frame.fields and frame.kind is FrameKind.SENT,
            after=place,
        )
        codes.append(None if answer is None else answer.fields["code"])
    check("I8", codes[0] is not None and codes[0] == codes[1], came=f"{codes}", expected="the same code twice")
    place = await factory.say("pairing", b"not json")
    refused = await factory.next("pairing", after=place)
    check("I12", refused is not None and "error" in refused.fields, came="nothing" if refused is None else
          refused.shown(), expected="an error")  # fmt: skip
    place = await factory.say("text", {"id": (text_id := fresh_id()), "to": "family", "text": "not paired"})
    answer = await factory.next("receipt", after=place, ref=text_id)
    fits = answer is not None and answer.fields.get("detail") == "not_paired"
    check("I11", fits, came="nothing" if answer is None else answer.shown(), expected="rejected not_paired")
    if codes[0] is None:
        raise StepSkippedError("no code")
    place = factory.mark()
    await bench.parent.press(ParentPress.PAIR, str(codes[0]))
    given = await factory.find(lambda frame: "credentials" in frame.fields, after=place, within_s=bench.patience_s)
    if given is None:
        raise StepSkippedError("no credentials came")
    name = given.fields["credentials"]["username"]
    place = await factory.say("pairing", {"ask": "status"})
    again = await factory.next("pairing", after=place)
    check("I9", again is not None and again.fields.get("credentials", {}).get("username") == name,
          came="nothing" if again is None else again.shown(), expected="the credentials again")  # fmt: skip
    watch = bench.pair_with(name, given.fields["credentials"]["password"])
    await watch.connect()
    place = await bench.hello()
    answers = [await watch.next(level, after=place) for level in ("time", "contacts", "config")]
    missing = [level for level, answer in zip(("time", "contacts", "config"), answers, strict=True) if answer is None]
    check("C20", not missing, came=f"no {', '.join(missing)}", expected="time, contacts, config")
    place = await factory.say("pairing", {"ask": "status"})
    stands = await factory.next("pairing", after=place)
    fits = stands is not None and stands.fields.get("username") == name and "credentials" not in stands.fields
    check("I10", fits, came="nothing" if stands is None else stands.shown(), expected="the user name, no password")
    await factory.close()


async def lists_until_acked(bench: BackendBench) -> None:
    """Acknowledge nothing: the lists come again at the next hello."""
    place = await bench.again()
    first = await bench.watch.next("contacts", after=place)
    place = await bench.again()
    second = await bench.watch.next("contacts", after=place)
    config = await bench.watch.next("config", after=place)
    bench.verdicts.check("L12", first is not None and second is not None, came="no contacts at the second hello",
                         expected="contacts until they are acknowledged")  # fmt: skip
    for name, frame in (("contacts", second), ("config", config)):
        if frame is not None:
            await bench.watch.say("ack", {"ref": name, "version": frame.fields["version"], "state": "done"})


async def connections(bench: BackendBench) -> None:
    """Connect twice, subscribe to everything, use the retain flag, speak a version of the future."""
    watch, check = bench.watch, bench.verdicts.check
    place = await bench.again(protocol=99)
    refused = await bench.receipt(place, "hello")
    fields = {} if refused is None else refused.fields
    told = tuple(fields.get(name) for name in ("code", "detail", "min", "max"))
    check(
        "C23",
        told == ("rejected", "protocol", limits.PROTOCOL_MIN, limits.PROTOCOL_MAX),
        came="nothing" if refused is None else refused.shown(),
        expected="rejected protocol, min and max",
    )
    await bench.again()
    granted = await watch.subscribe("#", 2), await watch.subscribe("sw/v1/+/down/#", 2)
    check("C19", granted == (1, 1), came=f"QoS {granted}", expected="QoS 1")
    place = await watch.say_at("sw/v1/w-aaaaaaaaaaaaaaaa/up/text", b'{"id":"aaaaaaaaaaaa"}')
    await asyncio.sleep(SILENCE_S)
    foreign = [frame for frame in watch.trace[place:]
               if frame.kind is FrameKind.SENT and not frame.topic.startswith(f"sw/v1/{watch.user}/")]  # fmt: skip
    check("C24", not foreign, came=foreign[0].shown() if foreign else "", expected="nothing of others")
    place = watch.mark()
    try:
        await watch.say("status", {"state": "online"}, retain=True)
        ended = await watch.find(lambda frame: frame.kind is FrameKind.LOST, after=place)
        check("C18", ended is not None, came="the connection stays", expected="the end of the connection")
    except ConnectionLostError:
        bench.verdicts.held("C18")
    await bench.again()
    place = watch.mark()
    other = watch.another()
    await other.connect()
    ended = await watch.find(lambda frame: frame.kind is FrameKind.LOST, after=place)
    check("C22", ended is not None, came="both stay connected", expected="the first connection ends")
    await other.close()
    await bench.again()
    place = watch.mark()
    try:
        await watch.say("text", b"x" * (limits.PACKET_MAX_BYTES + 1))
        ended = await watch.find(lambda frame: frame.kind is FrameKind.LOST, after=place)
        check("P14", ended is not None, came="the connection stays", expected="the end of the connection")
    except ConnectionLostError:
        bench.verdicts.held("P14")
    await bench.again()


async def lenient_reading(bench: BackendBench) -> None:
    """Say what sloppy firmware says; nothing of it costs a message."""
    now = int(time.time())
    ids = [fresh_id() for _ in range(9)]

    def text(number: int, more: str) -> bytes:
        return f'{{"id":"{ids[number]}","to":"family","text":"lenient {number}"{more}}}'.encode()

    await bench.expect("P9", "text", text(0, ',"new":{"a":[1]},"emoji":null'), ids[0], "stored")
    await bench.expect("P9", "text", text(1, ',"text":"the last counts"'), ids[1], "stored")
    await bench.expect("P10", "text", b"\xef\xbb\xbf" + text(2, "") + b"\x00\r\nstale bytes", ids[2], "stored")
    await bench.expect("P11", "text", text(3, f',"tst":{now}.0,"boot":3e2'), ids[3], "stored")
    await bench.expect("P12", "text", text(4, ',"tst":"yesterday","boot":-1,"mono_s":NaN'), ids[4], "stored")
    place = await bench.hello(firmware="x" * 300, battery_pct=400, iccid="none", plays=["amr-nb", 7, "opus"],
                              contacts_version="two")  # fmt: skip
    time_came = await bench.watch.next("time", after=place)
    bench.verdicts.check("P12", time_came is not None, came="no time", expected="time, whatever the labels")
    await bench.expect(
        "P13", "text", {"id": ids[5], "to": "family", "text": "好 \U0001f9d2 \u202eאב"}, ids[5], "stored"
    )
    bad = f'{{"id":"{ids[6]}","to":"family","text":"a\\u0000b"}}'.encode()
    await bench.expect("P13", "text", bad, ids[6], "rejected", detail="text_invalid")
    await bench.expect("P15", "text", b"not json", None, "rejected", detail="malformed")
    await bench.expect("P15", "text", {"id": ids[7], "to": "family", "text": 5}, ids[7], "rejected")
    usage = {"id": ids[8], "from_tst": now - 60, "to_tst": now, "worn_s": 50}
    await bench.expect("A2", "usage", usage, ids[8], "stored")


async def repeats(bench: BackendBench) -> None:
    """Repeat a text, change it under its id, and use a kind of the future."""
    ref, now = fresh_id(), int(time.time())
    text = {"id": ref, "to": "family", "text": "once", "tst": now}
    await bench.expect("A2", "text", text, ref, "stored")
    await bench.expect("R12", "text", text, ref, "duplicate")
    await bench.expect("R13", "text", {**text, "text": "twice"}, ref, "rejected", detail="id_conflict")
    place = await bench.watch.say("telepathy", {"id": (kind_ref := fresh_id())})
    retry = await bench.receipt(place, kind_ref)
    fits = retry is not None and retry.fields.get("code") == "retry" and "retry_after_s" in retry.fields
    bench.verdicts.check("R14", fits, came="nothing" if retry is None else retry.shown(),
                         expected="retry with retry_after_s")  # fmt: skip
    gone = fresh_id()
    await bench.expect("V10", "text", {"id": gone, "to": "g-99", "text": "x"}, gone, "rejected",
                       detail="recipient_removed")  # fmt: skip
    place = await bench.watch.say("status", {"state": "online"})
    await bench.watch.say("ack", {"ref": "contacts", "version": 1, "state": "done"})
    await bench.watch.say(f"voice/{fresh_id()}/0", secrets.token_bytes(600))
    await bench.silence("A4", "receipt", place, "status, ack and a chunk")


async def order(bench: BackendBench) -> None:
    """Send two texts, the second of which claims to be older."""
    now = int(time.time())
    for word, tst in (("first", now), ("second", now - 86400)):
        ref = fresh_id()
        place = await bench.watch.say("text", {"id": ref, "to": "family", "text": f"order {word}", "tst": tst})
        await bench.receipt(place, ref)
    texts = await bench.parent.texts()
    if texts is not None:
        came = [text for text in texts if text.startswith("order ")]
        bench.verdicts.check("T4", came == ["order first", "order second"], came=", ".join(came),
                             expected="order first, order second")  # fmt: skip


STEPS = (
    BackendStep("Pairing", pairing),
    BackendStep("Lists until they are acknowledged", lists_until_acked),
    BackendStep("Connections", connections),
    BackendStep("What is read leniently", lenient_reading),
    BackendStep("Repeats and kinds of the future", repeats),
    BackendStep("The order of a conversation", order),
)
