"""Enrol families in bulk by their guardian's phone number. No name is stored before consent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func
from sqlmodel import col, select

from services.core.people.accounts.errors import PhoneInvalidError
from services.core.people.accounts.phone_numbers import mobile_phone
from services.core.people.households.tables import Enrolment, Family
from services.core.people.privacy_notices.queries import notice_of_site
from services.core.people.programme.queries import cohort_named, site_named
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.errors import CoreError
from services.core.platform.facts.actions import record_fact
from services.core.platform.spreadsheets.sheets import (
    Fault,
    Row,
    SheetRefusedError,
    filled,
    first_faults,
    read_sheet,
    repeated_cells,
)

REQUIRED_COLUMNS: Final = ("family_code", "phone", "site", "cohort")
OPTIONAL_COLUMNS: Final = ("watch_serial", "form_number")
# The required digit keeps names from being entered as family codes.
_FAMILY_CODE: Final = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9-]{0,18}[A-Z0-9]")
# The number of the signed paper form; it requires a digit for the same reason.
_FORM_NUMBER: Final = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9 ./-]{0,39}")

Progress = Callable[[], None]


@dataclass(frozen=True)
class FamilyRow:
    """One row of a family list; ``watch_serial`` None: the list hands out no watch to this family.

    ``form_number`` is the number of the signed paper form; a later change of the account is checked against it.
    """

    row: int
    family_code: str
    phone: str
    site: str
    cohort: str
    watch_serial: str | None = None
    form_number: str | None = None

    def fault(self, column: str, code: str, sentence: str) -> Fault:
        """Return a fault of this row."""
        return Fault(self.row, column, code, sentence)


@dataclass
class Enrolled:
    """Result of a family list: the codes enrolled by this call and the codes that were enrolled before."""

    enrolled: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CheckedFamily:
    """A valid row: its cohort, its phone in E.164, and whether the family is already enrolled identically."""

    row: FamilyRow
    site: Site
    cohort: Cohort
    phone: str
    known: Family | None


@dataclass(frozen=True)
class FamilyList:
    """The rows of a family list and every fault that the file alone reveals."""

    families: list[FamilyRow]
    faults: list[Fault]


def read_family_list(raw: bytes, site: str | None = None) -> list[FamilyRow]:
    """Return the families of a valid list; raises SheetRefusedError with every fault that the file alone reveals."""
    read = family_list(raw, site)
    if read.faults:
        raise SheetRefusedError(read.faults)
    return read.families


def family_list(raw: bytes, site: str | None = None) -> FamilyList:
    """Return the families of a list together with its faults, so that database faults are reported along with them.

    ``site`` is the default for a missing column or an empty cell. Raises SheetRefusedError if the file cannot be read
    as a family list.
    """
    faults: list[Fault] = []
    if site is None:
        rows = read_sheet(
            raw, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, capitals=("watch_serial",), collected=faults
        )
    else:
        required = [column for column in REQUIRED_COLUMNS if column != "site"]
        optional = ("site", *OPTIONAL_COLUMNS)
        rows = filled(
            read_sheet(raw, required=required, optional=optional, capitals=("watch_serial",), collected=faults),
            "site",
            site,
        )
    families = [_family(row) for row in rows]
    faults += [fault for family in families for fault in code_faults(family)]
    faults += [
        row.fault(column, f"{column}_missing", "This cell is empty.")
        for row in rows
        for column in ("phone", "site", "cohort")
        if not row.cells[column]
    ]
    for column in ("family_code", "watch_serial", "form_number"):
        faults += repeated_cells(rows, column, f"{column}_repeated")
    return FamilyList(families, first_faults(faults))


def row_faults(families: Sequence[FamilyRow]) -> list[Fault]:
    """Return a fault for each invalid code and repeated cell in rows that were not read from a file."""
    faults = [fault for family in families for fault in code_faults(family)]
    for column in ("family_code", "watch_serial", "form_number"):
        seen: dict[str, int] = {}
        for family in families:
            cell = getattr(family, column)
            if cell and cell in seen:
                faults.append(family.fault(column, f"{column}_repeated", f"Row {seen[cell]} has the same value."))
            elif cell:
                seen[cell] = family.row
    return first_faults(faults)


def code_faults(family: FamilyRow) -> list[Fault]:
    """Return the faults of a family's code and form number."""
    faults = []
    if not _FAMILY_CODE.fullmatch(family.family_code):
        faults.append(
            family.fault(
                "family_code",
                "family_code_malformed",
                "A family code has 2 to 20 characters of A-Z, 0-9 and -, at least one digit, and no name: DG1-017.",
            )
        )
    if family.form_number is not None and not _FORM_NUMBER.fullmatch(family.form_number):
        faults.append(
            family.fault(
                "form_number",
                "form_number_malformed",
                "A form's number has up to 40 characters of A-Z, 0-9, space and ./-, at least one digit, and no name.",
            )
        )
    return faults


async def check_families(
    work: UnitOfWork, families: Sequence[FamilyRow], *, programme: str | None = None
) -> tuple[list[CheckedFamily], list[Fault]]:
    """Compare a list with the enrolled families; return the valid rows and every fault of the others.

    Locks out other enrolments until the transaction ends. A phone number without country code is read as one of the
    site's country.
    """
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended("families.enrol", 0))))
    cohorts, faults = await _cohorts(work, families, programme)
    fitting: list[CheckedFamily] = []
    known = await _known_families(work, families)
    first_row: dict[str, int] = {}
    for family in families:
        if (family.site, family.cohort) not in cohorts:
            continue
        site, cohort = cohorts[family.site, family.cohort]
        try:
            phone = mobile_phone(family.phone, site.country)
        except PhoneInvalidError as error:
            faults.append(family.fault("phone", error.code, _phone_sentence(error, site.country)))
            continue
        if phone in first_row:
            faults.append(family.fault("phone", "phone_repeated", f"Row {first_row[phone]} has the same phone."))
        first_row.setdefault(phone, family.row)
        existing = known.get(family.family_code)
        if existing is not None:
            faults += _differences(family, existing[1], site, cohort, phone)
        fitting.append(CheckedFamily(family, site, cohort, phone, existing[0] if existing is not None else None))
    faults += await _phone_faults(work, fitting)
    return fitting, faults


async def enrol_families(
    work: UnitOfWork,
    actor: Actor,
    families: Sequence[FamilyRow],
    *,
    programme: str | None = None,
    progress: Progress = lambda: None,
) -> Enrolled:
    """Enrol a list of families, all rows or none; repeating the call changes nothing.

    Raises SheetRefusedError with every row that is invalid or conflicts with an existing enrolment.
    """
    checked, faults = await check_families(work, families, programme=programme)
    if faults:
        raise SheetRefusedError(faults)
    return await enrol_checked(work, actor, checked, progress)


async def enrol_checked(
    work: UnitOfWork, actor: Actor, checked: Sequence[CheckedFamily], progress: Progress = lambda: None
) -> Enrolled:
    """Enrol the rows that :func:`check_families` accepted, in the same transaction."""
    outcome = Enrolled()
    fresh = [entry for entry in checked if entry.known is None]
    families = {
        entry.row.family_code: Family(family_code=entry.row.family_code, created_at=work.now) for entry in fresh
    }
    work.add(*families.values())
    await work.flush()
    for entry in checked:
        code = entry.row.family_code
        if entry.known is not None:
            outcome.unchanged.append(code)
        else:
            family_id = families[code].family_id
            work.add(
                Enrolment(
                    family_id=family_id, site_id=entry.site.site_id, cohort_id=entry.cohort.cohort_id,
                    guardian_phone=entry.phone, form_number=entry.row.form_number, enrolled_at=work.now,
                )
            )  # fmt: skip
            record_fact(work, "family_enrolled", family_id=family_id)
            record_audit(work, actor, "family.enrolled", family_id=family_id)
            outcome.enrolled.append(code)
        progress()
    await work.flush()
    return outcome


def _family(row: Row) -> FamilyRow:
    cells = row.cells
    return FamilyRow(
        row=row.number,
        family_code=cells["family_code"].upper(),
        phone=cells["phone"],
        site=cells["site"],
        cohort=cells["cohort"],
        watch_serial=cells["watch_serial"] or None,
        form_number=cells["form_number"].upper() or None,
    )


async def _cohorts(
    work: UnitOfWork, families: Sequence[FamilyRow], programme: str | None
) -> tuple[dict[tuple[str, str], tuple[Site, Cohort]], list[Fault]]:
    cohorts: dict[tuple[str, str], tuple[Site, Cohort]] = {}
    refused: dict[tuple[str, str], tuple[str, str, str]] = {}
    for place in dict.fromkeys((family.site, family.cohort) for family in families):
        column = "site"
        try:
            site = await site_named(work, place[0], programme)
            # Without a complete privacy notice no family is enrolled.
            await notice_of_site(work, site)
            column = "cohort"
            cohorts[place] = (site, await cohort_named(work, site, place[1]))
        except CoreError as error:
            refused[place] = (column, error.code, error.sentence)
    faults = [
        family.fault(*refused[family.site, family.cohort])
        for family in families
        if (family.site, family.cohort) in refused
    ]
    return cohorts, faults


def _phone_sentence(error: PhoneInvalidError, country: str) -> str:
    if type(error) is PhoneInvalidError:
        return (
            f"This is not a mobile number of {country}. Write a number of another country with + and its country code."
        )
    return error.sentence


async def _known_families(
    work: UnitOfWork, families: Sequence[FamilyRow]
) -> Mapping[str, tuple[Family, Enrolment | None]]:
    codes = [family.family_code for family in families]
    result = await work.session.exec(select(Family).where(col(Family.family_code).in_(codes)))
    known = {family.family_id: family for family in result}
    standing = await work.session.exec(
        select(Enrolment).where(col(Enrolment.family_id).in_(known), col(Enrolment.ended_at).is_(None))
    )
    enrolments = {enrolment.family_id: enrolment for enrolment in standing}
    return {family.family_code: (family, enrolments.get(family.family_id)) for family in known.values()}


def _differences(family: FamilyRow, enrolment: Enrolment | None, site: Site, cohort: Cohort, phone: str) -> list[Fault]:
    if enrolment is None:
        return [family.fault("family_code", "family_ended", "A family with this code has left the programme.")]
    faults = []
    if enrolment.guardian_phone != phone:
        faults.append(family.fault("phone", "phone_differs", "This family is enrolled with another phone number."))
    # The form number of an existing enrolment is never filled in: it authorises a later change of the account.
    if family.form_number is not None and enrolment.form_number != family.form_number:
        faults.append(
            family.fault("form_number", "form_number_differs", "This family is enrolled with another form or none.")
        )
    if enrolment.site_id != site.site_id:
        faults.append(family.fault("site", "site_differs", "This family is enrolled at another site."))
    elif enrolment.cohort_id != cohort.cohort_id:
        faults.append(family.fault("cohort", "cohort_differs", "This family is enrolled in another cohort."))
    return faults


async def _phone_faults(work: UnitOfWork, checked: Sequence[CheckedFamily]) -> list[Fault]:
    """Return a fault for each phone of another enrolled family: most likely the same family is listed twice."""
    phones = [entry.phone for entry in checked]
    result = await work.session.exec(
        select(Enrolment.guardian_phone, Family.family_code)
        .join(Family, col(Family.family_id) == col(Enrolment.family_id))
        .where(col(Enrolment.guardian_phone).in_(phones), col(Enrolment.ended_at).is_(None))
    )
    holders = dict(result.all())
    return [
        entry.row.fault("phone", "phone_enrolled", f"Family {holders[entry.phone]} is enrolled with this phone number.")
        for entry in checked
        if entry.known is None and entry.phone in holders
    ]
