"""Contacts and settings: whole or not at all, any other version, acknowledged by version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.device_sim.watch.body import WatchTraits
from tests.integration.device_sim.scripted_backend import PATIENT, Bench


def contact(number: int, name: str = "") -> dict[str, Any]:
    return {"id": f"g-{number}", "name": name or f"Aunt {number}", "relation": "aunt", "position": number}


async def test_a_list_in_parts_is_taken_when_the_last_part_is_there(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "contacts", version=7, part=2, parts=3, contacts=[contact(2)])
        await backend.says(user, "contacts", version=7, part=2, parts=3, contacts=[contact(2)])
        await backend.says(user, "contacts", version=7, part=3, parts=3, contacts=[contact(3)])
        await backend.says(user, "time", tst=backend.server_tst)
        assert watch.contacts_version == 0
        await backend.says(user, "contacts", version=7, part=1, parts=3, contacts=[contact(1)])
        await backend.hears("ack", user, ref="contacts", version=7, state="done")
        assert [contact.id for contact in watch.contacts()] == ["g-1", "g-2", "g-3"]
    assert backend.count("ack", ref="contacts") == 1


async def test_parts_of_two_versions_are_never_mixed(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "contacts", version=7, part=1, parts=2, contacts=[contact(1, "old")])
        await backend.says(user, "contacts", version=8, part=2, parts=2, contacts=[contact(2, "new")])
        await backend.says(user, "contacts", version=8, part=1, parts=2, contacts=[contact(1, "new")])
        await backend.hears("ack", user, ref="contacts", version=8)
        assert [contact.name for contact in watch.contacts()] == ["new", "new"]


async def test_a_lower_version_is_taken_and_the_same_is_only_acknowledged(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        for version, name in ((9, "nine"), (4, "four"), (4, "again")):
            await backend.says(user, "contacts", version=version, contacts=[contact(1, name)])
            await backend.hears("ack", user, ref="contacts", version=version)
        assert [contact.name for contact in watch.contacts()] == ["four"]
        await backend.says(user, "contacts", version=10, contacts=[])
        await backend.hears("ack", user, ref="contacts", version=10)
        assert watch.contacts() == []


async def test_a_half_told_list_is_forgotten_with_the_connection_and_healed_by_hello(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "contacts", version=7, part=1, parts=2, contacts=[contact(1)])
        await backend.says(user, "config", version=2, language="vi", quiet=[])
        await backend.hears("ack", user, ref="config", version=2, state="done")
        await watch.go_offline()
        await watch.go_online()
        hello = await backend.greets(user)
        assert (hello["contacts_version"], hello["config_version"]) == (0, 2)
        await backend.says(user, "contacts", version=7, part=2, parts=2, contacts=[contact(2)])
        await backend.says(user, "contacts", version=7, part=1, parts=2, contacts=[contact(1)])
        await backend.hears("ack", user, ref="contacts", version=7)
        assert len(watch.contacts()) == 2


async def test_quiet_times_in_parts_are_joined_and_unknown_fields_ignored(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    morning = {"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "11:30"}
    noon = {"days": [1, 2, 3, 4, 5], "from": "13:00", "to": "16:30"}
    plain = {"version": 5, "parts": 2, "location": False, "timezone": "Asia/Shanghai", "volume_pct": 40, "moon": "full"}
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "config", part=1, quiet=[morning], **plain)
        await backend.says(user, "config", part=2, quiet=[noon], **plain)
        await backend.hears("ack", user, ref="config", version=5, state="done")
        config = watch.config()
        assert config is not None
        assert [time.starts for time in config.quiet] == ["08:00", "13:00"]
        assert (config.volume_pct, config.timezone) == (40, "Asia/Shanghai")


async def test_a_payload_larger_than_the_watch_said_is_not_understood(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, traits=WatchTraits(max_payload_bytes=1024)) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "contacts", version=3, contacts=[contact(n, "x" * 60) for n in range(1, 20)])
        await watch.wait_for("frame_ignored", detail="too_large")
        assert watch.contacts_version == 0
