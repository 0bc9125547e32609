"""Counters of a watch: each entry of an array is answered by itself, after it is committed."""

from __future__ import annotations

from sqlmodel import col, select

from services.core.devices.watches.tables import Watch
from services.core.measurement.tables import UsageReport
from tests.support.watch import Stand

REPORT = {"id": "u5d8k2m1h6vb", "from_tst": 1_772_400_000, "to_tst": 1_772_403_600, "battery_min_pct": 64}


async def test_one_report_is_stored_once_and_a_repeat_is_told_so(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        for code in ("stored", "duplicate"):
            await watch.say("usage", REPORT)
            answer = await watch.hears("receipt")
            assert (answer["ref"], answer["code"]) == (REPORT["id"], code)
        await watch.say("usage", {**REPORT, "battery_min_pct": 63})
        answer = await watch.hears("receipt")
        assert (answer["ref"], answer["code"], answer["detail"]) == (REPORT["id"], "rejected", "id_conflict")
        await watch.say("usage", {**REPORT, "id": "u5d8k2m1h6vc", "worn_s": -1})
        answer = await watch.hears("receipt")
        assert (answer["ref"], answer["code"], answer["detail"]) == ("u5d8k2m1h6vc", "rejected", "out_of_range")
    async with stand.database.begin() as work:
        kept = await work.session.exec(
            select(UsageReport)
            .join(Watch, col(Watch.watch_id) == UsageReport.watch_id)
            .where(Watch.serial == home.serial)
        )
        assert [report.battery_min_pct for report in kept] == [64]


async def test_one_bad_entry_of_an_array_costs_the_others_nothing(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("usage", REPORT)
        assert (await watch.hears("receipt"))["code"] == "stored"
        many = [{**REPORT, "id": f"u5d8k2m1h7{number:02d}"} for number in range(20)]
        await watch.say(
            "usage",
            [
                {**REPORT, "id": "u5d8k2m1h8aa", "worn_s": -1}, REPORT, *many, {**REPORT, "worn_s": 5}, "nothing",
                {**REPORT, "id": "u5d8k2m1h8ab", "to_tst": 1},
            ],
        )  # fmt: skip
        stored: set[str] = set()
        duplicate: set[str] = set()
        rejected: dict[str | None, str] = {}
        while len(stored) + len(duplicate) + len(rejected) < 25:
            answer = await watch.hears("receipt")
            {"stored": stored, "duplicate": duplicate}.get(answer["code"], stored).update(answer["refs"])
            rejected |= {rejection["ref"]: rejection["detail"] for rejection in answer.get("rejected", [])}
        assert stored == {report["id"] for report in many}
        # The one that was there is told twice: as known, and as a conflict where it says something else.
        assert duplicate == {REPORT["id"]}
        assert rejected == {
            "u5d8k2m1h8aa": "out_of_range", REPORT["id"]: "id_conflict", None: "malformed",
            "u5d8k2m1h8ab": "out_of_range",
        }  # fmt: skip
