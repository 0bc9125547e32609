"""What changed between the waves of a survey, at a site that the caller serves; never one family's answer."""

import uuid
from dataclasses import asdict

from fastapi import APIRouter

from services.api.access_staff import SeesImpactAtSite
from services.api.dependencies import Work
from services.api.problems import answers
from services.api.schemas import staff_programme as told
from services.core.families.errors import NotFoundError
from services.core.surveys.queries import compare_waves, survey_of_programme, surveys_of

router = APIRouter(prefix="/v1/staff/sites/{site_id}/surveys", tags=["staff"])


@router.get("", responses=answers(401, 403, 404, 422))
async def list_surveys(work: Work, scope: SeesImpactAtSite) -> told.Surveys:
    """Tell the surveys of the site's programme."""
    return told.Surveys(
        surveys=[
            told.SurveyTold(survey_id=one.survey_id, name=one.name)
            for one in await surveys_of(work, scope.site.programme_id)
        ]
    )


@router.get("/{survey_id}", responses=answers(401, 403, 404, 422))
async def read_report(work: Work, scope: SeesImpactAtSite, survey_id: uuid.UUID) -> told.SurveyReport:
    """Tell what changed at the site in matched pairs, with 95 % intervals and who was lost on the way."""
    survey = await survey_of_programme(work, scope.site.programme_id, survey_id)
    if survey is None:
        raise NotFoundError
    comparisons = await compare_waves(work, survey, scope.site)
    return told.SurveyReport(
        survey_id=survey_id, comparisons=[told.ComparisonTold.model_validate(asdict(one)) for one in comparisons]
    )
