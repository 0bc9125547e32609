"""Lists as spreadsheet programs save them, and numbers as people write them: each file has its right outcome."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.office.enrolment.actions import family_list
from services.core.office.enrolment.with_watches import enrol_and_hand_out
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme import queries
from services.core.people.programme.actions import create_cohort, create_programme, create_site
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.spreadsheets.sheets import SheetRefusedError

LISTS = Path(__file__).parents[3] / "vectors" / "lists"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def sites(database: Database) -> None:
    async with database.begin() as work:
        programme = (await create_programme(work, OPERATOR, "Lists")).row
        for name, country, timezone, locale in (
            ("Cases LHLS CN", "CN", "Asia/Shanghai", "zh-Hans"),
            ("Cases UFNA CN", "CN", "Asia/Shanghai", "zh-Hans"),
            ("Hanoi", "VN", "Asia/Ho_Chi_Minh", "vi"),
            ("Bursa", "TR", "Europe/Istanbul", "tr"),
        ):
            made = await create_site(
                work, OPERATOR, programme, name=name, country=country, timezone=timezone, locale=locale
            )
            await create_cohort(work, OPERATOR, made.row, name="Spring 2026")


async def _enrol(database: Database, raw: bytes) -> list[tuple[int, str, str]]:
    """Enrol a list; return its faults."""
    try:
        listed = family_list(raw)
        async with database.begin() as work:
            await enrol_and_hand_out(work, OPERATOR, listed.families, further=listed.faults)
    except SheetRefusedError as refused:
        return [(fault.row, fault.column, fault.code) for fault in refused.faults]
    return []


async def _phone_of(database: Database, code: str) -> str | None:
    async with database.begin() as work:
        phones = await work.session.exec(
            select(Enrolment.guardian_phone)
            .join(Family, col(Family.family_id) == col(Enrolment.family_id))
            .where(Family.family_code == code)
        )
        return phones.first()


@pytest.mark.parametrize(
    ("file", "code", "phone"),
    [
        ("hidden-sheet.xlsx", "LHLSS-100", "+8613900001000"),
        ("s11.csv", "LHLSS-111", "+8613900001011"),
        ("s12.csv", "LHLSS-112", "+8613900001012"),
        ("s13.csv", "LHLSS-113", "+8613900001013"),
        ("s14.csv", "LHLSS-114", "+8613900001014"),
        ("s16.csv", "LHLSS-116", "+8613900001016"),
        ("s17.csv", "LHLSS-117", "+8613900001017"),
        ("s18.csv", "LHLSS-118", "+8613900001018"),
        ("s24.csv", "UFNAS-124", "+8613900005599"),
    ],
)
async def test_a_list_as_a_program_saved_it_is_enrolled(database: Database, file: str, code: str, phone: str) -> None:
    assert await _enrol(database, (LISTS / file).read_bytes()) == []
    assert await _phone_of(database, code) == phone


@pytest.mark.parametrize(
    ("file", "faults"),
    [
        ("hidden-row.xlsx", [(3, "", "row_hidden")]),
        ("strict-open-xml.xlsx", [(0, "", "workbook_strict")]),
        ("s23.csv", [(2, "phone", "phone_rounded")]),
        (
            "s26.csv",
            [
                (2, "phone", "phone_invalid"), (3, "phone", "cell_unreadable"),
                (4, "family_code", "family_code_malformed"), (5, "cohort", "cohort_unknown"),
            ],
        ),
    ],
)  # fmt: skip
async def test_every_fault_of_a_list_is_named_at_once_and_nothing_is_enrolled(
    database: Database, file: str, faults: list[tuple[int, str, str]]
) -> None:
    assert await _enrol(database, (LISTS / file).read_bytes()) == faults
    for code in ("LHLSS-102", "LHLSS-103", "UFNAS-123", "UFNAS-126", "UFNAS-127", "UFNAS-129"):
        assert await _phone_of(database, code) is None


@pytest.mark.parametrize(
    ("cell", "site", "outcome"),
    [
        ("13900005588.0", "Cases UFNA CN", "+8613900005588"),
        ("01682345678", "Hanoi", "+84382345678"),
        ("091234567", "Hanoi", "phone_invalid"),
        ("1380013800", "Cases UFNA CN", "phone_invalid"),
        ("138001380001", "Cases UFNA CN", "phone_invalid"),
        ("532123456", "Bursa", "phone_invalid"),
        ("0769-22221234", "Cases UFNA CN", "phone_not_mobile"),
        ("0212 123 45 67", "Bursa", "phone_not_mobile"),
        ("444 1 234", "Bursa", "phone_not_mobile"),
        ("4008123123", "Cases UFNA CN", "phone_not_mobile"),
        ("1.39E+10", "Cases UFNA CN", "phone_rounded"),
        ("".join(chr(0xFF10 + int(digit)) for digit in "13900005587"), "Cases UFNA CN", "+8613900005587"),
    ],
)
async def test_a_phone_number_of_a_list_is_enrolled_right_or_refused_and_never_as_another(
    database: Database, cell: str, site: str, outcome: str
) -> None:
    code = f"P-{zlib.crc32((cell + site).encode())}"
    raw = f"family_code,phone,site,cohort\n{code},{cell},{site},Spring 2026\n".encode()
    faults = await _enrol(database, raw)
    if outcome.startswith("+"):
        assert faults == []
        assert await _phone_of(database, code) == outcome
    else:
        assert faults == [(2, "phone", outcome)]
        assert await _phone_of(database, code) is None


async def test_a_name_spelled_just_so_wins_over_one_that_differs_in_capitals(database: Database) -> None:
    async with database.begin() as work:
        site = await queries.site_named(work, "hanoi")
        lower = (await create_cohort(work, OPERATOR, site, name="spring 2026")).row
        assert (await queries.cohort_named(work, site, "spring 2026")).cohort_id == lower.cohort_id
        assert (await queries.cohort_named(work, site, "Spring 2026")).cohort_id != lower.cohort_id
        await work.roll_back()
