"""Canaries go through every door of a running system; then the child is erased, and nothing anywhere sings."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from services.core.blobs.tables import Blob
from services.device_sim.parent import SimParent
from services.device_sim.watch import SimWatch
from tests.builders import Home
from tests.canary import files_with, rows_with
from tests.e2e.conftest import Play, pair
from tests.parent import TEXT_VERSION
from tests.sounds import encoded

DEADLINE_S = 60.0
SOUND = encoded("amr-nb", 1.3)


@dataclass
class Scene:
    """A family at home: its parent's app, its child's watch, and a way to ask what the app cannot."""

    home: Home
    parent: SimParent
    watch: SimWatch
    client: httpx.AsyncClient

    @property
    def child_id(self) -> str:
        return str(self.home.child_id)

    @property
    def child(self) -> str:
        return f"/v1/children/{self.home.child_id}"


async def a_childs_name_and_birth(scene: Scene) -> list[str]:
    told = {"name": "CanaryMei", "birth_date": "2015-09-17"}
    (await scene.client.patch(scene.child, json=told)).raise_for_status()
    return ["CanaryMei", "2015-09-17"]


async def texts_both_ways(scene: Scene) -> list[str]:
    await scene.parent.write(scene.child_id, "canary down")
    await scene.watch.wait_for("received", text="canary down")
    await scene.watch.wait_stored(scene.watch.write("family", "canary up"))
    return ["canary down", "canary up"]


async def a_text_that_never_arrives(scene: Scene) -> list[str]:
    await scene.watch.go_offline()
    await scene.parent.write(scene.child_id, "canary in the inbox")
    return ["canary in the inbox"]


async def a_contact(scene: Scene) -> list[str]:
    await scene.parent.add_contact(scene.child_id, "CanaryTeacher", "teacher", "+8613900864213")
    return ["CanaryTeacher", "13900864213"]


async def a_voice_message(scene: Scene) -> list[str]:
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "audio/amr"}
    said = await scene.client.post(f"{scene.child}/voice-messages", content=SOUND, headers=headers)
    said.raise_for_status()
    (await scene.client.get(f"{scene.child}/messages/{said.json()['message_id']}/audio")).raise_for_status()
    return [hashlib.sha256(SOUND).hexdigest()]


async def a_sound_on_its_way(scene: Scene) -> list[str]:
    digest = hashlib.sha256(b"canary").hexdigest()
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    said = {"bytes": 5000, "sha256": digest}
    (await scene.client.post(f"{scene.child}/uploads", json=said, headers=headers)).raise_for_status()
    return [digest]


async def _agree_to_places(scene: Scene) -> None:
    family = f"/v1/families/{scene.home.family_id}"
    may = {"may_locate": True}
    (await scene.client.patch(f"{family}/guardians/{scene.home.guardian_id}", json=may)).raise_for_status()
    for part in ("location", "sos_places"):
        said = {"part": part, "text_version": TEXT_VERSION, "locale": "en", "how": "app"}
        (await scene.client.post(f"{family}/consents", json=said)).raise_for_status()
    (await scene.client.patch(f"{scene.child}/watch-settings", json={"location": True})).raise_for_status()


def _in_every_form(*degrees: float) -> list[str]:
    """Return numbers as text, and as the digits in which a row would show them if they were stored unsealed."""
    return [form for one in degrees for form in (str(one), struct.pack(">d", one).hex(), struct.pack("<d", one).hex())]


async def a_place_and_a_zone(scene: Scene) -> list[str]:
    await _agree_to_places(scene)
    lat, lon = 23.027713, 113.753391
    zone = {"name": "CanarySchool", "shape": {"kind": "circle", "lat": lat, "lon": lon, "radius_m": 150}}
    (await scene.client.post(f"{scene.child}/zones", json=zone)).raise_for_status()
    fix = {"_type": "location", "lat": lat, "lon": lon, "acc": 9, "tst": int(time.time()), "id": "l7f3k2m1x9qd"}
    await scene.watch.publish_raw("up/location", json.dumps(fix).encode())
    async with asyncio.timeout(DEADLINE_S):
        while (await scene.client.get(f"{scene.child}/checkins/latest")).json()["seen"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return ["CanarySchool", *_in_every_form(lat, lon)]


async def a_place_in_an_sos(scene: Scene) -> list[str]:
    lat, lon = 23.031829, 113.761247
    scene.watch.give_fix(lat, lon, 12)
    await scene.watch.wait_stored(scene.watch.alert())
    [alert] = (await scene.client.get(f"{scene.child}/alerts")).json()["alerts"]
    told = (await scene.client.get(f"{scene.child}/alerts/{alert['alert_id']}/place")).json()
    assert (told["seen"]["place"]["lat"], told["seen"]["place"]["lon"]) == (lat, lon)
    return _in_every_form(lat, lon)


# A new room with something to say about a child adds its own line here.
PLANTS: tuple[Callable[[Scene], Awaitable[list[str]]], ...] = (
    a_childs_name_and_birth,
    a_contact,
    texts_both_ways,
    a_voice_message,
    a_sound_on_its_way,
    a_place_and_a_zone,
    a_place_in_an_sos,
    a_text_that_never_arrives,
)


async def _blob_files(play: Play, home: Home) -> list[Path]:
    folder = Path(play.machine.settings["blob_url"].removeprefix("file:"))
    async with play.database.begin() as work:
        found = await work.session.exec(select(Blob.blob_id).where(col(Blob.child_id) == home.child_id))
        return [folder / one.hex[:2] / one.hex for one in found.all()]


@pytest.mark.timeout(180)
async def test_nothing_of_an_erased_child_is_left_in_rows_objects_the_broker_or_logs(play: Play) -> None:
    home = await play.home()
    async with (
        play.parent(home.phone) as parent,
        play.watch(home) as watch,
        httpx.AsyncClient(base_url=play.machine.api_url, trust_env=False) as client,
    ):
        await pair(watch, parent, str(home.child_id))
        session = parent._store.session()  # noqa: SLF001 - the app knows no voice and no erasure yet
        assert session is not None
        client.headers["Authorization"] = f"Bearer {session.access_token}"
        scene = Scene(home, parent, watch, client)
        canaries = [canary for plant in PLANTS for canary in await plant(scene)]
        username = watch.username
        assert username is not None
        files = await _blob_files(play, home)
        assert files
        # They are there: else nothing would be proved by their absence.
        assert await rows_with(play.database, "CanaryMei")
        assert await rows_with(play.database, "CanaryTeacher")

        erased = await client.delete(scene.child, params={"confirm": "erase"})

        assert erased.status_code == 200
        assert erased.json()["watch_copy"] == "not_confirmed"
        assert [canary for canary in canaries if await rows_with(play.database, canary)] == []
        await watch.go_online()
        await watch.wait_for("wiped", username=username, timeout_s=DEADLINE_S)
        assert watch.inbox() == []
    folder = play.machine.instance.folder
    places = [
        Path(play.machine.settings["mosquitto_dir"]),
        folder / "log",
        folder / "blobs",
        folder / "postgres" / "postgres.log",
    ]
    wanted = [canary.encode() for canary in canaries]
    async with asyncio.timeout(DEADLINE_S):
        # Objects go with the worker's next sweep, the broker's file is written anew every second.
        while any(file.exists() for file in files) or files_with(places, [*wanted, username.encode()]):  # noqa: ASYNC110
            await asyncio.sleep(0.5)
