"""A call for help as the child and two guardians live it: simulated watch, bridge, API and worker on one clock."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from sqlmodel import select

from services.core.pairing.actions import mark_installed
from services.core.pairing.tables import Pairing
from services.core.people.accounts.sms_texts import go_and_look_text
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from services.device_sim.watch.store import WatchStore
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.protocol.pairing import Credentials, PairedWithCredentials
from services.worker.escalation import EscalationLoop
from tests.support.calls import calls_to, calls_to_parents
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, code_on, make_family, make_place, sms_to
from tests.support.watch import Stand
from tests.support.world import make_watch


async def _put_on(stand: Stand, parent: Parent, place: Place, folder: Path, clock: FakeClock) -> SimWatch:
    """Pair a simulated watch with the parent's child over the API; return it switched off."""
    async with stand.database.begin() as work:
        row, secret = await make_watch(work, place.site.site_id, None)
        row.sim_number = "+8613900139555"
        work.add(row)
    await parent.told("POST", f"{parent.child}/pairing", json={"code": await code_on(stand.database, row)})
    async with stand.database.begin() as work:
        statement = select(Pairing).where(Pairing.child_id == uuid.UUID(parent.child_id))
        pairing = (await work.session.exec(statement)).one()
        assert pairing.sealed_password is not None
        username = pairing.username
        password = work.vault.unseal(pairing.sealed_password, f"pairing/{username}").decode()
        await mark_installed(work, [username])
    await stand.install()
    store = WatchStore(folder)
    credentials = Credentials(
        username=username, password=password, client_id=username, prefix=f"sw/v1/{username}", host="127.0.0.1",
        port=stand.plain_port,
    )  # fmt: skip
    store.store_credentials(PairedWithCredentials(child_name="Mei", credentials=credentials))
    store.close()
    return SimWatch(
        folder, "127.0.0.1", stand.plain_port, serial=row.serial, secret=secret, timings=Timings.quick(),
        clock=lambda: clock().timestamp(),
    )  # fmt: skip


async def _two_rounds_find_nobody(watch: SimWatch, later: Callable[[float], Awaitable[None]]) -> None:
    """Let two rounds pass; after each the watch shows whom the child can call. Return when the third one begins."""
    await later(1)
    assert (await watch.wait_for("alert_unanswered"))["call"] == "Neighbour Wu"
    await later(4)
    await watch.wait_for("alert_calling")
    await later(1)
    await watch.wait_for("alert_unanswered")
    await later(14)
    await watch.wait_for("alert_calling")


async def test_the_second_guardian_answers_in_the_third_round_and_the_child_sees_it(
    stand: Stand, client: httpx.AsyncClient, database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    grandmother = await mother.invite()
    wu = await mother.add_contact(name="Neighbour Wu", relation="neighbour", emergency=True)
    path = f"{mother.child}/contacts/{wu['contact_id']}/lives-with-child"
    await mother.told("PUT", path, json={"agreed": True, "witness": "Uncle Chen"})
    worker = EscalationLoop(database)

    async def later(minutes: float) -> None:
        clock.advance(minutes=minutes)
        await worker.escalate_all()

    async with stand.bridge(), await _put_on(stand, mother, place, tmp_path / "watch", clock) as watch:
        await watch.wait_for("online")
        await watch.wait_until(lambda: len(watch.contacts()) == 3)
        await watch.wait_stored(watch.alerts.raise_alert())
        await worker.escalate_all()
        await watch.wait_for("alert_calling")
        (alert,) = (await mother.told("GET", f"{mother.child}/alerts"))["alerts"]
        path = f"{mother.child}/alerts/{alert['alert_id']}"
        assert (alert["emergency_number"], alert["watch_number"]) == ("110", "+8613900139555")
        await _two_rounds_find_nobody(watch, later)
        assert await calls_to_parents([mother, grandmother]) == [3, 3]
        assert await calls_to(database, wu["contact_id"]) == 3
        assert await sms_to(database, wu["number"]) == [go_and_look_text("en").text]
        # The mother is at the machine, the grandmother goes.
        for parent in (mother, grandmother):
            await parent.log_in()
        await mother.told("POST", f"{path}/acknowledge", json={"answer": "cannot_help"})
        assert (await watch.wait_for("alert_seen"))["seen_by"] == "g-1"
        clock.advance(seconds=20)
        body = {"answer": "take_care", "tapped_at": clock.now.isoformat()}
        await grandmother.told("POST", f"{path}/acknowledge", json=body)
        assert (await watch.wait_for("alert_seen"))["seen_by"] == "g-2"
        await later(15)
        async with database.begin() as work:
            event = (await work.session.exec(select(Event).where(Event.kind == "alert.check_asked"))).one()
        assert (str(event.guardian_id), str(event.ref_id)) == (grandmother.guardian_id, alert["alert_id"])
        # The child was not at home: the calls go on.
        await grandmother.log_in()
        await grandmother.told("POST", f"{path}/all-right", json={"all_right": False})
        await watch.wait_for("alert_calling")
        await worker.escalate_all()
        assert await calls_to_parents([mother, grandmother]) == [4, 4]
        # A tap that travelled for two minutes is no news for the child, and ends the calls.
        tapped_at = clock.now
        clock.advance(minutes=2)
        await mother.log_in()
        await mother.told("POST", f"{path}/acknowledge", json={"tapped_at": tapped_at.isoformat()})
        assert (await watch.wait_for("alert_was_seen"))["seen_by"] == "g-1"
        shown = await mother.told("POST", f"{path}/all-right", json={"all_right": True})
        assert [answer["answer"] for answer in shown["answers"]] == ["cannot_help", "take_care", "take_care"]
        assert (shown["all_right_by"], len(shown["calls"])) == (mother.guardian_id, 12)
        await later(120)
        assert await calls_to_parents([mother, grandmother]) == [4, 4]
