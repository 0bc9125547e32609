"""A watch is paired, unpaired, paired again and handed on, and nobody sees what is not theirs."""

from __future__ import annotations

import dataclasses

import pytest

from services.core.devices.watches.queries import watch_by_serial
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import ProblemError
from tests.e2e.conftest import Play, pair


async def _is_on_its_way(parent: SimParent, child_id: str) -> bool:
    shown = (await parent.family.child(child_id)).watch
    assert shown is not None
    return shown.on_its_way_since_at is not None


async def test_the_same_family_pairs_again_and_history_stays(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        await parent.write(child, "before")
        await watch.wait_for("received", text="before")
        assert await _is_on_its_way(parent, child), "what the parent does is no sign of the child"
        await watch.wait_stored(watch.write("family", "it fits"))
        assert await _is_on_its_way(parent, child), "on the day of the hand-out it may be a trial"
        old = watch.username
        await parent.family.unpair(child)
        # Through the gate, too: its own connection to the broker ends with the watch's.
        await watch.wait_for("offline", timeout_s=60)
        await watch.wait_for("wiped", username=old)
        assert watch.inbox() == []
        message = await parent.write(child, "in between")
        assert message.recipients[0].state == "queued"
        await pair(watch, parent, child)
        assert watch.username != old
        await watch.wait_for("received", text="in between")
        assert [message.text for message in await parent.history(child)] == ["before", "it fits", "in between"]
        assert await _is_on_its_way(parent, child)
        await parent.family.arrived(child)
        assert not await _is_on_its_way(parent, child)


async def test_the_next_family_sees_nothing_of_the_first(play: Play) -> None:
    first, second = await play.home(), await play.home()
    async with play.parent(first.phone) as mother, play.parent(second.phone) as other, play.watch(first) as watch:
        await pair(watch, mother, str(first.child_id))
        await mother.write(str(first.child_id), "only for Mei")
        await watch.wait_for("received", text="only for Mei")
        await mother.write(str(first.child_id), "never arrived")
        await mother.family.unpair(str(first.child_id), "returned")
        await watch.wait_for("wiped")
        async with play.database.begin() as work:
            device = await watch_by_serial(work, first.serial, lock=True)
            assert device is not None
            device.handed_out_to = second.family_id
            work.add(device)
        await pair(watch, other, str(second.child_id))
        await other.write(str(second.child_id), "for the next child")
        await watch.wait_for("received", text="for the next child")
        assert [item.text for item in watch.inbox()] == ["for the next child"]
        assert [message.text for message in await other.history(str(second.child_id))] == ["for the next child"]
        with pytest.raises(ProblemError) as refused:
            await other.history(str(first.child_id))
        assert (refused.value.status, refused.value.code) == (404, "not_found")


async def test_lost_credentials_are_replaced_by_the_same_family(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        old = watch.username
        watch.forget_credentials()
        await pair(watch, parent, child)
        assert watch.username != old
        await parent.write(child, "there you are")
        await watch.wait_for("received", text="there you are")


async def test_a_strangers_code_tells_nothing_and_the_family_hears_of_it(play: Play) -> None:
    home, stranger = await play.home(), await play.home()
    async with play.parent(home.phone) as mother, play.parent(stranger.phone) as thief, play.watch(home) as watch:
        shown = await watch.pair()
        for code in (shown.code, "000000"):
            with pytest.raises(ProblemError) as refused:
                await thief.family.pair(str(stranger.child_id), code)
            assert (refused.value.status, refused.value.code) == (422, "pairing_code_unknown")
        with pytest.raises(ProblemError) as foreign:
            await thief.family.pair(str(home.child_id), shown.code)
        assert (foreign.value.status, foreign.value.code) == (404, "not_found")
        await mother.family.pair(str(home.child_id), shown.code)
        await watch.wait_for("paired")
        # The same request again (its answer was lost): the same pairing.
        again = await mother.family.pair(str(home.child_id), shown.code)
        assert again.pairing_id == (await mother.family.pairing(str(home.child_id))).pairing_id


async def test_a_lost_watch_is_off_at_once_and_gets_nothing_that_waited(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child)
        await parent.family.unpair(child, "lost")
        await watch.wait_for("offline", timeout_s=60)
        await parent.write(child, "for the next watch")
        await watch.wait_for("login_refused", timeout_s=60)
        assert "for the next watch" not in [item.text for item in watch.inbox()]
        # It was refused, not told to wipe: only a watch that may ask is told that.
        assert watch.username is not None


async def test_an_invited_guardian_talks_and_a_removed_one_is_out_at_once(play: Play) -> None:
    home = await play.home()
    child = str(home.child_id)
    phone = dataclasses.replace(home, phone="+86139" + home.phone[-8:]).phone
    async with play.parent(home.phone) as mother, play.watch(home) as watch:
        await pair(watch, mother, child)
        await mother.family.invite(str(home.family_id), phone, "grandmother", display_name="Nai Nai")
        async with play.parent(phone) as grandmother:
            me = await grandmother.me()
            await grandmother.family.accept_invitation(me.invitations[0].invitation_id)
            await watch.wait_until(lambda: "Nai Nai" in [contact.name for contact in watch.contacts()])
            kept = watch.write("Nai Nai", "just for you")
            await watch.wait_stored(kept)
            assert [message.text for message in await grandmother.history(child)] == ["just for you"]
            assert await mother.history(child) == []
            follower = grandmother.follow()
            assert (await anext(follower)).kind == "ready"
            await mother.family.remove_guardian(str(home.family_id), me.guardian_id)
            with pytest.raises(ProblemError) as refused:
                await grandmother.history(child)
            assert refused.value.status == 404
            await watch.wait_until(lambda: "Nai Nai" not in [contact.name for contact in watch.contacts()])
            await follower.aclose()
