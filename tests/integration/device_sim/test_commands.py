"""The watch does what it is commanded, once, never late; and it calls for help."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.device_sim.watch.events import WatchEvent
from services.device_sim.watch.records import WatchRefusedError
from services.device_sim.watch.timings import Timings
from services.protocol.words import AlertKind
from tests.integration.device_sim.scripted_backend import PATIENT, Bench


async def test_locate_answers_with_the_fix_it_was_given(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        for ref, location, detail in (("c1", False, "location_off"), ("c2", True, "no_fix")):
            await backend.says(user, "config", version=2 + location, location=location)
            await backend.hears("ack", user, ref="config")
            await backend.says(user, "command", id=ref, kind="locate", by="g-1", ttl_s=90)
            await backend.hears("ack", user, ref=ref, state="failed", detail=detail)
        watch.alerts.give_fix(23.02, 113.75, 18)
        await backend.says(user, "command", id="c3", kind="locate", by="g-1", ttl_s=90)
        place = await backend.hears("location", user, reply_to="c3")
        assert (place["lat"], place["lon"], place["acc"]) == (23.02, 113.75, 18)
        await backend.says(user, "receipt", refs=[place["id"]], code="stored")
        await watch.wait_settled()


async def test_ring_and_lost_do_what_they_say_and_a_lost_watch_still_calls(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "command", id="c1", kind="ring", by="g-1")
        assert (await watch.wait_for("rang"))["by"] == "g-1"
        await backend.hears("ack", user, ref="c1", state="done")
        await backend.says(user, "command", id="c2", kind="lost", by="g-1")
        await backend.hears("ack", user, ref="c2", state="done")
        with pytest.raises(WatchRefusedError, match="locked"):
            watch.write("family", "who are you?")
        watch.alerts.raise_alert()
        await backend.hears("alert", user, kind="sos")
    async with bench.watch(tmp_path) as watch:
        assert watch.is_locked, "switching it off and on opens nothing"


async def test_a_watch_that_was_found_opens_its_screen_and_says_so(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "contacts", version=2, contacts=[{"id": "g-1", "name": "Mama", "may_message": True}])
        for ref, kind in (("c1", "found"), ("c2", "lost"), ("c3", "found"), ("c4", "lost")):
            await backend.says(user, "command", id=ref, kind=kind, by="g-1")
            await backend.hears("ack", user, ref=ref, state="done")
            assert watch.is_locked is (kind == "lost")
        # Told again, on a later connection: each was done once, and what it said then is no news.
        await backend.says(user, "command", id="c3", kind="found", by="g-1")
        await backend.hears("ack", user, ref="c3", state="done")
        assert watch.is_locked
        await backend.says(user, "command", id="c5", kind="found", by="g-1")
        await backend.hears("ack", user, ref="c5", state="done")
        assert (await watch.wait_for("unlocked"))["by"] == "g-1"
        watch.write("Mama", "I am back")
        await backend.hears("text", user, text="I am back")


async def test_the_same_command_again_is_answered_again_and_done_once(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        for _ in range(2):
            await backend.says(user, "command", id="c1", kind="ring", by="g-1")
            await backend.hears("ack", user, ref="c1", state="done")
        await watch.wait_for("rang")
        with pytest.raises(TimeoutError):
            await watch.wait_for("rang", timeout_s=0.05)


async def test_restart_is_another_boot_with_everything_there(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "command", id="c1", kind="restart", by="g-1")
        await backend.hears("ack", user, ref="c1", state="done")
        hello = await backend.greets(user)
        assert hello["boot"] == 2
        await watch.wait_online()


async def test_wipe_answers_first_and_forgets_the_family_then(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "command", id="c1", kind="wipe")
        await backend.hears("ack", user, ref="c1", state="done")
        assert (await watch.wait_for("wiped"))["username"] == user
        assert not watch.is_paired
        assert watch.child_name is None


@pytest.mark.parametrize("kind", list(AlertKind))
async def test_a_call_is_kept_until_its_receipt_and_says_who_has_seen_it(
    bench: Bench, tmp_path: Path, kind: AlertKind
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        watch.alerts.give_fix(23.02, 113.75)
        call = watch.alerts.raise_alert(kind)
        heard = await backend.hears("alert", user, kind=kind.value)
        again = await backend.hears("alert", user, kind=kind.value)
        assert again.fields == heard.fields
        assert heard["location"]["lat"] == 23.02
        await backend.says(user, "receipt", ref=heard["id"], code="stored")
        await watch.wait_stored(call)
        await backend.says(user, "alert", ref=heard["id"], seen_by="g-1", tst=1)
        assert (await watch.wait_for("alert_seen"))["seen_by"] == "g-1"


async def test_the_child_sees_what_becomes_of_a_call(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        people = [
            {"id": "g-1", "name": "Mama", "number": "+8613800138000", "may_message": True, "may_call": True},
            {"id": "c-2", "name": "Wu", "number": "+8613900139000", "may_call": True, "emergency": True, "position": 2},
        ]
        await backend.says(user, "contacts", version=2, part=1, parts=1, contacts=people)
        await watch.wait_until(lambda: watch.contacts_version == 2)
        watch.alerts.raise_alert()
        ref = (await backend.hears("alert", user))["id"]
        now = backend.server_tst

        async def shows(kind: str, **fields: object) -> WatchEvent:
            # A repeat, as after a hello, shows nothing new.
            for _ in range(2):
                await backend.says(user, "alert", ref=ref, **fields)
            return await watch.wait_for(kind, ref=ref)

        await shows("alert_calling", state="calling", tst=now)
        assert (await shows("alert_unanswered", state="unanswered", tst=now))["call"] == "Wu"
        assert (await shows("alert_seen", state="seen", seen_by="g-1", tst=now))["seen_by"] == "g-1"
        # The tap of hours ago is no news.
        assert (await shows("alert_was_seen", state="seen", seen_by="g-1", tst=now - 3600))["seen_by"] == "g-1"
        await backend.says(user, "alert", ref=ref, state="on_the_way", tst=now)
        await shows("alert_calling", state="calling", tst=now + 1)
        for kind in ("alert_unanswered", "alert_seen", "alert_was_seen"):
            with pytest.raises(TimeoutError):
                await watch.wait_for(kind, timeout_s=0)


async def test_without_any_answer_the_watch_shows_whom_to_call_also_without_a_network(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=replace(Timings.quick(), alert_answer_s=0.3)) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        mama = {"id": "g-1", "name": "Mama", "number": "+8613800138000", "may_message": True, "may_call": True}
        await backend.says(user, "contacts", version=2, part=1, parts=1, contacts=[mama])
        await watch.wait_until(lambda: watch.contacts_version == 2)
        await watch.go_offline()
        watch.alerts.raise_alert(AlertKind.LOW_BATTERY)
        call = watch.alerts.raise_alert()
        shown = await watch.wait_for("alert_unanswered")
        assert (shown["ref"], shown["reason"], shown["call"]) == (call.wire_id, "silence", "Mama")


async def test_an_id_that_is_taken_is_changed_in_a_call_too(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        call = watch.alerts.raise_alert()
        first = await backend.hears("alert", user)
        await backend.says(user, "receipt", ref=first["id"], code="rejected", detail="id_conflict")
        second = await backend.hears("alert", user)
        assert second["id"] != first["id"]
        await backend.says(user, "receipt", ref=second["id"], code="stored")
        await watch.wait_stored(call)


async def test_a_watch_without_a_family_has_nobody_to_call(bench: Bench, tmp_path: Path) -> None:
    async with bench.watch(tmp_path) as watch:
        with pytest.raises(WatchRefusedError):
            watch.alerts.raise_alert()
