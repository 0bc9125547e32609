"""The families of a guardian with all that an app's first screen shows of them, read in one statement."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Final

from sqlmodel import SQLModel

from services.core.people.accounts.phone_numbers import region_of_phone
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.rules import Part
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Family, Membership, Notice
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of, objects_of


@dataclass(frozen=True)
class FamilyShown:
    """A family of a guardian. ``consents`` are the guardian's own that stand."""

    membership: Membership
    family: Family
    # None after the family has left its site.
    site: Site | None
    # The newest notice to the family or its cohort.
    notice: Notice | None
    # Time of the newest event.
    event_at: datetime | None
    # The last day of the programme of the latest enrolment, the time zone of its site, when the family was notified.
    ends_on: date | None
    ends_in_timezone: str | None
    told_at: datetime | None
    # Number of the first guardian of a family without a site.
    primary_phone: str | None
    consents: list[Consent] = field(default_factory=list)

    @property
    def country(self) -> str | None:
        """Where the family lives, as `country_of` returns it."""
        if self.site is not None:
            return self.site.country
        return None if self.primary_phone is None else region_of_phone(self.primary_phone)

    def has_consent(self, part: Part) -> bool:
        """Return whether the guardian's consent to a part stands."""
        return any(consent.part == part for consent in self.consents)


@dataclass(frozen=True)
class FamiliesShown:
    """The current families of a guardian, oldest membership first."""

    families: list[FamilyShown]
    # Whether invitations to the guardian's number are open, and log-ins of others in these families may wait.
    is_invited: bool
    has_log_ins: bool


_ENTITIES: Final = (Membership, Family, Site, Notice)


async def families_shown(work: UnitOfWork, guardian: Guardian) -> FamiliesShown:
    """Return the guardian's current families."""
    rows = await work.read(_statement(), guardian.guardian_id, guardian.phone, work.now)
    families: dict[uuid.UUID, FamilyShown] = {}
    for row in rows:
        if row["of_family_id"] is None:
            continue
        shown = families.get(row["of_family_id"])
        if shown is None:
            membership, family, site, notice = objects_of(work, tuple(row), *_ENTITIES)
            shown = families[row["of_family_id"]] = FamilyShown(
                membership,
                family,
                site,
                notice,
                row["event_at"],
                row["ends_on"],
                row["ends_in"],
                row["told_at"],
                row["primary_phone"],
            )
        [consent] = objects_of(work, row[_BEFORE_CONSENT:], Consent)
        if consent is not None:
            shown.consents.append(consent)
    return FamiliesShown(
        list(families.values()), rows[0]["is_invited"], any(row["has_log_ins"] for row in rows)
    )  # fmt: skip


# Columns of a row before those of the consent.
_BEFORE_CONSENT: Final = sum(len(SQLModel.metadata.tables[str(of.__tablename__)].columns) for of in _ENTITIES) + 8


@cache
def _statement() -> str:
    """Return the statement: a row for each consent of each family, and one row where there is no family.

    ``OFFSET 0``: Postgres asks the questions about a family once, not for each consent.
    """
    membership, family, site, notice = _ENTITIES
    columns = columns_of((membership, "m"), (family, "f"), (site, "s"), (notice, "o"))
    return f"""
        SELECT of_family.*, {columns_of((Consent, "c"))}
        FROM (
            SELECT {columns},
                   latest.ends_on, latest.timezone AS ends_in, ending.told_at,
                   (
                       SELECT e.created_at FROM event e WHERE e.family_id = f.family_id AND e.seq = f.event_seq
                   ) AS event_at,
                   EXISTS (
                       SELECT FROM invitation i WHERE i.phone = $2 AND i.ended_at IS NULL AND i.expires_at > $3
                   ) AS is_invited,
                   EXISTS (
                       SELECT FROM membership other JOIN session x ON x.guardian_id = other.guardian_id
                       WHERE other.family_id = m.family_id AND other.removed_at IS NULL
                         AND x.limited AND x.ended_at IS NULL
                   ) AS has_log_ins,
                   CASE WHEN s.site_id IS NULL THEN (
                       SELECT g.phone FROM membership p JOIN guardian g ON g.guardian_id = p.guardian_id
                       WHERE p.family_id = m.family_id AND p.is_primary AND p.removed_at IS NULL
                   ) END AS primary_phone,
                   m.family_id AS of_family_id
            FROM (SELECT $1::uuid AS guardian_id) asking
            LEFT JOIN membership m ON m.guardian_id = asking.guardian_id AND m.removed_at IS NULL
            LEFT JOIN family f ON f.family_id = m.family_id
            LEFT JOIN enrolment n ON n.family_id = m.family_id AND n.ended_at IS NULL
            LEFT JOIN site s ON s.site_id = n.site_id
            LEFT JOIN LATERAL (
                SELECT p.ends_on, t.timezone
                FROM enrolment l
                JOIN site t ON t.site_id = l.site_id
                JOIN programme p ON p.programme_id = t.programme_id
                WHERE l.family_id = m.family_id
                ORDER BY l.enrolled_at DESC, l.enrolment_id LIMIT 1
            ) latest ON true
            LEFT JOIN family_ending ending ON ending.family_id = m.family_id
            -- The notices are those of `notices_for`, the office's list of all of them.
            LEFT JOIN LATERAL (
                SELECT own.* FROM notice own WHERE own.family_id = m.family_id
                UNION ALL
                SELECT news.* FROM enrolment l JOIN notice news ON news.cohort_id = l.cohort_id
                WHERE l.family_id = m.family_id AND news.created_at >= l.enrolled_at
                  AND (l.ended_at IS NULL OR news.created_at <= l.ended_at)
                ORDER BY created_at DESC, notice_id LIMIT 1
            ) o ON true
            OFFSET 0
        ) of_family
        LEFT JOIN consent c
            ON c.guardian_id = $1 AND c.family_id = of_family.of_family_id AND c.withdrawn_at IS NULL
        ORDER BY of_family.joined_at, of_family.membership_id, c.given_at, c.part, c.consent_id
    """  # noqa: S608 - names of our own columns
