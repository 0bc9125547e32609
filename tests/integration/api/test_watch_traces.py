"""What the backend saw of a watch: opened for a day, written to the family's log, and never content or a place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlmodel import col, func, select

from services.broker.log_lines import ClientConnected, ClientGone
from services.broker.tracing import ConnectionTrace
from services.core.devices.traces.actions import open_trace, read_trace
from services.core.devices.traces.buffer import TraceBuffer
from services.core.devices.traces.rules import LINES_MAX, WAITING_MAX, Seen
from services.core.devices.traces.tables import WatchTraceLine
from services.core.devices.watches.tables import Watch
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.protocol.topics import UplinkKind, User, parse_user, uplink
from services.watch_link.backend import Backend
from services.watch_link.receiving import receive
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, fill_buckets, make_family, make_place, pair
from tests.support.staff_http import StaffMember, make_staff, renewed
from tests.support.world import make_watch


@dataclass
class Desk:
    """A site whose staff look for a fault, a family with a paired watch, and the backend's own buffer."""

    place: Place
    staff: StaffMember
    parent: Parent
    watch: Watch
    user: User
    buffer: TraceBuffer

    @property
    def path(self) -> str:
        return f"/v1/staff/sites/{self.place.site.site_id}/watch-traces"

    async def calls(self) -> str:
        """The family calls for help: the watch is broken. Return the id of the call."""
        call: dict[str, str] = await self.parent.told("POST", f"{self.parent.child}/help", json={"kind": "broken"})
        return call["help_id"]

    async def opened(self) -> str:
        opened = await self.staff.told("POST", self.path, json={"scan": self.watch.serial})
        await self.buffer.write()
        return f"{self.path}/{opened['trace_id']}"

    async def lines(self, trace: str) -> list[tuple[str, str, str]]:
        await self.buffer.write()
        return [
            (line["identity"], line["what"], line["detail"]) for line in (await self.staff.told("GET", trace))["lines"]
        ]

    async def log(self) -> list[str]:
        entries = (await self.parent.told("GET", f"{self.parent.family}/audit"))["entries"]
        return [entry["action"] for entry in reversed(entries) if entry["action"].startswith("watch.trace")]

    async def rows(self) -> int:
        async with self.parent.database.begin() as work:
            counted = select(func.count()).where(col(WatchTraceLine.watch_id) == self.watch.watch_id)
            return (await work.session.exec(counted)).one()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(client: httpx.AsyncClient, database: Database) -> Desk:
    await fill_buckets(database)
    place = await make_place(database)
    parent = await make_family(client, database, place)
    identity = await pair(parent, place)
    user = parse_user(identity.username)
    assert user is not None
    async with database.begin() as work:
        watch = await work.session.get_one(Watch, identity.watch_id)
    staff = await make_staff(client, database, place)
    return Desk(place, staff, parent, watch, user, TraceBuffer(database, traces_all=False))


async def test_a_paired_watch_needs_an_open_call_and_the_family_reads_of_it(desk: Desk, clock: FakeClock) -> None:
    body = {"scan": desk.watch.serial}
    assert await desk.staff.refused("POST", desk.path, json=body) == (409, "trace_not_allowed")
    help_id = await desk.calls()
    trace = await desk.opened()
    assert await desk.opened() == trace
    assert await desk.log() == ["watch.trace_opened"]
    assert await desk.lines(trace) == []
    await desk.lines(trace)
    assert await desk.log() == ["watch.trace_opened", "watch.trace_read"]

    # It ends with the call, and after a day in any case.
    await desk.staff.told("POST", f"/v1/staff/sites/{desk.place.site.site_id}/help/{help_id}/done")
    assert await desk.staff.refused("GET", trace) == (409, "trace_not_allowed")
    await desk.calls()
    assert await desk.lines(trace) == []
    clock.advance(hours=24)
    desk.staff = await renewed(desk.staff, desk.parent.database)
    assert await desk.staff.refused("GET", trace) == (409, "trace_closed")
    assert await desk.opened() != trace


@pytest.mark.parametrize("role", ["coordinator", "factory"])
async def test_it_takes_staff_and_the_own_site(
    desk: Desk, client: httpx.AsyncClient, database: Database, role: str
) -> None:
    await desk.calls()
    trace = await desk.opened()
    body = {"scan": desk.watch.serial}
    other = await make_staff(client, database, desk.place, role)
    for method, path, payload in (("POST", desk.path, body), ("GET", trace, None)):
        assert await other.refused(method, path, json=payload) == (403, "permission_missing")
    elsewhere = await make_place(database)
    stranger = await make_staff(client, database, elsewhere)
    path = f"/v1/staff/sites/{elsewhere.site.site_id}/watch-traces"
    assert (await stranger.refused("POST", path, json=body))[1] == "watch_unknown"
    assert await stranger.refused("GET", f"{path}/{trace.rpartition('/')[2]}") == (404, "not_found")
    assert await stranger.refused("GET", trace) == (404, "not_found")


async def test_connections_hellos_and_refusals_are_seen_with_their_reasons_and_no_content(
    desk: Desk, settings: Settings, database: Database
) -> None:
    await desk.calls()
    backend = Backend(database, BlobStore.of(settings), settings, trace=desk.buffer)
    name = desk.user.name
    broker = ConnectionTrace(desk.buffer)

    async def say(kind: UplinkKind, body: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        await receive(backend, uplink(desk.user, kind), content)

    hello = {"tst": 0, "conn": "n1", "contacts_version": 0, "config_version": 0, "firmware": "1.4.2 of Mei"}
    # Not traced yet: nothing is kept.
    await say(UplinkKind.HELLO, hello)
    assert (await desk.rows(), desk.buffer.is_traced(name)) == (0, False)
    trace = await desk.opened()
    broker.note(ClientConnected("203.0.113.9", 4711, name, name, keeps_session=False))
    await say(UplinkKind.HELLO, hello)
    await say(UplinkKind.TEXT, b"{'text': 'Mama")
    await say(UplinkKind.TEXT, {"id": "k3m9q2x7d5fa", "to": "family", "text": "Mama, come!"})
    await say(UplinkKind.LOCATION, [{"_type": "location", "lat": 23.1, "lon": 213.7, "tst": 1, "id": "p3m9q2x7d5fa"}])
    await receive(backend, f"sw/v1/{name}/up/dance", b"{}")
    broker.note(ClientGone(name, reason="timeout"))
    broker.note(ClientGone("w-otherotherot", reason="timeout"))
    assert await desk.lines(trace) == [
        ("paired", "connected", ""), ("paired", "hello", ""), ("paired", "refused", "text malformed"),
        ("paired", "refused", "location lon_out_of_range"), ("paired", "put_off", "unknown_topic"),
        ("paired", "gone", "timeout"),
    ]  # fmt: skip


async def test_the_ring_is_bounded_in_the_process_and_in_the_database(desk: Desk) -> None:
    await desk.calls()
    trace = await desk.opened()
    for number in range(WAITING_MAX + 50):
        desk.buffer.note(desk.user.name, Seen.REFUSED, f"text {number}")
    lines = await desk.lines(trace)
    assert (len(lines), lines[-1][2]) == (LINES_MAX, f"text {WAITING_MAX + 49}")
    desk.buffer.note(desk.user.name, Seen.GONE, "closed")
    assert (await desk.lines(trace))[-2:] == [lines[-1], ("paired", "gone", "closed")]
    assert await desk.rows() == LINES_MAX


async def test_lines_of_a_pairing_are_gone_for_the_next_one_and_with_the_child(desk: Desk) -> None:
    await desk.calls()
    trace = await desk.opened()
    desk.buffer.note(desk.user.name, Seen.HELLO)
    assert len(await desk.lines(trace)) == 1
    await desk.parent.told("DELETE", f"{desk.parent.child}/pairing")
    # Unpaired: the watch may be traced, and shows nothing of the time with the child.
    desk.buffer.note(f"f-{desk.watch.serial}", Seen.HELLO, "pairing")
    await desk.buffer.write()
    desk.buffer.note(f"f-{desk.watch.serial}", Seen.HELLO, "pairing")
    assert await desk.lines(trace) == [("factory", "hello", "pairing")]
    assert await desk.rows() == 2
    await desk.parent.told("DELETE", f"/v1/children/{desk.parent.child_id}", params={"confirm": "erase"})
    assert await desk.rows() == 1


async def test_in_development_every_watch_is_recorded_with_receipts_and_read_without_a_call(
    database: Database, desk: Desk, settings: Settings
) -> None:
    buffer = TraceBuffer(database, traces_all=True)
    buffer.note(desk.user.name, Seen.HELLO)
    buffer.note("w-unknownunkno", Seen.HELLO)
    await buffer.write()
    assert await desk.rows() == 1
    backend = Backend(database, BlobStore.of(settings), settings, trace=buffer)
    text = {"id": "k3m9q2x7d5fa", "to": "family", "text": "Mama, come!"}
    await receive(backend, uplink(desk.user, UplinkKind.TEXT), json.dumps(text).encode())
    await buffer.write()
    async with database.begin() as work:
        work.is_development = True
        await open_trace(work, OPERATOR, desk.watch)
        lines = [(line.what, line.detail) for line in await read_trace(work, OPERATOR, desk.watch)]
    assert lines == [("hello", ""), ("receipt", "text stored")]


async def test_an_unpaired_watch_on_the_shelf_is_traced_without_any_family(desk: Desk, database: Database) -> None:
    async with database.begin() as work:
        watch, _ = await make_watch(work, desk.place.site.site_id, None)
    opened = await desk.staff.told("POST", desk.path, json={"scan": watch.serial})
    assert (await desk.staff.told("GET", f"{desk.path}/{opened['trace_id']}"))["lines"] == []
