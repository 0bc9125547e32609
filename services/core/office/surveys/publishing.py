"""Publication of a survey's reports: once, for every site and the programme together, and never changed afterwards.

Recomputing reports on each request would reveal the answers of a family that joined or left between two requests.
"""

from __future__ import annotations

import hmac
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlmodel import col, select

from services.core.office.surveys.comparison import Comparison
from services.core.office.surveys.disclosing import Waves, controlled
from services.core.office.surveys.errors import SurveyEmptyError, SurveyUnconfirmedError
from services.core.office.surveys.queries import answers_of, questions_of
from services.core.office.surveys.tables import Survey, SurveyReport
from services.core.people.households.tables import Enrolment
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import LEAST, Audience

Answers = Mapping[tuple[str, str], Mapping[uuid.UUID, float]]


@dataclass(frozen=True)
class Publishable:
    """What publication would include: how many families at least, and the value that confirms these lists."""

    pairs: int
    confirm: str


async def publishable(work: UnitOfWork, survey: Survey) -> Publishable:
    """Return what publication would include now.

    ``pairs`` counts the families that consent to measurement and answered the same question in both waves, rounded down
    to fives. ``confirm`` changes with each imported list, whoever consents: an exact number, or a value that follows
    the stored answers, would tell list by list which family has agreed. Raises SurveyEmptyError below five.
    """
    return _publishable(
        work, survey, await answers_of(work, survey, agreed_only=True), await questions_of(work, survey)
    )


def _publishable(work: UnitOfWork, survey: Survey, answers: Answers, keys: Iterable[str]) -> Publishable:
    paired = {
        family_id
        for key in keys
        for family_id in answers.get((key, "baseline"), {})
        if family_id in answers.get((key, "endline"), {})
    }
    least = LEAST[Audience.STAFF]
    if len(paired) < least:
        raise SurveyEmptyError
    lists = f"{survey.survey_id}/{survey.lists_imported}"
    return Publishable(
        pairs=len(paired) // least * least, confirm=work.vault.keyed_hash(lists, "survey-publication").hex()[:16]
    )


async def publish_survey(work: UnitOfWork, actor: Actor, survey: Survey, *, confirm: str | None) -> bool:
    """Publish a survey's reports; return whether they were unpublished before. Repeating the call changes nothing.

    ``confirm`` is the value of :func:`publishable`. Raises SurveyEmptyError when fewer than five families answered in
    both waves (every number would be suppressed), SurveyUnconfirmedError without the value, or when a list has been
    imported since.

    Includes the families that consent to measurement at this moment, each at the site of its latest enrolment.
    """
    await work.session.refresh(survey, with_for_update={"key_share": True})
    if survey.published_at is not None:
        return False
    answers, questions = await answers_of(work, survey, agreed_only=True), await questions_of(work, survey)
    included = _publishable(work, survey, answers, questions)
    if confirm is None or not hmac.compare_digest(confirm.encode(), included.confirm.encode()):
        raise SurveyUnconfirmedError(included.pairs, included.confirm)
    sites = await _families_by_site(work, survey.programme_id)
    reports: dict[uuid.UUID, list[Comparison]] = defaultdict(list)
    for question in questions.values():
        waves = Waves(
            *(
                {str(family_id): value for family_id, value in answers.get((question.key, wave), {}).items()}
                for wave in ("baseline", "endline")
            )
        )
        for scope, comparison in controlled(question.key, question.kind, waves, sites, survey.programme_id).items():
            reports[scope].append(comparison)
    work.add(
        *(
            SurveyReport(survey_id=survey.survey_id, scope_id=scope, comparisons=[asdict(line) for line in comparisons])
            for scope, comparisons in reports.items()
        )
    )
    survey.published_at = work.now
    work.add(survey)
    record_audit(work, actor, "survey.published", subject_id=survey.survey_id)
    await work.flush()
    return True


async def _families_by_site(work: UnitOfWork, programme_id: uuid.UUID) -> dict[uuid.UUID, frozenset[str]]:
    """Return the families of each site, including those that left; each is at one site, so sites sum to the total."""
    sites = await work.session.exec(select(Site.site_id).where(Site.programme_id == programme_id))
    families: dict[uuid.UUID, set[str]] = {site_id: set() for site_id in sites}
    result = await work.session.exec(
        select(Enrolment.family_id, Enrolment.site_id)
        .where(col(Enrolment.site_id).in_(families))
        .order_by(col(Enrolment.enrolled_at), col(Enrolment.enrolment_id))
    )
    for family_id, site_id in {family_id: site_id for family_id, site_id in result}.items():  # noqa: C416 - the last one wins
        families[site_id].add(str(family_id))
    return {site_id: frozenset(ids) for site_id, ids in families.items()}
