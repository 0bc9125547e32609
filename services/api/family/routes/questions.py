"""The guardian's question of the day: at most one, and "not now"."""

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import BeforeConsent, FamilyScope
from services.api.family.notices import notice_response
from services.api.family.schemas import families as schemas
from services.api.problems import problem_responses
from services.core.people.consents.rules import ConsentText, Part, child_texts, consent_texts
from services.core.people.households.queries import latest_site_of_family
from services.core.people.questions.actions import put_off
from services.core.people.questions.queries import question_for
from services.core.people.questions.rules import Subject
from services.core.platform.db.database import UnitOfWork
from services.core.platform.locales import fitting_locale

router = Routes(prefix="/v1/families/{family_id}/question", tags=["me"])


@router.get("", responses=problem_responses(401, 404, 409, 422))
async def read_question(work: Work, scope: BeforeConsent) -> schemas.QuestionResponse:
    """Return the one question to ask the caller now, in the caller's language.

    On the first day only messages are asked for; each further question comes on a later day of the site, one a day, and
    again 30 days after "not now" at the earliest. What the caller took back is not asked for again.
    """
    question = await question_for(work, scope.membership)
    if question is None:
        return schemas.QuestionResponse(question=None)
    text = _text(question.subject, fitting_locale(scope.caller.guardian.locale))
    shows_notice = question.subject is Subject.MESSAGES
    return schemas.QuestionResponse(
        question=schemas.Question(
            subject=question.subject.value,
            child_id=question.child_id,
            is_newer=question.is_newer,
            text_version=text.text_version,
            locale=text.locale,
            text=text.text,
            notice=await _notice(work, scope, text.locale) if shows_notice else None,
        )
    )


@router.post("/not-now", status_code=204, responses=problem_responses(401, 404, 422))
async def not_now(work: Work, scope: BeforeConsent, body: schemas.NotNowRequest) -> None:
    """Put a question off. It is asked again after 30 days at the earliest, and no other one today.

    Without consent to messages that question is asked at each opening: nothing works before it.
    """
    await put_off(work, scope.membership, Subject(body.subject), body.child_id)


def _text(subject: Subject, locale: str) -> ConsentText:
    return child_texts()[locale] if subject is Subject.CHILDS_WORD else consent_texts()[Part(subject.value), locale]


async def _notice(work: UnitOfWork, scope: FamilyScope, locale: str) -> schemas.PrivacyNoticeResponse | None:
    site = await latest_site_of_family(work, scope.family_id)
    return None if site is None else await notice_response(work, site, locale)
