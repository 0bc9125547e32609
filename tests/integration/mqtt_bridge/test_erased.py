"""The watch of an erased child: nothing more is taken from it; it is to wipe itself, and is believed once it shows."""

from __future__ import annotations

from services.core.pairing.wipes import HEARD_AFTER
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.privacy.erasure.actions import erase_child
from services.core.privacy.erasure.removal import remove_now
from services.core.privacy.queries import erasures_of
from tests.integration.mqtt_bridge.test_voice_up import CHUNKS, end, say_chunks
from tests.support.clock import FakeClock
from tests.support.watch import HandWatch, Stand
from tests.support.world import Home


async def _erase(stand: Stand, home: Home) -> None:
    async with stand.database.begin() as work:
        erasure = await erase_child(work, ErasureLedger(stand.settings.erasure_ledger), home.child_id, home.guardian_id)
    await remove_now(stand.database, erasure.erasure_id)


async def _watch_copy(stand: Stand, home: Home) -> str:
    async with stand.database.begin() as work:
        [view] = await erasures_of(work, home.family_id)
        assert view.erasure.rows_gone_at is not None
        return view.watch_copy.value


async def _asks(watch: HandWatch, ask: str) -> dict[str, object]:
    await watch.say("pairing", {"ask": ask})
    return await watch.hears("pairing")


async def test_late_uploads_of_an_erased_childs_watch_are_refused(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await say_chunks(watch, "k3m9q2x7d5fa", 0)
        await watch.say("text", {"id": "t81kd02mq7zr", "to": "family", "text": "before"})
        assert (await watch.hears("receipt"))["code"] == "stored"
        await _erase(stand, home)
        # The broker has not cut the connection yet.
        await say_chunks(watch, "k3m9q2x7d5fa", *range(1, len(CHUNKS)))
        answer = await end(watch, "k3m9q2x7d5fa")
        assert (answer["code"], answer["detail"]) == ("rejected", "not_paired")
        await watch.say("text", {"id": "t92kd03nb4ws", "to": "family", "text": "after"})
        answer = await watch.hears("receipt")
        assert (answer["code"], answer["detail"]) == ("rejected", "not_paired")


async def test_the_copy_on_the_watch_is_not_confirmed_until_the_watch_shows_that_it_is_gone(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.watch(f"f-{home.serial}", home.secret) as factory, stand.bridge():
        assert "credentials" in await factory.hears("pairing")
        await _erase(stand, home)
        unpaired = {"unpaired": True, "username": worn.username}
        assert unpaired.items() <= (await factory.hears("pairing")).items()
        # Told unasked, nobody may have listened: it does not count.
        assert await _watch_copy(stand, home) == "not_confirmed"
        # Asked twice at once, the first answer was lost.
        for _ in range(2):
            assert unpaired.items() <= (await _asks(factory, "status")).items()
            assert await _watch_copy(stand, home) == "not_confirmed"
        # A watch that holds a family's data asks for no code.
        assert "code" in await _asks(factory, "code")
        assert await _watch_copy(stand, home) == "confirmed"


async def test_a_watch_that_asks_how_it_stands_long_after_it_was_told_has_heard_it(
    stand: Stand, clock: FakeClock
) -> None:
    home, _ = await stand.home()
    async with stand.watch(f"f-{home.serial}", home.secret) as factory, stand.bridge():
        assert "credentials" in await factory.hears("pairing")
        await _erase(stand, home)
        await factory.hears("pairing")
        assert (await _asks(factory, "status"))["unpaired"] is True
        clock.advance(minutes=1)
        await _asks(factory, "status")
        assert await _watch_copy(stand, home) == "not_confirmed"
        clock.advance(seconds=HEARD_AFTER.total_seconds())
        await _asks(factory, "status")
        assert await _watch_copy(stand, home) == "confirmed"
