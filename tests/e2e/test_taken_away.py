"""A watch that is unpaired, lost, brought back, broken or replaced is off within five seconds, and what waited for it
stays here: whether it was connected at that moment or not, whatever it does to its session at the broker.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import aiomqtt
import pytest

from services.core.office.hand_outs.withdrawal import replace_watch, withdraw_watch
from services.core.platform.audit.actions import OPERATOR
from services.device_sim.parent.parent import SimParent
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play, pair
from tests.support.mqtt_client import MqttClient, connected
from tests.support.world import Home, make_watch

# The promise itself, not a guess of how long it may take.
OFF_WITHIN_S = 5.0
WAITED = "written while it still was hers"
LATER = "written when it no longer was"

Way = Callable[[Play, SimParent, Home], Awaitable[None]]


def _by_guardian(reason: str) -> Way:
    async def unpair(_play: Play, parent: SimParent, home: Home) -> None:
        await parent.family.unpair(str(home.child_id), reason)

    return unpair


def _by_staff(state: str) -> Way:
    async def withdraw(play: Play, _parent: SimParent, home: Home) -> None:
        async with play.database.begin() as work:
            await withdraw_watch(work, OPERATOR, home.serial, state)

    return withdraw


async def _replace(play: Play, _parent: SimParent, home: Home) -> None:
    async with play.database.begin() as work:
        fresh, _ = await make_watch(work, home.site_id, None)
    async with play.database.begin() as work:
        await replace_watch(work, OPERATOR, home.serial, fresh.serial, "broken")


WAYS: dict[str, Way] = {
    "unpaired": _by_guardian("unpaired"),
    "lost, says its guardian": _by_guardian("lost"),
    "brought back, says its guardian": _by_guardian("returned"),
    "lost, say staff": _by_staff("lost"),
    "broken, say staff": _by_staff("broken"),
    "replaced": _replace,
}
# These may still ask as factory identity how they stand, and are told to forget everything.
WIPES_ITSELF = {"unpaired"}


def _switched_on(play: Play, home: Home) -> SimWatch:
    """Return the family's watch on the plain listener of loopback.

    The gate before the other one slows an address that is refused again and again, and everybody here shares one.
    """
    return SimWatch(
        play.folder / home.serial, "127.0.0.1", play.installation.ports["mosquitto_plain_port"],
        serial=home.serial, secret=home.secret, timings=Timings.quick(),
    )  # fmt: skip


def _taken_apart(
    play: Play, login: tuple[str, str], *, clean_session: bool
) -> contextlib.AbstractAsyncContextManager[MqttClient]:
    """Connect as whoever reads the watch's password from its memory."""
    return connected(play.installation.ports["mosquitto_plain_port"], *login, clean_session=clean_session)


async def _is_refused(play: Play, login: tuple[str, str], *, clean_session: bool) -> bool:
    try:
        async with _taken_apart(play, login, clean_session=clean_session):
            return False
    except aiomqtt.MqttError:
        return True


async def _got_nothing(play: Play, parent: SimParent, home: Home, watch: SimWatch, login: tuple[str, str]) -> None:
    """Waiting items are not on the watch, do not reach a holder of its password, and wait for the child."""
    assert not {WAITED, LATER} & {item.text for item in watch.inbox()}
    for clean_session in (True, False):
        assert await _is_refused(play, login, clean_session=clean_session)
    states = {message.text: message.recipients[0].state for message in await parent.history(str(home.child_id))}
    assert states == {WAITED: "queued", LATER: "queued"}


def _login_of(watch: SimWatch) -> tuple[str, str]:
    credentials = watch._store.credentials()  # noqa: SLF001 - whoever takes a watch apart finds them
    assert credentials is not None
    return credentials.username, credentials.password


@pytest.mark.parametrize("way", WAYS)
async def test_a_watch_that_was_off_gets_nothing_of_what_waited_when_it_comes_back(play: Play, way: str) -> None:
    home = await play.home()
    async with play.parent(home.phone) as parent, _switched_on(play, home) as watch:
        await pair(watch, parent, str(home.child_id))
        login = _login_of(watch)
        await watch.go_offline()
        await parent.write(str(home.child_id), WAITED)
        # A thief with the watch's password keeps a session at the broker.
        async with _taken_apart(play, login, clean_session=False) as client:
            await client.subscribe(f"sw/v1/{login[0]}/down/#")
        await WAYS[way](play, parent, home)
        await parent.write(str(home.child_id), LATER)
        # At once: the broker may not have heard of it yet.
        await watch.go_online()
        await watch.wait_for("login_refused", username=login[0])
        await _got_nothing(play, parent, home, watch, login)
        if way in WIPES_ITSELF:
            await watch.wait_for("wiped", username=login[0])


@pytest.mark.parametrize("way", WAYS)
async def test_a_watch_that_is_there_is_off_within_five_seconds(play: Play, way: str) -> None:
    home = await play.home()
    async with play.parent(home.phone) as parent, _switched_on(play, home) as watch:
        await pair(watch, parent, str(home.child_id))
        login = _login_of(watch)
        watch.has_room = False
        await parent.write(str(home.child_id), WAITED)
        began_s = asyncio.get_running_loop().time()
        await WAYS[way](play, parent, home)
        await parent.write(str(home.child_id), LATER)
        await watch.wait_for("offline", timeout_s=OFF_WITHIN_S)
        assert asyncio.get_running_loop().time() - began_s < OFF_WITHIN_S
        watch.has_room = True
        await watch.wait_for("login_refused", username=login[0])
        await _got_nothing(play, parent, home, watch, login)
