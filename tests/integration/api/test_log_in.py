"""Logging in by phone and code: bound, counted, void when replaced, and the same for strangers."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from services.core.people.accounts.tables import Guardian, LoginChallenge, Session
from services.core.platform.db.database import Database
from services.core.platform.outbox.actions import unseal_sms
from services.core.platform.outbox.tables import OutboxRow
from services.worker.sms import sms_loops
from services.worker.wake_ups import WakeUps
from tests.support.clock import FakeClock
from tests.support.http import Parent, enrol_family, make_parent, new_phone, sms_to
from tests.support.sms import file_sender


async def _enrolled(client: httpx.AsyncClient, database: Database) -> Parent:
    phone = new_phone()
    return Parent(client, database, phone, await enrol_family(database, phone))


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_known_and_unknown_phones_are_answered_alike_and_only_the_known_gets_an_sms(
    client: httpx.AsyncClient, database: Database
) -> None:
    known, unknown = await _enrolled(client, database), new_phone()
    answers = [await client.post("/v1/auth/codes", json={"phone": phone}) for phone in (known.phone, unknown)]
    bodies = [answer.json() for answer in answers]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert bodies[0].keys() == bodies[1].keys()
    assert [(body["expires_in_s"], body["resend_after_s"]) for body in bodies] == [(600, 60), (600, 60)]
    assert len(await sms_to(database, known.phone)) == 1
    assert await sms_to(database, unknown) == []
    assert {len(body["challenge_secret"]) for body in bodies} == {43}
    # Both wait alike before the next one, and both are told a wrong code alike.
    again = [await client.post("/v1/auth/codes", json={"phone": phone}) for phone in (known.phone, unknown)]
    assert [(response.status_code, response.json()["code"]) for response in again] == [
        (429, "login_code_too_often")
    ] * 2
    assert again[0].json()["retry_after_s"] == again[1].json()["retry_after_s"]
    assert again[0].headers["retry-after"] == str(again[0].json()["retry_after_s"])
    tried = [
        await client.post(
            "/v1/auth/tokens",
            json={
                "challenge_id": body["challenge_id"], "challenge_secret": body["challenge_secret"], "phone": phone,
                "code": "0",
            },
        )
        for body, phone in zip(bodies, (known.phone, unknown), strict=True)
    ]  # fmt: skip
    refusals = [response.json() | {"request_id": ""} for response in tried]
    assert refusals[0] == refusals[1]
    assert (tried[0].status_code, refusals[0]["code"], refusals[0]["tries_left"]) == (403, "login_code_wrong", 4)


async def test_an_unknown_phone_costs_the_same_rows_and_its_message_goes_nowhere(
    client: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    known, unknown = await _enrolled(client, database), new_phone()
    for phone in (known.phone, unknown):
        assert (await client.post("/v1/auth/codes", json={"phone": phone, "locale": "en"})).status_code == 202
    async with database.begin() as work:
        challenges = (
            await work.session.exec(select(LoginChallenge).where(col(LoginChallenge.phone).in_([known.phone, unknown])))
        ).all()
        assert {
            (len(challenge.code_hash), len(challenge.secret_hash), challenge.tries) for challenge in challenges
        } == {(32, 32, 0)}
        rows = await work.session.exec(select(OutboxRow).order_by(col(OutboxRow.outbox_id).desc()).limit(2))
        last = rows.all()
        assert [row.kind for row in last] == ["decoy", "sms"]
        assert [unseal_sms(work.vault, row).phone for row in last] == [unknown, known.phone]
        assert last[0].payload.keys() == last[1].payload.keys()
        assert all(len(last[0].payload[name]) == len(last[1].payload[name]) for name in last[0].payload)
    sent = tmp_path / "sms.jsonl"
    sender = sms_loops(database, file_sender(sent), WakeUps(database))[-1]
    while await sender.consume_one():
        pass
    assert known.phone in sent.read_text()
    assert unknown not in sent.read_text()
    async with database.begin() as work:
        left = await work.session.exec(select(OutboxRow).where(col(OutboxRow.kind).in_(["sms", "decoy"])))
        assert left.all() == []


async def test_the_sms_comes_in_the_language_asked_for_and_the_answer_holds_no_code(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await _enrolled(client, database)
    answer = await client.post("/v1/auth/codes", json={"phone": parent.phone, "locale": "vi-VN"})
    (text,) = await sms_to(database, parent.phone)
    assert "mã của bạn" in text
    code = "".join(character for character in text if character.isdigit())[:6]
    assert code not in answer.text.replace(answer.json()["challenge_id"], "")


async def test_five_wrong_tries_end_a_code_even_for_the_right_one(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await _enrolled(client, database)
    challenge_id, code = await parent.ask_for_code()
    left = [(await parent.enter_code(challenge_id, _wrong(code))).json()["tries_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    answer = await parent.enter_code(challenge_id, code)
    assert (answer.status_code, answer.json()["code"]) == (403, "login_code_ended")


async def test_a_code_works_once(client: httpx.AsyncClient, database: Database) -> None:
    parent = await _enrolled(client, database)
    challenge_id, code = await parent.ask_for_code()
    assert (await parent.enter_code(challenge_id, code)).status_code == 200
    assert (await parent.enter_code(challenge_id, code)).json()["code"] == "login_code_ended"


async def test_a_code_lives_ten_minutes(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> None:
    parent = await _enrolled(client, database)
    challenge_id, code = await parent.ask_for_code()
    clock.advance(minutes=10)
    assert (await parent.enter_code(challenge_id, code)).json()["code"] == "login_code_ended"


async def test_a_newer_code_voids_the_older(client: httpx.AsyncClient, database: Database, clock: FakeClock) -> None:
    parent = await _enrolled(client, database)
    old = await parent.ask_for_code()
    clock.advance(seconds=61)
    new = await parent.ask_for_code()
    assert (await parent.enter_code(*old)).json()["code"] == "login_code_ended"
    assert (await parent.enter_code(*new)).status_code == 200


async def test_a_code_is_bound_to_its_phone_and_to_its_challenge(client: httpx.AsyncClient, database: Database) -> None:
    mine, theirs = await _enrolled(client, database), await _enrolled(client, database)
    my_challenge, my_code = await mine.ask_for_code()
    their_challenge, _ = await theirs.ask_for_code()
    for challenge_id, parent in ((my_challenge, theirs), (str(uuid.uuid4()), mine)):
        assert (await parent.enter_code(challenge_id, my_code)).json()["code"] == "login_code_ended"
    crossed = await theirs.enter_code(their_challenge, my_code)
    assert crossed.status_code == 403
    assert (await mine.enter_code(my_challenge, my_code)).status_code == 200


async def test_two_at_once_get_one_session(client: httpx.AsyncClient, database: Database) -> None:
    import asyncio  # noqa: PLC0415

    parent = await _enrolled(client, database)
    challenge_id, code = await parent.ask_for_code()
    answers = await asyncio.gather(*(parent.enter_code(challenge_id, code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]


async def test_codes_and_tokens_are_nowhere_in_the_database(client: httpx.AsyncClient, database: Database) -> None:
    parent = await _enrolled(client, database)
    challenge_id, code = await parent.ask_for_code()
    parent.tokens = (await parent.enter_code(challenge_id, code)).json()
    async with database.begin() as work:
        challenge = await work.session.get_one(LoginChallenge, uuid.UUID(challenge_id))
        assert code.encode() not in challenge.code_hash
        dump = repr([row.model_dump() for row in await work.session.exec(select(LoginChallenge))])
    assert code not in dump.replace(challenge_id, "")
    assert parent.tokens["refresh_token"] not in dump


async def test_the_first_log_in_makes_the_account_once_and_the_first_guardian_once(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await _enrolled(client, database)
    await parent.log_in()
    clock.advance(minutes=2)
    await parent.log_in()
    me = await parent.told("GET", "/v1/me")
    assert [(family["is_primary"], family["may_manage"], family["may_locate"]) for family in me["families"]] == [
        (True, True, False)
    ]
    async with database.begin() as work:
        accounts = (await work.session.exec(select(Guardian).where(Guardian.phone == parent.phone))).all()
        sessions = (
            await work.session.exec(select(Session).where(Session.guardian_id == uuid.UUID(parent.guardian_id)))
        ).all()
    assert (len(accounts), len(sessions)) == (1, 2)


async def test_a_family_that_was_enrolled_later_is_joined_at_the_next_log_in(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    parent = await make_parent(client, database)
    second = await enrol_family(database, parent.phone)
    clock.advance(minutes=2)
    await parent.log_in()
    families = (await parent.told("GET", "/v1/me"))["families"]
    assert {family["family_id"] for family in families} == {str(parent.family_id), str(second)}


async def test_a_locally_written_number_is_understood_by_its_language(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await _enrolled(client, database)
    answer = await client.post("/v1/auth/codes", json={"phone": parent.phone.removeprefix("+86"), "locale": "zh-CN"})
    assert answer.status_code == 202
    assert len(await sms_to(database, parent.phone)) == 1


async def _from_the_same_address(first: Parent) -> Parent:
    return Parent(first.client, first.database, first.phone, first.family_id, address=first.address)


async def _from_another_address(first: Parent) -> Parent:
    return Parent(first.client, first.database, first.phone, first.family_id)


async def _known_device_elsewhere(first: Parent) -> Parent:
    moved = await _from_another_address(first)
    moved.device_token = first.device_token
    return moved


@pytest.mark.parametrize(
    ("is_known", "who", "voided"),
    [
        (False, _from_the_same_address, True),
        (False, _from_another_address, False),
        (True, _known_device_elsewhere, True),
        (True, _from_the_same_address, False),
        (True, _from_another_address, False),
    ],
)
async def test_a_newer_code_voids_the_older_of_whoever_asked_for_both_and_of_nobody_else(
    client: httpx.AsyncClient,
    database: Database,
    clock: FakeClock,
    who: Callable[[Parent], Awaitable[Parent]],
    *,
    is_known: bool,
    voided: bool,
) -> None:
    # Given: a code on its way, to an address or to a device that logged in before.
    first = await _enrolled(client, database)
    if is_known:
        await first.log_in()
        clock.advance(seconds=61)
    old = await first.ask_for_code()
    clock.advance(seconds=61)
    # When: somebody asks for another one to the same phone.
    newer = await who(first)
    new = await newer.ask_for_code()
    # Then: it is void only if that was the same device, or for unknown devices the same address.
    answer = await first.enter_code(*old)
    assert (answer.status_code == 403) is voided
    assert (await newer.enter_code(*new)).status_code == 200
