"""Answers that the staff console is built on: names, one family, one watch, the board, and what was done before."""

from __future__ import annotations

from typing import Any

import httpx

from services.core.office.surveys.actions import define_survey
from services.core.office.surveys.rules import Question
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.colleague import new_colleague
from tests.support.http import enrol_family, make_family, make_place, new_phone, pair
from tests.support.office import CARD, make_office
from tests.support.staff_http import at_hand_out, family_code_of, make_staff
from tests.support.world import make_watch


async def test_a_page_can_name_what_its_caller_serves(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    async with database.begin() as work:
        programme = (await work.session.get_one(Programme, place.site.programme_id)).name
    factory = await make_staff(client, database, place, "factory")
    (scope,) = (await factory.told("GET", "/v1/staff/me"))["scopes"]
    assert scope == {
        "programme_id": None, "site_id": str(place.site.site_id), "programme": programme, "simulated": False,
        "site": place.site.name, "country": "CN", "timezone": "Asia/Shanghai", "locale": place.site.locale,
    }  # fmt: skip
    manager = await make_staff(client, database, place, "manager", programme=True)
    (scope,) = (await manager.told("GET", "/v1/staff/me"))["scopes"]
    assert (scope["programme"], scope["site"], scope["timezone"]) == (programme, None, None)
    (site,) = (await manager.told("GET", "/v1/staff/sites"))["sites"]
    assert site["simulated"] is False


async def test_one_family_and_one_watch_are_found_by_code_and_serial(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    path = f"/v1/staff/sites/{place.site.site_id}"
    staff = await make_staff(client, database, place)
    mother = await make_family(client, database, place)
    code = await family_code_of(mother)
    async with database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
    await staff.told("POST", f"{path}/watch-hand-outs", json={"scan": watch.serial, "family_code": code})
    await staff.told(
        "POST", f"{path}/trainings", json={"family_code": code, "training": "watch", "attended_on": "2026-02-01"}
    )
    await mother.told("POST", f"{mother.child}/help", json={"kind": "lost"})

    family = await staff.told("GET", f"{path}/families/{code.lower()}")
    assert (family["family_code"], family["has_logged_in"]) == (code, True)
    assert [watch["serial"] for watch in family["watches"]] == [watch.serial]
    assert [help_request["kind"] for help_request in family["open_help"]] == ["lost"]
    assert family["trainings"] == [{"training": "watch", "attended_on": "2026-02-01"}]
    assert family["no_working_channel"] is None, "who has joined with which phone is told while a hand-out is open"
    details = await staff.told("GET", f"{path}/watches/{watch.serial}")
    (given,) = details["hand_outs"]
    assert (details["family_code"], given["family_code"], given["undone_at"]) == (code, code, None)
    assert given["given_by_name"] == staff.staff.display_name
    for unknown in ("families/NO-1", "watches/NONE0001"):
        assert await staff.refused("GET", f"{path}/{unknown}") == (404, "not_found")
    # A colleague of the factory sees no family behind a watch, and no help or training in an open hand-out.
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    blind = await coordinator.told("GET", f"{path}/watches/{watch.serial}")
    assert (blind["family_code"], blind["hand_outs"][0]["family_code"]) == (None, None)
    family = await coordinator.told("GET", f"{path}/families/{code}")
    assert (family["open_help"], family["trainings"]) == (None, None)
    assert isinstance(family["no_working_channel"], bool)
    assert family["watches"][0]["last_seen_at"] is None

    beginning, other = code[:3].lower(), f"{code}9"
    listed = await staff.told("GET", f"{path}/families", params={"query": beginning})
    assert [row["family_code"] for row in listed["families"]] == [code]
    assert (await staff.told("GET", f"{path}/families", params={"query": other}))["families"] == []
    listed = await staff.told("GET", f"{path}/watches", params={"query": watch.serial[:4].lower()})
    assert watch.serial in {row["serial"] for row in listed["watches"]}
    assert await staff.refused("GET", f"{path}/watches", params={"query": "%"}) == (422, "invalid_request")


async def test_the_history_of_a_watch_tells_each_way_out_of_use_and_back(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    path = f"/v1/staff/sites/{place.site.site_id}"
    staff = await make_staff(client, database, place)
    code = await family_code_of(await make_family(client, database, place))
    async with database.begin() as work:
        old, new = [(await make_watch(work, place.site.site_id, None))[0].serial for _ in range(2)]

    async def step(leaf: str, **body: str) -> None:
        clock.advance(minutes=1)
        await staff.told("POST", f"{path}/{leaf}", json=body)

    await step("watch-hand-outs", scan=old, family_code=code)
    await step("watch-withdrawals", scan=old, state="lost")
    await step("watch-withdrawals", scan=old, state="returned")
    await step("watch-hand-outs", scan=old, family_code=code)
    await step("watch-replacements", scan=old, state="broken", replacement=new)
    await step("watch-withdrawals", scan=old, state="returned")
    withdrawals = (await staff.told("GET", f"{path}/watches/{old}"))["withdrawals"]
    assert [(row["what"], row["family_code"], row["replaced_by"]) for row in withdrawals] == [
        ("repaired", code, None), ("broken", code, new), ("found", code, None), ("lost", code, None),
    ]  # fmt: skip
    assert {withdrawal["by_name"] for withdrawal in withdrawals} == {staff.staff.display_name}
    assert [withdrawal["at"] for withdrawal in withdrawals] == sorted(
        (withdrawal["at"] for withdrawal in withdrawals), reverse=True
    )
    assert (await staff.told("GET", f"{path}/watches/{new}"))["withdrawals"] == []
    coordinator = await make_staff(client, database, place, "coordinator")
    blind = (await coordinator.told("GET", f"{path}/watches/{old}"))["withdrawals"]
    assert [(withdrawal["what"], withdrawal["family_code"]) for withdrawal in blind] == [
        (withdrawal["what"], None) for withdrawal in withdrawals
    ]


async def test_the_prompts_of_a_cohort_are_those_that_its_parents_read(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    mother = await make_family(client, database, place)
    path = f"/v1/staff/sites/{place.site.site_id}/cohorts/{place.cohort.cohort_id}/prompts"
    this, following = (await staff.told("GET", path, params={"locale": "vi"}))["weeks"]
    hers = await mother.told("GET", f"{mother.child}/starters")
    assert this["week_starts_on"] == hers["week_starts_on"]
    assert {prompt["starter"] for prompt in hers["starters"]} <= {prompt["starter"] for prompt in this["prompts"]}
    assert [prompt["ages"] for prompt in following["prompts"]] == ["5-7"] * 3 + ["8-10"] * 3 + ["11-14"] * 3
    assert {prompt["starter"] for prompt in this["prompts"]} & {
        prompt["starter"] for prompt in following["prompts"]
    } == set()
    elsewhere = await make_place(database)
    other = path.replace(str(place.cohort.cohort_id), str(elsewhere.cohort.cohort_id))
    assert await staff.refused("GET", other) == (404, "not_found")


async def test_the_board_tells_everything_once_and_then_changes_only(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    path = f"/v1/staff/sites/{place.site.site_id}"
    staff = await make_staff(client, database, place)
    families = [await make_family(client, database, place) for _ in range(2)]
    await enrol_family(database, new_phone(), place)
    shown: dict[int, list[dict[str, Any]]] = {}

    async def polled(since: str | None) -> dict[str, Any]:
        board: dict[str, Any] = await staff.told("GET", f"{path}/board", params={"since": since} if since else {})
        shown.update({part["part"]: part["families"] for part in board["parts"]})
        return board

    def row(code: str) -> dict[str, Any]:
        (entry,) = [family for part in shown.values() for family in part if family["family_code"] == code]
        return entry

    first = await polled(None)
    counts = {key: first[key] for key in ("enrolled", "logged_in", "given", "paired")}
    assert counts == {"enrolled": 3, "logged_in": 2, "given": 0, "paired": 0}
    same = await polled(first["since"])
    assert (same["parts"], same["since"]) == ([], first["since"])
    code = await family_code_of(families[0])
    assert row(code)["serials"] == []
    async with database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
    await staff.told("POST", f"{path}/watch-hand-outs", json={"scan": watch.serial, "family_code": code})
    changed = await polled(first["since"])
    assert [family["family_code"] for part in changed["parts"] for family in part["families"]].count(code) == 1
    assert len(changed["parts"]) == 1
    assert (row(code)["serials"], row(code)["paired"], changed["given"]) == ([watch.serial], False, 1)
    await pair(families[1], place)
    paired = await polled(changed["since"])
    assert (paired["paired"], row(await family_code_of(families[1]))["paired"]) == (1, True)
    await staff.told("POST", f"{path}/enrolments/end", json={"family_code": code, "reason": "moved_away"})
    gone = await polled(paired["since"])
    assert gone["enrolled"] == 2
    assert code not in {family["family_code"] for part in shown.values() for family in part}
    # With an open hand-out, who has no working channel shows: every row changes once.
    assert row(await family_code_of(families[1]))["no_working_channel"] is None
    await at_hand_out(staff, place)
    opened = await polled(gone["since"])
    assert isinstance(row(await family_code_of(families[1]))["no_working_channel"], bool)
    assert (await polled(opened["since"]))["parts"] == []
    for foreign in ("x", "!" * 171, "A" * 172):
        assert await staff.refused("GET", f"{path}/board?since={foreign}") == (422, "invalid_request")


async def test_names_stand_beside_the_ids_of_colleagues(client: httpx.AsyncClient, database: Database) -> None:
    office = await make_office(client, database)
    recovery = await office.recovery(office.ann)
    await office.bo.told("POST", f"{recovery}/approve", json=CARD)
    (recovery_row,) = (await office.cem.told("GET", f"{office.site}/recoveries"))["recoveries"]
    assert (recovery_row["asked_by_name"], recovery_row["approved_by_name"]) == ("admin", "admin")
    approve = await office.break_glass(office.cem, 5)
    row = await office.ann.told("POST", approve)
    assert (row["asked_by_name"], row["approved_by_name"], row["delay_approved_by_name"]) == ("manager", "admin", None)
    request = await office.ann.told("POST", "/v1/staff/accounts", json=office.new_account())
    assert (request["asked_by_name"], request["approved_by_name"]) == ("admin", None)
    (listed,) = (await office.cem.told("GET", "/v1/staff/account-requests"))["requests"]
    assert (listed["asked_by_name"], listed["approved_by_name"]) == ("admin", None)


async def test_what_was_done_can_be_looked_up_later(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    path = f"/v1/staff/sites/{place.site.site_id}"
    staff = await make_staff(client, database, place)
    codes = [await family_code_of(await make_family(client, database, place)) for _ in range(3)]
    notices = f"{path}/cohorts/{place.cohort.cohort_id}/notices"
    for text in ("Family day on Sunday", "Bring the watch"):
        await staff.told("POST", notices, json={"text": text})
        clock.advance(seconds=1)
    assert [notice["text"] for notice in (await staff.told("GET", notices))["notices"]] == [
        "Bring the watch", "Family day on Sunday",
    ]  # fmt: skip
    for code in codes:
        for training in ("watch", "parenting"):
            body = {"family_code": code, "training": training, "attended_on": "2026-02-01"}
            await staff.told("POST", f"{path}/trainings", json=body)
    seen, after = [], ""
    while True:
        page = await staff.told("GET", f"{path}/trainings", params={"limit": 4, **({"after": after} if after else {})})
        seen += [(training["family_code"], training["training"]) for training in page["trainings"]]
        if (after := page["next"]) is None:
            break
    assert sorted(seen) == sorted((code, training) for code in codes for training in ("watch", "parenting"))
    ended = []
    for code in codes[:2]:
        await staff.told("POST", f"{path}/enrolments/end", json={"family_code": code, "reason": "left_factory"})
        ended.append(code)
        clock.advance(seconds=1)
    page = await staff.told("GET", f"{path}/enrolments/ended", params={"limit": 1})
    assert [(enrolment["family_code"], enrolment["reason"]) for enrolment in page["enrolments"]] == [
        (ended[1], "left_factory")
    ]
    page = await staff.told("GET", f"{path}/enrolments/ended", params={"after": page["next"]})
    assert ([enrolment["family_code"] for enrolment in page["enrolments"]], page["next"]) == ([ended[0]], None)
    # A page that ends at another site's row leads nowhere.
    elsewhere = await make_staff(client, database, await make_place(database))
    other = f"/v1/staff/sites/{(await elsewhere.told('GET', '/v1/staff/me'))['scopes'][0]['site_id']}"
    params = {"after": page["enrolments"][0]["enrolment_id"]}
    assert (await elsewhere.told("GET", f"{other}/enrolments/ended", params=params))["enrolments"] == []

    async with database.begin() as work:
        programme = await work.session.get_one(Programme, place.site.programme_id)
        await define_survey(work, OPERATOR, programme, "2026", [Question("talks", "scale", "How often?", 1, 5)])
    (survey,) = (await staff.told("GET", f"{path}/surveys"))["surveys"]
    questions = await staff.told("GET", f"{path}/surveys/{survey['survey_id']}/questions")
    assert questions["questions"] == [
        {"question": "talks", "kind": "scale", "label": "How often?", "least": 1.0, "most": 5.0}
    ]


async def test_recovery_codes_are_renewed_with_the_password_and_the_app(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    ming = await (await new_colleague(client, database, clock)).set_up()

    async def renewed(code: str, password: str = ming.own_password) -> httpx.Response:
        body = {"password": password, "code": code}
        return await client.post("/v1/staff/me/recovery-codes", json=body, headers=ming.headers)

    refused = [await renewed("000000"), await renewed(ming.shown(1), "wrong")]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "staff_log_in_refused")] * 2
    # A recovery code has another form: whoever found one alone gets no more of them.
    assert (await renewed(ming.recovery_codes[0])).status_code == 422
    answer = await renewed(ming.shown(1))
    assert answer.status_code == 200
    codes = answer.json()["recovery_codes"]
    assert len(set(codes) - set(ming.recovery_codes)) == 10
    assert await ming.log_in(ming.recovery_codes[1]) == (403, "staff_log_in_refused")
    assert await ming.log_in(codes[0]) == (200, "")
