"""Places through the broker: one commit for many watches, a receipt for each, and nobody pays for another's fault."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork
from tests.support.places import allow_places, away, on_wire, turn_location
from tests.support.watch import HandWatch, Stand
from tests.support.world import LONG_AGO, Home, Worn

OWNTRACKS = Path(__file__).parents[2] / "vectors" / "owntracks"


@dataclass
class Wearer:
    """A family that agreed to places, and its watch."""

    home: Home
    worn: Worn
    watch: HandWatch


@contextlib.asynccontextmanager
async def wearers(stand: Stand, count: int = 1) -> AsyncIterator[list[Wearer]]:
    """Have so many watches connected, each of a family that agreed to places."""
    async with contextlib.AsyncExitStack() as stack:
        worn_watches = []
        for _ in range(count):
            home, worn = await stand.home(since=LONG_AGO)
            await allow_places(stand.database, home)
            watch = await stack.enter_async_context(stand.watch(worn.username, worn.password))
            worn_watches.append(Wearer(home, worn, watch))
        yield worn_watches


async def kept(stand: Stand, home: Home) -> list[str]:
    """Return the ids of the child's check-ins in order of time."""
    async with stand.database.begin() as work:
        rows = await work.run(
            text("SELECT ref FROM checkin WHERE child_id = :child_id ORDER BY happened_at, ref"),
            {"child_id": home.child_id},
        )
        return list(rows.scalars())


async def test_a_fix_is_committed_before_its_receipt_and_a_repeat_makes_no_second(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        fix = on_wire(now)
        await walker.watch.say("location", fix)
        answer = await walker.watch.hears("receipt")
        assert (answer["ref"], answer["code"]) == (fix["id"], "stored")
        assert await kept(stand, walker.home) == [fix["id"]]
        await walker.watch.say("location", fix)
        assert (await walker.watch.hears("receipt"))["code"] == "duplicate"
        await walker.watch.say("location", {**fix, "lat": 22.0})
        answer = await walker.watch.hears("receipt")
        assert (answer["code"], answer["detail"]) == ("rejected", "id_conflict")


async def test_a_bad_entry_never_costs_the_rest_of_its_array(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        good = [on_wire(now - timedelta(minutes=minutes)) for minutes in (3, 2, 1)]
        bad: list[Any] = [{**on_wire(now), "lat": 91}, {**on_wire(now), "lon": -181}, 7, {**on_wire(now), "lat": None}]
        again = {**good[0], "lat": 22.0}
        await walker.watch.say(
            "location", [bad[0], good[0], bad[1], good[1], bad[2], bad[3], {"_type": "lwt"}, good[2]]
        )
        answer = await walker.watch.hears("receipt")
        assert (answer["code"], answer["refs"]) == ("stored", [fix["id"] for fix in good])
        assert [(entry["ref"], entry["detail"]) for entry in answer["rejected"]] == [
            (bad[0]["id"], "lat_out_of_range"),
            (bad[1]["id"], "lon_out_of_range"),
            (None, "malformed"),
            (bad[3]["id"], "malformed"),
        ]
        assert answer["rejected"][2]["index"] == 4
        await walker.watch.say("location", [good[1], again, on_wire(now)])
        answers = [await walker.watch.hears("receipt"), await walker.watch.hears("receipt")]
        assert [(entry["code"], len(entry["refs"])) for entry in answers] == [("stored", 1), ("duplicate", 1)]
        assert [(entry["ref"], entry["detail"]) for entry in answers[0]["rejected"]] == [(again["id"], "id_conflict")]
        assert len(await kept(stand, walker.home)) == 4


@pytest.mark.parametrize(
    ("written", "detail"),
    [
        ('"lat":NaN', "malformed"), ('"lon":-Infinity', "malformed"), ('"lat":1e999', "malformed"),
        ('"lon":-1e999', "malformed"), ('"lat":91', "lat_out_of_range"),
        ('"lon":180.0001', "lon_out_of_range"), ('"lat":"23.02"', "malformed"),
    ],
)  # fmt: skip
async def test_what_is_no_place_is_answered_by_its_id_and_the_others_are_kept(
    stand: Stand, written: str, detail: str
) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        first, bad, last = (on_wire(now - timedelta(minutes=minutes)) for minutes in (3, 2, 1))
        # Of two equal names the last counts; a number that JSON has not can only be written by hand.
        broken = f"{json.dumps(bad)[:-1]},{written}}}"
        await walker.watch.say("location", f"[{json.dumps(first)},{broken},{json.dumps(last)}]".encode())
        answer = await walker.watch.hears("receipt")
        assert (answer["code"], answer["refs"]) == ("stored", [first["id"], last["id"]])
        [refused] = answer["rejected"]
        assert (refused["ref"], refused["detail"]) == (bad["id"], detail)
        await walker.watch.say("location", broken.encode())
        answer = await walker.watch.hears("receipt")
        assert (answer["ref"], answer["code"], answer["detail"]) == (bad["id"], "rejected", detail)
        assert await kept(stand, walker.home) == [first["id"], last["id"]]


async def test_with_location_off_it_is_rejected_and_nothing_is_kept(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        async with stand.database.begin() as work:
            await turn_location(work, walker.home.child_id, on=False)
        fixes = [on_wire(now), on_wire(now)]
        await walker.watch.say("location", fixes[0])
        answer = await walker.watch.hears("receipt")
        assert (answer["ref"], answer["code"], answer["detail"]) == (fixes[0]["id"], "rejected", "location_off")
        await walker.watch.say("location", fixes)
        answer = await walker.watch.hears("receipt")
        assert answer["code"] == "rejected"
        assert [(entry["ref"], entry["detail"]) for entry in answer["rejected"]] == [
            (fix["id"], "location_off") for fix in fixes
        ]
        assert await kept(stand, walker.home) == []


async def transactions(stand: Stand, homes: list[Home]) -> int:
    """Return in how many transactions these children's check-ins were written."""
    async with stand.database.begin() as work:
        rows = await work.run(
            text("SELECT count(DISTINCT xmin::text) FROM checkin WHERE child_id = ANY(:child_ids)"),
            {"child_ids": [home.child_id for home in homes]},
        )
        return int(rows.scalar_one())


async def test_watches_that_speak_at_once_share_commits_and_each_gets_its_own_receipt(stand: Stand) -> None:
    now = stand.database.clock()
    async with wearers(stand, 6) as many:
        # Said while no bridge is there: the next one finds them all.
        async with stand.bridge():
            pass
        fixes = {
            walker.worn.username: [on_wire(now - timedelta(minutes=2 - part)) for part in range(3)] for walker in many
        }
        for part in range(3):
            await asyncio.gather(*(walker.watch.say("location", fixes[walker.worn.username][part]) for walker in many))
        async with stand.bridge():
            for walker in many:
                for fix in fixes[walker.worn.username]:
                    answer = await walker.watch.hears("receipt")
                    assert (answer["ref"], answer["code"]) == (fix["id"], "stored")
                assert await kept(stand, walker.home) == [fix["id"] for fix in fixes[walker.worn.username]]
        assert await transactions(stand, [walker.home for walker in many]) <= 3


async def test_one_that_cannot_be_kept_costs_the_others_nothing(stand: Stand) -> None:
    now = stand.database.clock()
    async with wearers(stand, 3) as many:
        broken = many[1]
        async with stand.bridge():
            pass
        async with stand.database.begin() as work:
            await _lose_key(work, broken.home)
        fixes = {walker.worn.username: on_wire(now) for walker in many}
        for walker in many:
            await walker.watch.say("location", fixes[walker.worn.username])
        async with stand.bridge():
            for walker in many:
                answer = await walker.watch.hears("receipt")
                expected = "retry" if walker is broken else "stored"
                assert (answer["ref"], answer["code"]) == (fixes[walker.worn.username]["id"], expected)


async def _lose_key(work: UnitOfWork, home: Home) -> None:
    child = await work.session.get_one(Child, home.child_id)
    child.wrapped_key = bytes(60)
    work.add(child)


def _owntracks() -> list[Any]:
    return [
        pytest.param(vector, id=f"{path.stem}: {vector['name']}")
        for path in sorted(OWNTRACKS.glob("*.json"))
        for vector in json.loads(path.read_text())
    ]


async def test_everything_the_owntracks_app_sends_is_taken_and_only_fixes_are_kept(stand: Stand) -> None:
    now = int(stand.database.clock().timestamp())
    async with stand.bridge(), wearers(stand) as [walker]:
        vectors = [parameter.values[0] for parameter in _owntracks()]
        expected = 0
        for number, vector in enumerate(vectors):
            payload = vector["payload"]
            if vector["kept"]:
                payload = {**payload, "tst": now - number}
                expected += 1
            leaf = "/".join(filter(None, ("location", vector["leaf"])))
            await walker.watch.say(leaf, payload)
        # One with an id says when all before it were taken.
        await walker.watch.say("location", on_wire(stand.database.clock()))
        answer = await walker.watch.hears("receipt")
        assert answer["code"] == "stored"
        assert len(await kept(stand, walker.home)) == expected + 1


async def test_a_place_far_away_is_kept_for_what_it_is(stand: Stand) -> None:
    now = stand.database.clock()
    async with stand.bridge(), wearers(stand) as [walker]:
        first, flown = on_wire(now - timedelta(minutes=1)), on_wire(now, away(80_000, 0))
        for fix in (first, flown):
            await walker.watch.say("location", fix)
            assert (await walker.watch.hears("receipt"))["code"] == "stored"
        async with stand.database.begin() as work:
            rows = await work.run(text("SELECT quality FROM checkin WHERE ref = :ref"), {"ref": flown["id"]})
            assert rows.scalar_one() == "bad"
