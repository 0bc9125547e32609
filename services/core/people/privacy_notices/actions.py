"""State who is responsible at a site; each change is a new version."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func
from sqlmodel import select

from services.core.people.privacy_notices.queries import stated_notice
from services.core.people.privacy_notices.rules import NoticeDetails, check_details
from services.core.people.privacy_notices.tables import PrivacyNotice
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.database import UnitOfWork


async def state_notice(work: UnitOfWork, actor: Actor, site: Site, details: NoticeDetails) -> bool:
    """Record what the site states in place of what it stated before; the same again returns False.

    Consents keep the version that they were given under. Raises what rules.check_details raises.
    """
    checked = check_details(details, site.country)
    # Two colleagues who save at once make two versions, one after the other.
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"notice/{site.site_id}", 0))))
    version, stated = await stated_notice(work, site.site_id)
    if stated == checked:
        return False
    fields = {**asdict(checked), "processors": [asdict(processor) for processor in checked.processors]}
    work.add(PrivacyNotice(site_id=site.site_id, version=version + 1, made_at=work.now, **fields))
    await work.flush()
    record_audit(work, actor, "site.notice_stated", subject_id=site.site_id)
    return True
