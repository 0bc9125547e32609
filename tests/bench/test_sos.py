"""How long a cry for help takes from the watch to a guardian's open app, against the bare parts of the way."""

from __future__ import annotations

import itertools
import uuid

import asyncpg
import httpx

from services.core.platform.settings import Settings
from tests.bench.ratios import measure_ratio
from tests.integration.api.conftest import Live, live, serve
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.http import make_family, make_place
from tests.support.mqtt_client import connected
from tests.support.watch import Stand
from tests.support.world import Home, make_watch, wear

__all__ = ["live", "serve", "stand"]


async def test_an_sos_reaches_an_open_app_in_under_a_second(
    live: Live, stand: Stand, client: httpx.AsyncClient, settings: Settings
) -> None:
    place = await make_place(stand.database)
    parent = await make_family(client, stand.database, place)
    family_id, child_id = uuid.UUID(str(parent.family_id)), uuid.UUID(parent.child_id)
    async with stand.database.begin() as work:
        watch_row, secret = await make_watch(work, place.site.site_id, family_id)
    home = Home(
        family_id, uuid.UUID(parent.guardian_id), parent.phone, child_id, place.site.site_id, watch_row.serial, secret
    )
    worn = await wear(stand.database, home)
    await stand.install()
    raw = await asyncpg.connect(settings.database_url)
    password = stand.settings.mqtt_backend_password.get_secret_value()
    numbers = itertools.count(100)
    async with (
        stand.bridge(),
        stand.watch(worn.username, worn.password) as watch,
        connected(stand.settings.mqtt_backend_port, "sw-backend", password, client_id="bench") as backend,
        live.follow(parent) as stream,
    ):
        await watch.hello()

        async def ours() -> None:
            await watch.say("alert", {"id": f"a5d8k2m1w{next(numbers)}", "kind": "sos"})
            await stream.until("alert.raised")

        async def baseline() -> None:
            await backend.publish(f"sw/v1/{worn.username}/down/bench", b'{"kind":"sos"}')
            await watch.hears("bench")
            await raw.execute("INSERT INTO fact (fact_id, kind, received_at) VALUES (gen_random_uuid(), 'raw', now())")

        ratio = await measure_ratio("an SOS to an open app", ours, "MQTT and one insert, raw", baseline)
    await raw.close()
    assert ratio.ours_ms < 1000
    # Several transactions, a notification and an HTTP stream stand on the way of ours.
    assert ratio.times < 60
