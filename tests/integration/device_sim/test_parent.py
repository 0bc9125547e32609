"""The simulated parent against the real API on a real socket: sessions, outbox, events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.core.platform.db.database import Database
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import FamilyEvent, ProblemError, ServerAwayError, has_consent, state_at_child
from tests.integration.device_sim.api_server import Server, log_in, mother_of
from tests.support.clock import FakeClock
from tests.support.http import new_phone


async def test_the_evening_of_a_first_guardian_and_a_second(server: Server, database: Database, tmp_path: Path) -> None:
    async with mother_of(server, database, tmp_path / "mother") as (mother, child_id):
        me = await mother.family.rename("妈妈")
        assert me.display_name == "妈妈"
        family_id = me.families[0].family_id
        assert has_consent(me.families[0])
        assert [child.name for child in await mother.family.children(family_id)] == ["Mei"]
        assert (await mother.family.child(child_id)).watch is None

        contact = await mother.family.add_contact(child_id, "Teacher Li", "teacher", "+8613900139000")
        listed = await mother.family.contacts(child_id)
        assert [contact.name for contact in listed.contacts] == ["妈妈", "Teacher Li"]
        ordered = await mother.family.order_contacts(child_id, [contact.contact_id, listed.contacts[0].contact_id])
        assert [contact.position for contact in ordered.contacts] == sorted(
            contact.position for contact in ordered.contacts
        )
        await mother.family.change_contact(child_id, contact.contact_id, emergency=True)
        await mother.family.remove_contact(child_id, contact.contact_id)

        phone = new_phone()
        await mother.family.invite(family_id, phone, "grandmother", may_message=True)
        async with SimParent(server.url, tmp_path / "grandmother") as grandmother:
            await log_in(grandmother, database, phone)
            invitation = (await grandmother.me()).invitations[0]
            assert (invitation.relation, invitation.may_locate) == ("grandmother", False)
            joined = await grandmother.family.accept_invitation(invitation.invitation_id)
            assert [family.family_id for family in joined.families] == [family_id]
            second = next(guardian for guardian in await mother.family.guardians(family_id) if not guardian.is_primary)
            await mother.family.change_guardian(family_id, second.guardian_id, may_manage=True)
            await mother.family.remove_guardian(family_id, second.guardian_id)
            with pytest.raises(ProblemError) as refused:
                await grandmother.family.children(family_id)
            assert refused.value.status == 404


async def test_a_refusal_has_a_code_a_status_and_a_sentence(server: Server, database: Database, tmp_path: Path) -> None:
    async with SimParent(server.url, tmp_path) as stranger:
        with pytest.raises(ProblemError) as refused:
            await stranger.me()
        assert (refused.value.code, refused.value.status) == ("not_logged_in", 401)
        await stranger.request_code("+8613800000000")
        with pytest.raises(ProblemError) as wrong:
            await stranger.log_in("+8613800000000", "000000")
        assert wrong.value.status == 403
        assert wrong.value.detail.endswith(".")
    async with mother_of(server, database, tmp_path / "mother") as (mother, child_id):
        with pytest.raises(ProblemError) as unknown:
            await mother.family.pair(child_id, "000000")
        assert unknown.value.code == "pairing_code_unknown"
        with pytest.raises(ProblemError) as refused_text:
            await mother.write(child_id, "a\x00b")
        assert refused_text.value.status == 422
        assert mother.waiting() == []  # refused for good: not sent again


async def test_an_ended_access_token_is_renewed_once_for_all_who_ask_at_once(
    server: Server, database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (mother, _):
        clock.advance(hours=1)
        names = await asyncio.gather(*(mother.me() for _ in range(8)))
        assert len({me.guardian_id for me in names}) == 1
        # A refresh token works once: had two been tried, the session would be over by now.
        clock.advance(hours=1)
        assert (await mother.me()).families


async def test_a_session_survives_a_restart_and_ends_with_log_out(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (mother, _):
        await mother.me()
    async with SimParent(server.url, tmp_path) as mother:
        assert mother.is_logged_in
        await mother.me()
        await mother.log_out()
        assert not mother.is_logged_in


class LosesAnswers(httpx.AsyncHTTPTransport):
    """A network that carries every request and loses the answers to the first few."""

    def __init__(self, lost: int) -> None:
        super().__init__()
        self.lost = lost

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.method == "POST" and request.url.path.endswith("/messages") and self.lost:
            self.lost -= 1
            await answer.aread()
            await answer.aclose()
            raise httpx.ReadError("lost")
        return answer


async def test_a_message_whose_answer_was_lost_is_there_once(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (_, child_id):
        pass
    async with SimParent(server.url, tmp_path, transport=LosesAnswers(2)) as mother:
        sent = await mother.write(child_id, "good night")
        assert state_at_child(sent) == "queued"
        assert [message.text for message in await mother.history(child_id)] == ["good night"]
        assert mother.waiting() == []


async def test_a_message_written_while_the_server_is_away_is_sent_after_a_restart_once(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (_, child_id):
        pass
    async with SimParent(server.url, tmp_path, transport=LosesAnswers(99)) as mother:
        with pytest.raises(ServerAwayError):
            await mother.write(child_id, "one", timeout_s=0.1)
    await server.stop()
    async with SimParent(server.url, tmp_path) as mother:
        with pytest.raises(ServerAwayError):
            await mother.write(child_id, "two", timeout_s=0.1)
        await server.start()
        sent = await mother.send_waiting()
        assert [message.text for message in sent] == ["one", "two"]
        assert [message.text for message in await mother.history(child_id)] == ["one", "two"]
        assert mother.waiting() == []


async def test_events_go_on_where_they_were_over_a_lost_server_and_a_restart(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (mother, child_id):
        async with contextlib.aclosing(mother.follow()) as events:
            assert (await anext(events)).kind == "ready"
            first = await mother.write(child_id, "one")
            event = await anext(events)
            assert (event.kind, event.ref_id, event.child_id) == ("message.created", first.message_id, child_id)
            await server.stop()
            await server.start()
            second = await mother.write(child_id, "two")
            received = [event async for event in take_until(events, second.message_id)]
            assert [event.ref_id for event in received if event.kind == "message.created"] == [second.message_id]
        third = await mother.write(child_id, "three")
    async with SimParent(server.url, tmp_path) as mother, contextlib.aclosing(mother.follow()) as events:
        received = [event async for event in take_until(events, third.message_id)]
        # The last event before the restart was not handled to its end, so it comes again.
        refs = [event.ref_id for event in received if event.kind == "message.created"]
        assert refs in ([second.message_id, third.message_id], [third.message_id])


async def take_until(events: AsyncIterator[FamilyEvent], ref_id: str) -> AsyncIterator[FamilyEvent]:
    async with asyncio.timeout(60):
        async for event in events:
            yield event
            if event.ref_id == ref_id:
                return


async def test_waiting_for_a_message_sees_what_is_there_and_what_comes(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (mother, child_id):
        waiting = asyncio.create_task(
            mother.wait_for_message(child_id, lambda message: message.text == "two", timeout_s=60)
        )
        for text in ("one", "two", "three"):
            await mother.write(child_id, text)
        assert (await waiting).text == "two"
        assert (
            await mother.wait_for_message(child_id, lambda message: message.text == "one", timeout_s=60)
        ).text == "one"
        with pytest.raises(TimeoutError):
            await mother.wait_for_message(child_id, lambda message: message.text == "four", timeout_s=0.2)
