"""Read privacy notices: of a site, and the one that a guardian of a family is shown."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlmodel import col, select

from services.core.people.privacy_notices.errors import NoticeOutdatedError, SiteIncompleteError
from services.core.people.privacy_notices.rules import (
    NoticeDetails,
    Processor,
    missing_fields,
    notice_version,
    with_fictional,
)
from services.core.people.privacy_notices.tables import PrivacyNotice
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class SiteNotice:
    """The notice of a site: its version, what is shown, what is missing, and whether shown values are fictional."""

    site: Site
    version: int
    shown: NoticeDetails
    missing: tuple[str, ...]

    @property
    def notice_version(self) -> str:
        """The version that consents record."""
        return notice_version(self.version)

    @property
    def is_fictional(self) -> bool:
        """Whether fictional values stand in the place of missing ones."""
        return bool(self.missing)


async def stated_notice(work: UnitOfWork, site_id: uuid.UUID) -> tuple[int, NoticeDetails]:
    """Return what the site stated last, and its version; version 0 and nothing before the first."""
    result = await work.session.exec(
        select(PrivacyNotice)
        .where(col(PrivacyNotice.site_id) == site_id)
        .order_by(col(PrivacyNotice.version).desc())
        .limit(1)
    )
    row = result.first()
    if row is None:
        return 0, NoticeDetails()
    stated = row.model_dump(exclude={"site_id", "version", "processors", "made_at"})
    return row.version, NoticeDetails(
        **stated, processors=tuple(Processor(**processor) for processor in row.processors)
    )


async def notice_of_site(work: UnitOfWork, site: Site) -> SiteNotice:
    """Return the site's notice as it is shown.

    Outside production missing fields have fictional values. In production it raises SiteIncompleteError instead.
    """
    version, details = await stated_notice(work, site.site_id)
    missing = missing_fields(details, site.country)
    if missing and work.is_production:
        raise SiteIncompleteError(", ".join(missing))
    return SiteNotice(site, version, with_fictional(details, site.country), missing)


async def version_to_record(work: UnitOfWork, site: Site | None, shown_version: str | None) -> str | None:
    """Return the version of the notice that a consent records: the one in force; None for a family without a site.

    ``shown_version`` is the one that the app showed. Raises NoticeOutdatedError when it is not the one in force, and in
    production SiteIncompleteError.
    """
    if site is None:
        return None
    in_force = (await notice_of_site(work, site)).notice_version
    if shown_version is not None and shown_version != in_force:
        raise NoticeOutdatedError(in_force)
    return in_force
