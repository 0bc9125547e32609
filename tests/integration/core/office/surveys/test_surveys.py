"""Surveys come as lists, long or wide; only of families that agreed; a repeat changes nothing."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.core.office.surveys.actions import define_survey, take_answers
from services.core.office.surveys.errors import SurveyEmptyError, SurveyPublishedError, SurveyUnknownError
from services.core.office.surveys.publishing import Publishable, publish_survey, publishable
from services.core.office.surveys.queries import answers_of, names_in, questions_of, report_of, survey_named
from services.core.office.surveys.rules import Question, read_answers, read_questions
from services.core.people.households.tables import Family
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.spreadsheets.sheets import SheetRefusedError
from tests.support.http import Parent, Place, fill_buckets, make_family, make_place

QUESTIONS = (
    b"question,kind,label,least,most\n"
    b"talks_week,number,How often a week do you talk?,0,50\n"
    b"stay,yes_no,Do you mean to stay for a year?,,\n"
    b"content,scale,How content are you?,1,5\n"
)


class World:
    """A programme with a survey and families, most of which agreed to measurement."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.codes: list[str] = []
        self.parents: list[Parent] = []


@pytest_asyncio.fixture(loop_scope="session")
async def world(client: httpx.AsyncClient, database: Database) -> World:
    return await make_world(client, database, 5, without_consent=1)


async def make_world(client: httpx.AsyncClient, database: Database, agreed: int, without_consent: int = 0) -> World:
    world = World(await make_place(database))
    for index in range(agreed + without_consent):
        await fill_buckets(database)
        parent = await make_family(client, database, world.place)
        if index < agreed:
            await parent.consent("measurement")
        async with database.begin() as work:
            world.codes.append((await work.session.get_one(Family, parent.family_id)).family_code)
        world.parents.append(parent)
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, world.place.site.programme_id)
        assert await define_survey(work, OPERATOR, programme, "2026", read_questions(QUESTIONS)) == 3
    async with database.begin() as work:
        assert await define_survey(work, OPERATOR, programme, "2026", read_questions(QUESTIONS)) == 0
    return world


async def take(database: Database, world: World, *lines: str, correct: bool = False) -> int:
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, world.place.site.programme_id)
        survey = await survey_named(work, programme, "2026")
        answers = read_answers("\n".join(lines).encode(), await questions_of(work, survey))
        return await take_answers(work, OPERATOR, survey, answers, correct=correct)


async def faults(database: Database, world: World, *lines: str) -> list[tuple[int, str, str]]:
    with pytest.raises(SheetRefusedError) as refused:
        await take(database, world, *lines)
    return [(fault.row, fault.column, fault.code) for fault in refused.value.faults]


async def test_wide_and_long_lists_say_the_same_and_a_repeat_changes_nothing(database: Database, world: World) -> None:
    wide = [
        "family_code,wave,talks_week,stay,content",
        *(f"{code},baseline,1,no,{n % 5 + 1}" for n, code in enumerate(world.codes[:5])),
    ]
    assert await take(database, world, *wide) == 15
    assert await take(database, world, *wide) == 15
    long = [
        "family_code,wave,question,answer",
        *(f"{code.lower()},Endline,talks_week,{n + 2}" for n, code in enumerate(world.codes[:5])),
        *(f"{code},endline,stay,{'yes' if n < 3 else 'no'}" for n, code in enumerate(world.codes[:5])),
    ]
    assert await take(database, world, *long) == 10


async def stored(database: Database, world: World) -> dict[str, float]:
    """Return the stored answers to `stay` at the baseline by family code."""
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, world.place.site.programme_id)
        kept = (await answers_of(work, await survey_named(work, programme, "2026"))).get(("stay", "baseline"), {})
        return {
            (await work.session.get_one(Family, family_id)).family_code: answer for family_id, answer in kept.items()
        }


async def test_neither_names_nor_imports_show_who_has_agreed(database: Database, world: World) -> None:
    # Given the pseudonyms: all families are listed, and the same list is brought for each.
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, world.place.site.programme_id)
        named = await names_in(work, await survey_named(work, programme, "2026"))
    assert [family.family_code for family in named] == sorted(world.codes)
    heading = "family_code,wave,stay"
    for family in named:
        answers = [
            await take(database, world, heading, f"{family.family_code},baseline,no"),
            await take(database, world, heading, f"{family.pseudonym},baseline,yes"),
            await take(database, world, heading, f"{family.pseudonym},baseline,yes", correct=True),
        ]
        assert answers == [1, 1, 1]
        assert await faults(
            database, world, heading, f"{family.family_code},baseline,no", f"{family.pseudonym.lower()},baseline,yes",
        ) == [(3, "stay", "answer_repeated")]  # fmt: skip
    # Then only the answers of those who agreed are there.
    assert await stored(database, world) == dict.fromkeys(world.codes[:5], 1.0)


async def test_every_fault_is_told(database: Database, world: World) -> None:
    agreed, without_consent = world.codes[0], world.codes[5]
    heading = "family_code,wave,talks_week,stay,content"
    assert await faults(
        database, world, heading, f"{agreed},midline,51,maybe,2.5", ",endline,x,yes,9", f"{agreed},endline,,,",
        f"{agreed},endline,3,,3", f"{agreed},endline,4,,",
    ) == [
        (2, "content", "answer_malformed"), (2, "stay", "answer_malformed"), (2, "talks_week", "answer_malformed"),
        (2, "wave", "wave_unknown"),
        (3, "content", "answer_malformed"), (3, "family_code", "family_code_missing"),
        (3, "talks_week", "answer_malformed"),
        (6, "talks_week", "answer_repeated"),
    ]  # fmt: skip
    assert await faults(database, world, heading, f"{without_consent},endline,3,,", "NONE-1,endline,3,,") == [
        (3, "family_code", "family_unknown"),
    ]
    assert await faults(database, world, "family_code,wave,question,answer", f"{agreed},endline,dance,3") == [
        (2, "question", "question_unknown")
    ]


async def test_another_answer_than_the_one_kept_is_taken_on_purpose_only(database: Database, world: World) -> None:
    code, heading = world.codes[1], "family_code,wave,stay"
    await take(database, world, heading, f"{code},baseline,no", correct=True)
    await take(database, world, heading, f"{code},baseline,yes")
    assert (await stored(database, world))[code] == 0.0
    await take(database, world, heading, f"{code},baseline,yes", correct=True)
    assert (await stored(database, world))[code] == 1.0


async def test_a_survey_of_fewer_than_five_pairs_is_empty(client: httpx.AsyncClient, database: Database) -> None:
    world = await make_world(client, database, 5, without_consent=1)
    heading = "family_code,wave,stay"

    async def bring(*codes: str) -> Publishable:
        await take(
            database, world, heading, *(f"{code},{wave},no" for code in codes for wave in ("baseline", "endline"))
        )
        async with database.begin() as work:
            programme = await work.session.get_one(Programme, world.place.site.programme_id)
            return await publishable(work, await survey_named(work, programme, "2026"))

    with pytest.raises(SurveyEmptyError):
        await bring(*world.codes[:4], world.codes[5])
    included = await bring(world.codes[4])
    # The value that confirms changes with the list of a family that has not agreed as well.
    again = await bring(world.codes[5])
    assert (included.pairs, again.pairs, included.confirm == again.confirm) == (5, 5, False)


async def test_a_survey_that_is_not_there_says_so(database: Database, world: World) -> None:
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, world.place.site.programme_id)
        for name in ("2027", "\x00", str(uuid.uuid4())):
            with pytest.raises(SurveyUnknownError):
                await survey_named(work, programme, name)


def test_questions_with_faults_are_told_row_by_row() -> None:
    with pytest.raises(SheetRefusedError) as refused:
        read_questions(
            b"question,kind,label,least,most\nanswer,essay,,x,\nok_key,scale,Content?,1,\nok_key,yes_no,Stay?,,\n"
        )
    assert [(fault.row, fault.code) for fault in refused.value.faults] == [
        (2, "kind_unknown"), (2, "label_missing"), (2, "least_malformed"), (2, "question_malformed"),
        (3, "scale_open"), (4, "question_repeated"),
    ]  # fmt: skip


async def test_reports_stand_once_published_whoever_leaves_or_answers_later(
    client: httpx.AsyncClient, database: Database
) -> None:
    # Given six pairs, and one family that takes consent to measurement back before the report is made.
    world = await make_world(client, database, 7)
    wide = ["family_code,wave,talks_week,stay,content"]
    wide += [f"{code},baseline,{number},no,3" for number, code in enumerate(world.codes)]
    wide += [f"{code},endline,{number + 3},{'yes' if number < 5 else 'no'}," for number, code in enumerate(world.codes)]
    await take(database, world, *wide)
    leaver = world.parents[6]
    await leaver.told("POST", f"{leaver.family}/consents/withdraw", json={"part": "measurement"})
    programme_id, site_id = world.place.site.programme_id, world.place.site.site_id

    async def reports() -> list[list[dict[str, Any]]]:
        async with database.begin() as work:
            programme = await work.session.get_one(Programme, programme_id)
            survey = await survey_named(work, programme, "2026")
            return [await report_of(work, survey, scope) for scope in (programme_id, site_id)]

    assert await reports() == [[], []]
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, programme_id)
        included = await publishable(work, await survey_named(work, programme, "2026"))
    assert included.pairs == 5
    for is_new in (True, False):
        async with database.begin() as work:
            programme = await work.session.get_one(Programme, programme_id)
            survey = await survey_named(work, programme, "2026")
            assert await publish_survey(work, OPERATOR, survey, confirm=included.confirm) is is_new
    whole, site = await reports()
    # Then the site, which is all of the programme, is told as the programme is: of six, to the nearest five.
    assert whole == site
    content, stay, talks = whole
    assert [report["question"] for report in whole] == ["content", "stay", "talks_week"]
    assert (content["suppressed"], content["matched"]) == (True, 0)
    assert (talks["matched"], talks["difference"]["value"]) == (5, 3.0)
    # Five said yes of six: all but a family.
    assert (stay["suppressed"], stay["after"], stay["p_value"]) == (False, None, None)
    # When another one leaves and an answer is brought in, nothing changes any more.
    other = world.parents[0]
    await other.told("POST", f"{other.family}/consents/withdraw", json={"part": "measurement"})
    with pytest.raises(SurveyPublishedError):
        await take(database, world, wide[0], f"{world.codes[1]},endline,,,4")
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, programme_id)
        with pytest.raises(SurveyPublishedError):
            await define_survey(work, OPERATOR, programme, "2026", [Question("more", "yes_no", "More?")])
    assert await reports() == [whole, site]
