"""Each uplink is committed once and always answered; bad input affects no other watch."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from services.core.conversation.messages.tables import Message
from services.core.platform.idempotency.tables import Uplink
from tests.support.watch import Stand
from tests.support.world import make_home

TEXT = {"id": "t81kd02mq7zr", "to": "family", "text": "hi", "tst": 0}


async def test_a_text_is_committed_before_its_receipt_and_a_repeat_makes_no_second(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await watch.say("text", TEXT)
        assert (await watch.hears("receipt"))["code"] == "stored"
        async with stand.database.begin() as work:
            kept = (await work.session.exec(select(Message).where(Message.username == worn.username))).all()
        assert [message.ref for message in kept] == [TEXT["id"]]
        await watch.say("text", {**TEXT, "unknown_field": 1})
        assert (await watch.hears("receipt"))["code"] == "duplicate"
        async with stand.database.begin() as work:
            assert len((await work.session.exec(select(Message).where(Message.username == worn.username))).all()) == 1


async def test_the_same_id_with_other_content_is_a_conflict_and_the_first_stands(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("text", TEXT)
        assert (await watch.hears("receipt"))["code"] == "stored"
        await watch.say("text", {**TEXT, "text": "other"})
        answer = await watch.hears("receipt")
        assert (answer["ref"], answer["code"], answer["detail"]) == (TEXT["id"], "rejected", "id_conflict")


def _text(number: int, text: str, to: str = "family") -> dict[str, object]:
    return {"id": f"t81kd02mq7{number:02d}", "to": to, "text": text}


NUL = b'{"id":"t81kd02mq7zs","to":"family","text":"a\\u0000b"}'
SURROGATE = b'{"id":"t81kd02mq7zt","to":"family","text":"\\ud800"}'
EMOJI = {"id": "t81kd02mq7zx", "to": "family", "emoji": "no_such"}
BAD_INPUT: list[tuple[str, object, dict[str, object]]] = [
    ("text", b"{", {"ref": None, "detail": "malformed"}),
    ("text", b"\xff\xfe", {"ref": None, "detail": "malformed"}),
    ("text", b"[" * 5000, {"ref": None, "detail": "malformed"}),
    ("text", NUL, {"ref": "t81kd02mq7zs", "detail": "text_invalid"}),
    ("text", SURROGATE, {"ref": "t81kd02mq7zt", "detail": "text_invalid"}),
    ("text", _text(1, "x" * 501), {"detail": "text_too_long"}),
    ("text", {"id": "short", "to": "family", "text": "x"}, {"detail": "id_invalid"}),
    ("text", _text(2, "x", to="g-99"), {"detail": "recipient_removed"}),
    ("text", _text(3, "y" * 70_000), {"detail": "too_large"}),
    ("text", EMOJI, {"detail": "emoji_unknown"}),
    ("receipt", {"ref": "nothing", "state": "delivered"}, {"ref": "nothing", "detail": "unknown_ref"}),
    ("receipt", {"ref": "nothing", "state": "seen", "of": "played"}, {"detail": "unknown_ref"}),
    ("alert", {"id": "a5d8k2m1w3pz", "kind": "telepathy"}, {"ref": "a5d8k2m1w3pz", "code": "retry"}),
    ("telepathy", {"id": "a5d8k2m1w3pz"}, {"ref": "a5d8k2m1w3pz", "code": "retry"}),
    ("hello", {"protocol": 9, "conn": "x"}, {"ref": "hello", "detail": "protocol", "min": 1, "max": 1}),
    ("pairing", {"ask": "code"}, {"detail": "malformed"}),
    ("voice/not a valid id/0", b"x", {"detail": "malformed"}),
]


@pytest.mark.parametrize(("leaf", "payload", "expected"), BAD_INPUT, ids=range(len(BAD_INPUT)))
async def test_bad_input_is_answered_and_the_next_message_is_taken(
    stand: Stand, leaf: str, payload: object, expected: dict[str, object]
) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say(leaf, payload)
        answer = await watch.hears("receipt")
        wanted = {"code": "rejected", **expected}
        assert {key: answer.get(key) for key in wanted} == wanted
        await watch.say("text", TEXT)
        assert (await watch.hears("receipt"))["code"] == "stored"


async def test_a_factory_identity_is_heard_on_pairing_only(stand: Stand) -> None:
    home = await make_home(stand.database)
    await stand.install()
    async with stand.bridge(), stand.watch(f"f-{home.serial}", home.secret) as watch:
        for leaf in ("text", "hello", "location", "alert", "usage", "receipt"):
            await watch.say(leaf, TEXT)
            answer = await watch.hears("receipt")
            assert (answer["code"], answer["detail"]) == ("rejected", "not_paired")
        await watch.say("pairing", {"ask": "code"})
        assert len((await watch.hears("pairing"))["code"]) == 6
        await watch.say("pairing", b"not json")
        assert (await watch.hears("pairing"))["error"] == "malformed"
    async with stand.database.begin() as work:
        assert (await work.session.exec(select(Uplink).where(col(Uplink.username) == f"f-{home.serial}"))).all() == []
