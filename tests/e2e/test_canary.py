"""Canaries go through every door of a running system; then the child is erased, and nothing anywhere sings."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from services.core.people.households.tables import Child
from services.core.platform.blobs.tables import Blob
from services.core.privacy.tables import Export
from services.device_sim.parent.parent import SimParent
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.device_sim.watch.watch import SimWatch
from services.protocol.limits import CHUNK_DEFAULT_BYTES
from services.protocol.words import Codec
from tests.e2e.conftest import Play, pair
from tests.support.canary import files_with, rows_with
from tests.support.http import TEXT_VERSION
from tests.support.sounds import encoded
from tests.support.world import Home

DEADLINE_S = 60.0
# A pitch of its own: other tests of the same installation keep recordings of the usual one.
SOUND = encoded("amr-nb", 1.3, pitch_hz=233.0)
PART_HEADERS = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


@dataclass
class Scene:
    """A family at home: its parent's app, its child's watch, and a way to ask what the app cannot."""

    home: Home
    parent: SimParent
    watch: SimWatch
    client: httpx.AsyncClient
    # Sound is stored sealed: it cannot be found while the child is there either.
    sounds: list[bytes] = field(default_factory=list)
    # Where copies of everything can be fetched.
    copies: list[str] = field(default_factory=list)

    @property
    def child_id(self) -> str:
        return str(self.home.child_id)

    @property
    def child(self) -> str:
        return f"/v1/children/{self.home.child_id}"

    @property
    def family(self) -> str:
        return f"/v1/families/{self.home.family_id}"

    async def told(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.client.request(method, path, **options)
        answer.raise_for_status()
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.content

    def heard(self, sound: bytes) -> None:
        """Note 24 bytes from the middle of a recording, which no other one has."""
        self.sounds.append(sound[len(sound) // 2 :][:24])


async def a_childs_name_and_birth(scene: Scene) -> list[str]:
    child = {"name": "CanaryMei", "birth_date": "2015-10-23"}
    (await scene.client.patch(scene.child, json=child)).raise_for_status()
    return ["CanaryMei", "2015-10-23"]


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
    await scene.parent.family.add_contact(scene.child_id, "CanaryTeacher", "teacher", "+8613900864213")
    return ["CanaryTeacher", "13900864213"]


async def a_voice_message(scene: Scene) -> list[str]:
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "audio/amr"}
    answer = await scene.client.post(f"{scene.child}/voice-messages", content=SOUND, headers=headers)
    answer.raise_for_status()
    scene.heard(SOUND)
    scene.heard(await scene.told("GET", f"{scene.child}/messages/{answer.json()['message_id']}/audio"))
    return [hashlib.sha256(SOUND).hexdigest()]


async def a_voice_message_of_the_child(scene: Scene) -> list[str]:
    clip = record_clip(speech(5.0, 71), Codec.AMR_NB)
    await scene.watch.wait_stored(scene.watch.voice.record("family", clip))
    assert len(clip.sound) > CHUNK_DEFAULT_BYTES, "in more chunks than one"
    messages = (await scene.told("GET", f"{scene.child}/messages"))["messages"]
    (spoken,) = [message for message in messages if message["direction"] == "to_family" and message["kind"] == "voice"]
    scene.heard(clip.sound)
    scene.heard(await scene.told("GET", f"{scene.child}/messages/{spoken['message_id']}/audio"))
    return [hashlib.sha256(clip.sound).hexdigest()]


async def a_voice_message_that_the_child_never_finished(scene: Scene) -> list[str]:
    sound = record_clip(speech(2.0, 72), Codec.AMR_NB).sound
    await scene.watch.publish_raw("up/voice/k3m9q2x7d5fb/0", sound[:1024])
    # Chunks have no receipt: what is said after it comes after it.
    await scene.watch.wait_stored(scene.watch.write("family", "canary after a chunk"))
    scene.heard(sound[:1024])
    return ["k3m9q2x7d5fb", "canary after a chunk"]


async def a_sound_on_its_way(scene: Scene) -> list[str]:
    digest = hashlib.sha256(b"canary").hexdigest()
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"bytes": 5000, "sha256": digest}
    (await scene.client.post(f"{scene.child}/uploads", json=body, headers=headers)).raise_for_status()
    return [digest]


async def _agree_to_places(scene: Scene) -> None:
    family = f"/v1/families/{scene.home.family_id}"
    may = {"may_locate": True}
    (await scene.client.patch(f"{family}/guardians/{scene.home.guardian_id}", json=may)).raise_for_status()
    for part in ("location", "sos_places"):
        body = {"part": part, "text_version": TEXT_VERSION, "locale": "en", "how": "app"}
        (await scene.client.post(f"{family}/consents", json=body)).raise_for_status()
    (await scene.client.patch(f"{scene.child}/watch-settings", json={"location": True})).raise_for_status()


def _in_every_form(*degrees: float) -> list[str]:
    """Return numbers as text, and as the digits in which a row would show them if they were stored unsealed."""
    return [
        form
        for degree in degrees
        for form in (str(degree), struct.pack(">d", degree).hex(), struct.pack("<d", degree).hex())
    ]


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
    scene.watch.alerts.give_fix(lat, lon, 12)
    await scene.watch.wait_stored(scene.watch.alerts.raise_alert())
    [alert] = (await scene.client.get(f"{scene.child}/alerts")).json()["alerts"]
    place = (await scene.client.get(f"{scene.child}/alerts/{alert['alert_id']}/place")).json()
    assert (place["seen"]["place"]["lat"], place["seen"]["place"]["lon"]) == (lat, lon)
    return _in_every_form(lat, lon)


async def a_finished_copy(scene: Scene) -> list[str]:
    export = f"{scene.family}/exports/{(await scene.told('POST', f'{scene.family}/exports'))['export_id']}"
    async with asyncio.timeout(DEADLINE_S):
        while (await scene.told("GET", export))["state"] != "ready":  # noqa: ASYNC110 - the app asks, too
            await asyncio.sleep(0.2)
    scene.heard(await scene.told("GET", f"{export}/file"))
    scene.copies.append(f"{export}/file")
    scene.copies.append(httpx.URL((await scene.told("POST", f"{export}/link"))["url"]).path)
    return []


async def a_second_child(scene: Scene) -> list[str]:
    child = await scene.told("POST", f"{scene.family}/children", json={"name": "CanaryLin"})
    second = f"/v1/children/{child['child_id']}"
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"kind": "text", "text": "canary for Lin"}
    await scene.told("POST", f"{second}/messages", json=body, headers=headers)
    return ["CanaryLin", "canary for Lin"]


async def a_guardian_and_one_who_was_invited(scene: Scene) -> list[str]:
    await scene.told("PATCH", "/v1/me", json={"display_name": "CanaryMama"})
    body = {"phone": "+8613900864299", "relation": "aunt", "display_name": "CanaryAunt"}
    await scene.told("POST", f"{scene.family}/invitations", json=body)
    return ["CanaryMama", scene.home.phone.removeprefix("+"), "CanaryAunt", "8613900864299"]


# A new room with something to say about a child adds its own line here.
PLANTS: tuple[Callable[[Scene], Awaitable[list[str]]], ...] = (
    a_childs_name_and_birth,
    a_contact,
    texts_both_ways,
    a_voice_message,
    a_voice_message_of_the_child,
    a_voice_message_that_the_child_never_finished,
    a_sound_on_its_way,
    a_place_and_a_zone,
    a_place_in_an_sos,
    a_finished_copy,
    a_text_that_never_arrives,
)


# Values that are erased with a whole family only.
FAMILY_PLANTS = (a_second_child, a_guardian_and_one_who_was_invited)


def _folder_of(play: Play) -> Path:
    return Path(play.installation.settings["blob_url"].removeprefix("file:"))


async def _blob_files(play: Play, home: Home) -> list[Path]:
    """Return the objects of the family: its recordings, and the copies that were made of everything."""
    exports = select(Export.export_id).where(Export.family_id == home.family_id)
    children = select(Child.child_id).where(Child.family_id == home.family_id)
    async with play.database.begin() as work:
        blob_ids = await work.session.exec(
            select(Blob.blob_id).where(col(Blob.child_id).in_(children) | col(Blob.export_id).in_(exports))
        )
        return [_folder_of(play) / blob_id.hex[:2] / blob_id.hex for blob_id in blob_ids.all()]


async def _is_sealed(play: Play, scene: Scene) -> None:
    """While it is there, no run of the sound stands in any row, object or log as it went in or came out."""
    assert len({*scene.sounds}) == len(scene.sounds) >= 6
    assert [sound for sound in scene.sounds if await rows_with(play.database, sound)] == []
    assert files_with([_folder_of(play), play.installation.instance.folder / "log"], scene.sounds) == []


async def _late_requests_are_refused(scene: Scene, *, family: bool) -> None:
    """Whatever a phone had still to send comes too late: as if there had never been such a child."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    late: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"{scene.child}/messages", {"json": {"kind": "text", "text": "late"}}),
        ("POST", f"{scene.child}/voice-messages", {"content": SOUND, "headers": {"Content-Type": "audio/amr"}}),
        ("POST", f"{scene.child}/uploads", {"json": {"bytes": 5000, "sha256": "0" * 64}}),
        ("PATCH", f"{scene.child}/uploads/{uuid.uuid4()}", {"content": b"late", "headers": PART_HEADERS}),
        ("POST", f"{scene.child}/contacts", {"json": {"name": "Late", "relation": "aunt", "number": "+8613900864277"}}),
        *(("GET", path, {}) for path in scene.copies),
    ]
    for method, path, options in late:
        request = {**options, "headers": {**headers, **options.get("headers", {})}}
        answer = await scene.client.request(method, path, **request)
        # The whole family: its guardian is nobody any more.
        expected = {401, 404} if family else {404}
        assert answer.status_code in expected, (method, path, answer.status_code)


@pytest.mark.parametrize("what", [pytest.param("child", marks=pytest.mark.long), "family"])
async def test_nothing_of_what_is_erased_is_left_in_rows_objects_the_broker_or_logs(play: Play, what: str) -> None:
    home = await play.home()
    async with (
        play.parent(home.phone) as parent,
        play.watch(home) as watch,
        httpx.AsyncClient(base_url=play.installation.api_url, trust_env=False) as client,
    ):
        await pair(watch, parent, str(home.child_id))
        session = parent._store.session()  # noqa: SLF001 - the app knows no voice and no erasure yet
        assert session is not None
        client.headers["Authorization"] = f"Bearer {session.access_token}"
        scene = Scene(home, parent, watch, client)
        plants = PLANTS if what == "child" else (*FAMILY_PLANTS, *PLANTS)
        canaries = [canary for plant in plants for canary in await plant(scene)]
        username = watch.username
        assert username is not None
        files = await _blob_files(play, home)
        assert len(files) > len(scene.sounds) / 2
        assert all(file.exists() for file in files)
        # They are there: else nothing would be proved by their absence.
        for planted in ("CanaryMei", "CanaryTeacher", *(["CanaryLin", "CanaryAunt"] if what == "family" else [])):
            assert await rows_with(play.database, planted)
        await _is_sealed(play, scene)

        erased = await client.delete(scene.child if what == "child" else scene.family, params={"confirm": "erase"})

        assert erased.status_code == 200
        assert erased.json()["watch_copy"] == "not_confirmed"
        wanted: list[str | bytes] = [*canaries, *scene.sounds]
        assert [canary for canary in wanted if await rows_with(play.database, canary)] == []
        await _late_requests_are_refused(scene, family=what == "family")
        if what == "child":
            assert await _watch_copies(scene) == ["not_confirmed"]
        await watch.go_online()
        await watch.wait_for("wiped", username=username, timeout_s=DEADLINE_S)
        assert watch.inbox() == []
        if what == "child":
            # A watch with a family's data requests no code: the request shows that it wiped itself.
            await watch.pair()
            assert await _watch_copies(scene) == ["confirmed"]
    folder = play.installation.instance.folder
    places = [
        Path(play.installation.settings["mosquitto_dir"]),
        folder / "log",
        folder / "blobs",
        folder / "postgres" / "postgres.log",
    ]
    raw = [canary if isinstance(canary, bytes) else canary.encode() for canary in wanted]
    async with asyncio.timeout(DEADLINE_S):
        # Objects go with the worker's next sweep, the broker's file is written anew every second.
        while any(file.exists() for file in files) or files_with(places, [*raw, username.encode()]):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def _watch_copies(scene: Scene) -> list[str]:
    return [erasure["watch_copy"] for erasure in (await scene.told("GET", f"{scene.family}/erasures"))["erasures"]]
