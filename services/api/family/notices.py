"""The privacy notice of a site as an HTTP body."""

from services.api.family.schemas import families as schemas
from services.core.people.privacy_notices.queries import notice_of_site
from services.core.people.privacy_notices.rules import notice_text
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.locales import fitting_locale


async def notice_response(work: UnitOfWork, site: Site, locale: str) -> schemas.PrivacyNoticeResponse:
    """Return the notice in the best matching language; in production raises SiteIncompleteError."""
    notice, spoken = await notice_of_site(work, site), fitting_locale(locale)
    return schemas.PrivacyNoticeResponse(
        notice_version=notice.notice_version, locale=spoken, text=notice_text(notice.shown, spoken),
        is_fictional=notice.is_fictional,
    )  # fmt: skip
