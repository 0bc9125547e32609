"""The parent's app as lines: where the child is, who called, what the watch does, and a new phone that is proven."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.watches.queries import watch_by_serial
from services.core.pairing.codes import code_for_watch
from services.core.platform.db.database import Database
from services.device_sim.console.parent import ParentConsole
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import ProblemError
from tests.integration.device_sim.api_server import Server, log_in
from tests.integration.device_sim.typist import Typist
from tests.support.clock import FakeClock
from tests.support.http import code_in, enrol_family, new_phone, sms_to
from tests.support.places import HOME, away, sent
from tests.support.uplinks import receive_fixes
from tests.support.world import LONG_AGO, Home, Worn, make_home, wear


@contextlib.asynccontextmanager
async def worn_home(server: Server, database: Database, folder: Path) -> AsyncIterator[tuple[SimParent, Home, Worn]]:
    """A parent who is logged in, and the family with a paired watch."""
    home = await make_home(database)
    async with SimParent(server.url, folder) as parent:
        await log_in(parent, database, home.phone)
        yield parent, home, await wear(database, home, since=LONG_AGO)


async def test_a_day_with_a_watch_typed_by_hand(
    server: Server, database: Database, clock: FakeClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with worn_home(server, database, tmp_path) as (parent, home, worn):
        typist = Typist(ParentConsole(parent, phone=None, sms_file=None), capsys)
        assert "right_missing" in await typist.types("place", fails=True)
        turned_on = await typist.types("location on")
        assert "agreed to location" in turned_on
        assert "location on" in turned_on
        assert "nothing good is known\n" in await typist.types("place")

        assert "usage: zone" in await typist.types("zone here there 150 Home", fails=True)
        assert "zone_shape_invalid" in await typist.types(f"zone {HOME.lat} {HOME.lon} 1 Home", fails=True)
        assert "1. Home at Gran's (circle)" in await typist.types(f"zone {HOME.lat} {HOME.lon} 150 Home at Gran's")
        async with database.begin() as work:
            await receive_fixes(
                work,
                [
                    sent(worn.username, clock.now - timedelta(minutes=minutes), away(minutes, 0), accuracy_m=18.0)
                    for minutes in range(40, 10, -2)
                ],
            )
        assert "  Home at Gran's, 12 min ago, within 18 m, by gps\n" in await typist.types("place")
        day = await typist.types("day")
        assert "15 good, 0 poor, 0 bad" in day
        assert "at Home at Gran's (15 fixes)" in day
        assert "usage: day" in await typist.types("day yesterday", fails=True)
        assert "Gran's (circle): inside" in await typist.types("zones")
        await typist.types("zone-remove 1")
        assert "none yet" in await typist.types("zones")

        assert "ring: waiting" in await typist.types("command ring")
        assert "ring: waiting" in await typist.types("commands")
        assert "422" in await typist.types("command listen", fails=True)
        async with database.begin() as work:
            await raise_alert(work, NewAlert(home.child_id, home.family_id, "sos"))
        assert "1. sos" in await typist.types("alerts")
        assert "the child is notified" in await typist.types("acknowledge 1")
        assert "takes care" in await typist.types("alerts")
        assert "1 to 1" in await typist.types("acknowledge 2", fails=True)

        assert "volume 30 %" in await typist.types("settings volume_pct 30")
        assert "422" in await typist.types("settings volume_pct 130", fails=True)
        assert "quiet 21:00 - 06:30" in await typist.types("quiet 21:00 06:30")
        assert "every 1800 s" in await typist.types("settings")
        assert "location off" in await typist.types("location off")


async def test_a_shift_is_typed_in_minutes_from_now(
    server: Server, database: Database, clock: FakeClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.now = datetime.now(UTC)  # a phone knows no other time
    home = await make_home(database)
    async with SimParent(server.url, tmp_path) as parent:
        await log_in(parent, database, home.phone)
        typist = Typist(ParentConsole(parent, phone=None, sms_file=None), capsys)
        assert "on shift until" in await typist.types("busy 90")
        assert "not on shift" in await typist.types("busy no")
        assert "1 to 1440" in await typist.types("busy soon", fails=True)


async def test_consent_to_a_part_is_typed_by_its_name(
    server: Server, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = new_phone()
    await enrol_family(database, phone)
    async with SimParent(server.url, tmp_path) as parent:
        await log_in(parent, database, phone)
        typist = Typist(ParentConsole(parent, phone=None, sms_file=None), capsys)
        assert "to one of: location" in await typist.types("consent nothing", fails=True)
        await typist.types("consent yes")
        assert "agreed to measurement" in await typist.types("consent measurement")
        assert {consent.part for consent in (await parent.me()).families[0].consents} == {"messages", "measurement"}


async def test_a_new_phone_is_proven_by_pin_by_watch_or_by_another_guardian(
    server: Server, database: Database, clock: FakeClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        mother, home, _ = await stack.enter_async_context(worn_home(server, database, tmp_path / "mother"))
        father = await stack.enter_async_context(SimParent(server.url, tmp_path / "father"))
        await mother.family.invite(str(home.family_id), phone := new_phone(), "father", may_message=True)
        await log_in(father, database, phone)
        await father.family.accept_invitation((await father.me()).invitations[0].invitation_id)
        hers, his = (Typist(ParentConsole(parent, phone=None, sms_file=None), capsys) for parent in (mother, father))
        assert "no PIN is set" in await hers.types("pin")
        assert "pin_refused" in await hers.types("pin 111111", fails=True)
        assert "a PIN is set" in await hers.types("pin 730418")

        async def another_phone(name: str) -> Typist:
            clock.advance(minutes=5)
            phone = await stack.enter_async_context(SimParent(server.url, tmp_path / name))
            typist = Typist(ParentConsole(phone, phone=home.phone, sms_file=None), capsys)
            await typist.types("login")
            code = code_in((await sms_to(database, home.phone))[-1])
            assert "second-step pin PIN" in await typist.types(f"login {home.phone} {code}")
            assert "second_step_needed" in await typist.types("me", fails=True)
            return typist

        second = await another_phone("second")
        assert "usage" in await second.types("second-step face 1", fails=True)
        assert "second_step_wrong" in await second.types("second-step pin 730419", fails=True)
        assert "this phone is proven" in await second.types("second-step pin 730418")
        assert "first guardian" in await second.types("me")

        third = await another_phone("third")
        async with database.begin() as work:
            watch = await watch_by_serial(work, home.serial)
            assert watch is not None
            code = (await code_for_watch(work, watch)).code
        assert "this phone is proven" in await third.types(f"second-step watch {code}")

        fourth = await another_phone("fourth")
        assert "ask them first" in await his.types("log-ins")
        assert "log_in_not_read" in await his.types("approve-log-in 1", fails=True)
        clock.advance(seconds=5)
        await his.types("approve-log-in 1")
        assert "this phone is proven" in await fourth.types("second-step")
        assert "nobody waits" in await his.types("log-ins")

        fifth = await another_phone("fifth")
        await his.types("refuse-log-in 1")
        assert "Log in again" in await fifth.types("second-step", fails=True)

        assert (await hers.types("sessions")).count("logged in") == 4
        await hers.types("end 1")
        assert "Log in again" in await fourth.types("me", fails=True)


class _BusyServer(httpx.AsyncHTTPTransport):
    """The way to a server that cannot do what it is asked for some times, and says so before it has done anything."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.left and "/commands" in request.url.path:
            self.left -= 1
            problem = {"code": "try_again", "status": 503, "title": "Try again in a moment.", "retry_after_s": 0}
            return httpx.Response(503, json=problem, headers={"Retry-After": "0"})
        return await super().handle_async_request(request)


async def test_a_busy_server_is_asked_again_for_a_command_and_not_for_ever(
    server: Server, database: Database, tmp_path: Path
) -> None:
    home = await make_home(database)
    await wear(database, home)
    child, busy = str(home.child_id), _BusyServer(3)
    async with SimParent(server.url, tmp_path, transport=busy) as parent:
        await log_in(parent, database, home.phone)
        given = await parent.places.command(child, "ring")
        assert busy.left == 0
        busy.left = 2
        # Asked again, the same command is found.
        assert [command.command_id for command in await parent.places.commands(child)] == [given.command_id]
        assert (await parent.places.command(child, "ring")).command_id == given.command_id
        busy.left = 10
        with pytest.raises(ProblemError) as refused:
            await parent.places.command(child, "ring")
        assert (refused.value.status, refused.value.code, busy.left) == (503, "try_again", 6)
