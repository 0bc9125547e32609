"""Every refusal as problem+json (RFC 9457): one table from typed errors to status, and nothing of the input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.api.cursor import CursorInvalidError
from services.api.forms import FormFieldMissingError
from services.api.ranges import RangeNotSatisfiableError
from services.api.session_cookies import ForeignPageError
from services.core.conversation.audio_assets import errors as clips
from services.core.conversation.messages import errors as messages
from services.core.devices.alerts import errors as alerts
from services.core.devices.contacts import errors as contacts
from services.core.devices.number_changes import errors as numbers
from services.core.devices.push import errors as push
from services.core.devices.traces import errors as traces
from services.core.devices.watches import errors as watches
from services.core.location.checkins import errors as checkins
from services.core.measurement import errors as usage
from services.core.measurement.dhis2_imports import errors as dhis2
from services.core.office.papers import errors as papers
from services.core.office.surveys import errors as surveys
from services.core.pairing import errors as pairing
from services.core.people.accounts import errors as accounts
from services.core.people.consents import errors as consents
from services.core.people.households import errors as families
from services.core.people.privacy_notices import errors as notices
from services.core.people.programme import errors as programme
from services.core.people.questions import errors as questions
from services.core.people.staff_accounts import errors as staff_accounts
from services.core.platform import erasure_ledger
from services.core.platform.audio import errors as audio
from services.core.platform.blobs.store import BlobStoreAwayError
from services.core.platform.crypto import errors as crypto
from services.core.platform.db.faults import is_collision, is_database_unavailable, sqlstate_of
from services.core.platform.errors import CoreError, RetryLaterError
from services.core.platform.spreadsheets.sheets import SheetRefusedError
from services.core.platform.text_rules import TextNotAllowedError
from services.core.privacy import errors as privacy

MEDIA_TYPE = "application/problem+json"
# Types are names, not addresses of pages; docs/problems.md lists them.
TYPE_PREFIX = "urn:smartwatch:problem:"

STATUS: dict[type[CoreError], HTTPStatus] = {
    RetryLaterError: HTTPStatus.TOO_MANY_REQUESTS,
    TextNotAllowedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    accounts.PhoneInvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    accounts.PhoneNotMobileError: HTTPStatus.UNPROCESSABLE_ENTITY,
    accounts.PhoneRoundedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    accounts.LoginCodeWrongError: HTTPStatus.FORBIDDEN,
    accounts.LoginCodeEndedError: HTTPStatus.FORBIDDEN,
    accounts.LoginCodeTooOftenError: HTTPStatus.TOO_MANY_REQUESTS,
    accounts.BusyTooLongError: HTTPStatus.UNPROCESSABLE_ENTITY,
    accounts.AccessTokenInvalidError: HTTPStatus.UNAUTHORIZED,
    accounts.SessionEndedError: HTTPStatus.UNAUTHORIZED,
    accounts.RefreshTokenInvalidError: HTTPStatus.UNAUTHORIZED,
    crypto.MasterKeyMissingError: HTTPStatus.SERVICE_UNAVAILABLE,
    accounts.SecondStepNeededError: HTTPStatus.FORBIDDEN,
    accounts.SecondStepWrongError: HTTPStatus.FORBIDDEN,
    accounts.StepUpRequiredError: HTTPStatus.FORBIDDEN,
    accounts.PinWrongError: HTTPStatus.FORBIDDEN,
    accounts.LogInNotReadError: HTTPStatus.CONFLICT,
    accounts.LogInTooOldError: HTTPStatus.CONFLICT,
    accounts.NewPhonesBlockedError: HTTPStatus.FORBIDDEN,
    accounts.StaffLogInRefusedError: HTTPStatus.FORBIDDEN,
    accounts.StaffSetUpNeededError: HTTPStatus.FORBIDDEN,
    accounts.PasswordRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    accounts.PinRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    consents.ConsentRequiredError: HTTPStatus.FORBIDDEN,
    consents.ConsentTextUnknownError: HTTPStatus.CONFLICT,
    consents.ConsentProofError: HTTPStatus.UNPROCESSABLE_ENTITY,
    consents.AgreementNotDueError: HTTPStatus.CONFLICT,
    consents.ChildRefusedError: HTTPStatus.CONFLICT,
    questions.QuestionChildError: HTTPStatus.UNPROCESSABLE_ENTITY,
    notices.SiteIncompleteError: HTTPStatus.CONFLICT,
    notices.NoticeOutdatedError: HTTPStatus.CONFLICT,
    notices.FilingNumberError: HTTPStatus.UNPROCESSABLE_ENTITY,
    notices.TooManyProcessorsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    CursorInvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    numbers.NumberNeedsOfficeError: HTTPStatus.FORBIDDEN,
    numbers.NumberTakenError: HTTPStatus.CONFLICT,
    numbers.NumberChangeWaitingError: HTTPStatus.CONFLICT,
    numbers.NumberChangeEndedError: HTTPStatus.CONFLICT,
    traces.TraceNotAllowedError: HTTPStatus.CONFLICT,
    traces.TraceClosedError: HTTPStatus.CONFLICT,
    contacts.ContactsFullError: HTTPStatus.CONFLICT,
    contacts.ContactNotApprovedError: HTTPStatus.CONFLICT,
    contacts.LivesWithChildFullError: HTTPStatus.CONFLICT,
    contacts.ContactNumberTakenError: HTTPStatus.CONFLICT,
    contacts.ContactOfGuardianError: HTTPStatus.CONFLICT,
    contacts.ContactOrderError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.NotFoundError: HTTPStatus.NOT_FOUND,
    families.RightMissingError: HTTPStatus.FORBIDDEN,
    families.RightNotYoursError: HTTPStatus.FORBIDDEN,
    families.PrimaryGuardianError: HTTPStatus.CONFLICT,
    families.BirthYearInvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.RelationUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.FamilyFullError: HTTPStatus.CONFLICT,
    families.AlreadyGuardianError: HTTPStatus.CONFLICT,
    families.InvitationExistsError: HTTPStatus.CONFLICT,
    families.InvitationEndedError: HTTPStatus.CONFLICT,
    families.SecondPersonNeededError: HTTPStatus.FORBIDDEN,
    families.RecoveryPaperError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.RecoveryDocumentNeededError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.RecoveryPhoneTakenError: HTTPStatus.CONFLICT,
    families.RecoveryStandsError: HTTPStatus.CONFLICT,
    families.RecoveryEndedError: HTTPStatus.CONFLICT,
    families.HandOutClosedError: HTTPStatus.FORBIDDEN,
    families.HandOutOfColleagueError: HTTPStatus.FORBIDDEN,
    families.HandOutTooLongError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.SlipRefusedError: HTTPStatus.FORBIDDEN,
    families.BreakGlassClosedError: HTTPStatus.FORBIDDEN,
    messages.EmojiUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    messages.IdempotencyConflictError: HTTPStatus.CONFLICT,
    messages.InboxFullError: HTTPStatus.CONFLICT,
    messages.NotARecipientError: HTTPStatus.CONFLICT,
    messages.TooManyUploadsError: HTTPStatus.CONFLICT,
    messages.UploadOffsetError: HTTPStatus.CONFLICT,
    messages.UploadUnfinishedError: HTTPStatus.CONFLICT,
    messages.UploadHashError: HTTPStatus.UNPROCESSABLE_ENTITY,
    audio.AudioNotReadableError: HTTPStatus.UNPROCESSABLE_ENTITY,
    audio.ClipTooLongError: HTTPStatus.UNPROCESSABLE_ENTITY,
    audio.ClipTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    audio.AudioBusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    clips.AudioGoneError: HTTPStatus.GONE,
    clips.AudioNotReadyError: HTTPStatus.SERVICE_UNAVAILABLE,
    papers.CharactersNotPrintableError: HTTPStatus.CONFLICT,
    papers.ProgrammePhoneMissingError: HTTPStatus.CONFLICT,
    ForeignPageError: HTTPStatus.FORBIDDEN,
    FormFieldMissingError: HTTPStatus.UNPROCESSABLE_ENTITY,
    RangeNotSatisfiableError: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    checkins.ZonesFullError: HTTPStatus.CONFLICT,
    checkins.ZoneShapeError: HTTPStatus.UNPROCESSABLE_ENTITY,
    checkins.ZoneHoursError: HTTPStatus.UNPROCESSABLE_ENTITY,
    checkins.DayNotKeptError: HTTPStatus.NOT_FOUND,
    privacy.PrimaryOnlyError: HTTPStatus.FORBIDDEN,
    privacy.ConfirmationMissingError: HTTPStatus.UNPROCESSABLE_ENTITY,
    privacy.LastMessengerError: HTTPStatus.CONFLICT,
    privacy.ContestDecisionStandsError: HTTPStatus.CONFLICT,
    privacy.ContestDecisionEndedError: HTTPStatus.CONFLICT,
    privacy.ContestExistsError: HTTPStatus.CONFLICT,
    privacy.ExportRunningError: HTTPStatus.TOO_MANY_REQUESTS,
    privacy.ExportNotReadyError: HTTPStatus.CONFLICT,
    erasure_ledger.ErasuresPendingError: HTTPStatus.SERVICE_UNAVAILABLE,
    erasure_ledger.LedgerBrokenError: HTTPStatus.SERVICE_UNAVAILABLE,
    erasure_ledger.LedgerAwayError: HTTPStatus.SERVICE_UNAVAILABLE,
    pairing.PairingCodeUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    pairing.PairingTriesError: HTTPStatus.TOO_MANY_REQUESTS,
    pairing.ChildHasWatchError: HTTPStatus.CONFLICT,
    pairing.NotPairedError: HTTPStatus.CONFLICT,
    push.PushAddressRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    push.PushKeysInvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    push.PushEndpointsFullError: HTTPStatus.CONFLICT,
    # Of recordings, lists, the programme and staff: raised by routes of staff, by the worker or by the command line.
    audio.DoesNotFitError: HTTPStatus.UNPROCESSABLE_ENTITY,
    SheetRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.CountryUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.TimezoneUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.LocaleUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.SiteKindUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.DatesReversedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.ProgrammeUnknownError: HTTPStatus.NOT_FOUND,
    programme.SiteUnknownError: HTTPStatus.NOT_FOUND,
    programme.SiteAmbiguousError: HTTPStatus.CONFLICT,
    programme.CohortUnknownError: HTTPStatus.NOT_FOUND,
    programme.SiteDiffersError: HTTPStatus.CONFLICT,
    programme.CohortDiffersError: HTTPStatus.CONFLICT,
    programme.EmailRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.RoleUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.ScopeNeededError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.PermissionMissingError: HTTPStatus.FORBIDDEN,
    programme.ScopeOfRoleError: HTTPStatus.UNPROCESSABLE_ENTITY,
    programme.StaffUnknownError: HTTPStatus.NOT_FOUND,
    programme.StaffDiffersError: HTTPStatus.CONFLICT,
    programme.StaffEndedError: HTTPStatus.CONFLICT,
    programme.EndTooSoonError: HTTPStatus.UNPROCESSABLE_ENTITY,
    staff_accounts.ApproverTooNewError: HTTPStatus.FORBIDDEN,
    staff_accounts.RoleOfFactoryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    staff_accounts.StaffPhoneNeededError: HTTPStatus.UNPROCESSABLE_ENTITY,
    staff_accounts.StaffRequestStandsError: HTTPStatus.CONFLICT,
    staff_accounts.StaffRequestEndedError: HTTPStatus.CONFLICT,
    families.FamilyUnknownError: HTTPStatus.NOT_FOUND,
    families.HelpKindUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.TrainingUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    families.EndReasonUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
    usage.SimulationExistsError: HTTPStatus.CONFLICT,
    usage.SimulationRefusedError: HTTPStatus.FORBIDDEN,
    usage.UsageExportRunningError: HTTPStatus.TOO_MANY_REQUESTS,
    usage.UsageExportNotReadyError: HTTPStatus.CONFLICT,
    usage.RecipientNotAllowedError: HTTPStatus.FORBIDDEN,
    usage.MappingNeededError: HTTPStatus.UNPROCESSABLE_ENTITY,
    dhis2.Dhis2NotConfiguredError: HTTPStatus.CONFLICT,
    dhis2.Dhis2ImportRunningError: HTTPStatus.TOO_MANY_REQUESTS,
    dhis2.Dhis2IdsAmbiguousError: HTTPStatus.UNPROCESSABLE_ENTITY,
    dhis2.Dhis2IdsMalformedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    dhis2.SimulatedNotSentError: HTTPStatus.CONFLICT,
    watches.WatchUnknownError: HTTPStatus.NOT_FOUND,
    watches.WatchElsewhereError: HTTPStatus.CONFLICT,
    watches.PaperTimeWrongError: HTTPStatus.UNPROCESSABLE_ENTITY,
    watches.WatchStateError: HTTPStatus.CONFLICT,
    watches.WatchOfOtherSiteError: HTTPStatus.CONFLICT,
    surveys.SurveyEmptyError: HTTPStatus.CONFLICT,
    surveys.SurveyPublishedError: HTTPStatus.CONFLICT,
    surveys.SurveyUnconfirmedError: HTTPStatus.CONFLICT,
    surveys.SurveyUnknownError: HTTPStatus.NOT_FOUND,
    watches.NothingToUndoError: HTTPStatus.CONFLICT,
    watches.WatchPairedError: HTTPStatus.CONFLICT,
    watches.VendorFileOfOthersError: HTTPStatus.CONFLICT,
    watches.VendorFileFailedError: HTTPStatus.CONFLICT,
    watches.NoWatchError: HTTPStatus.CONFLICT,
    watches.CommandTooOftenError: HTTPStatus.TOO_MANY_REQUESTS,
    watches.LocationOffError: HTTPStatus.CONFLICT,
    watches.QuietTimesError: HTTPStatus.UNPROCESSABLE_ENTITY,
    alerts.AlertNotAcknowledgedError: HTTPStatus.CONFLICT,
    alerts.AlertKindUnknownError: HTTPStatus.UNPROCESSABLE_ENTITY,
}

HTTP_CODES = {
    400: ("malformed", "The request is malformed."),
    404: ("not_found", "This does not exist."),
    405: ("method_not_allowed", "This address does not support this method."),
    406: ("not_acceptable", "The response is not available in a format that the request accepts."),
    408: ("request_too_slow", "The request arrived too slowly. Send it again."),
    413: ("too_large", "The request is too large."),
    415: ("media_type_not_supported", "Send the body as application/json, without compression."),
}

INVALID_REQUEST = (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", "Some values of the request are invalid.")
BODY_TOO_DEEP = (HTTPStatus.BAD_REQUEST, "body_too_deep", "The JSON of the request is nested too deeply.")
DUPLICATE_KEY = (HTTPStatus.BAD_REQUEST, "duplicate_key", "An object in the request contains the same key twice.")
BODY_TOO_SLOW = (HTTPStatus.REQUEST_TIMEOUT, *HTTP_CODES[408])
TRY_AGAIN = (HTTPStatus.SERVICE_UNAVAILABLE, "try_again", "Try again in a moment.")
INTERNAL_ERROR = (HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "The server failed to process the request.")
# Problems without a typed error of the core.
OWN_FAULTS = (INVALID_REQUEST, BODY_TOO_DEEP, DUPLICATE_KEY, TRY_AGAIN, INTERNAL_ERROR)

# Shaped as our own fields: no phone number, address, token or sentence fits.
_FIELD_NAME = re.compile(r"[A-Za-z_]{1,40}[0-9]{0,2}")

log = structlog.get_logger()


class Problem(BaseModel):
    """RFC 9457 with a stable ``code``; more fields as the problem's page says."""

    type: str = Field(examples=["urn:smartwatch:problem:not_found"])
    title: str = Field(examples=["This does not exist."])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    request_id: str = Field(examples=["k3m9q2x7d5fa"])


# ``openapi.describe`` adds the schema to the document.
_PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}


def problem(
    request: Request, status: int, code: str, title: str, fields: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return one problem; ``fields`` must hold nothing of the input and nothing personal."""
    body = {
        "type": f"{TYPE_PREFIX}{code}",
        "title": title,
        "status": int(status),
        "code": code,
        "request_id": getattr(request.state, "request_id", ""),
        **(fields or {}),
    }
    headers = {}
    if fields and "retry_after_s" in fields:
        headers["Retry-After"] = str(fields["retry_after_s"])
    if fields and "of_bytes" in fields:
        headers["Content-Range"] = f"bytes */{fields['of_bytes']}"
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, int(status), media_type=MEDIA_TYPE, headers=headers)


def problem_of_fault(request: Request, error: Exception) -> JSONResponse:
    """Return what a fault of our own looks like from outside: come again, or a request id and nothing else."""
    if is_database_unavailable(error) or is_collision(error) or isinstance(error, BlobStoreAwayError):
        log.warning("request_not_served", error=type(error).__qualname__, sqlstate=sqlstate_of(error))
        return problem(request, *TRY_AGAIN, {"retry_after_s": 2})
    log.error("request_failed", exc_info=error)
    return problem(request, *INTERNAL_ERROR)


async def _core_error(request: Request, error: Exception) -> Response:
    refused = error if isinstance(error, CoreError) else CoreError()
    status = STATUS[type(refused)]
    try:
        await request.app.state.refusals.note(request, refused, status)
    except Exception as fault:  # noqa: BLE001 - a refusal that cannot be written down is answered as any other fault
        return problem_of_fault(request, fault)
    return problem(request, status, refused.code, refused.sentence, refused.fields())


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    code, title = HTTP_CODES.get(status, ("refused", HTTPStatus(status).phrase))
    answer = problem(request, status, code, title)
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    """Name the fields by JSON pointer and the rule that each breaks; never what was sent."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    if any(fault["type"] == "json_invalid" for fault in faults):
        return problem(request, HTTPStatus.BAD_REQUEST, *HTTP_CODES[400])
    errors = [
        {
            "in": str(fault["loc"][0]) if fault["loc"] else "",
            "pointer": _pointer(_without_tag(fault["loc"][1:], error), fault["type"]),
            "rule": fault["type"],
            **_unknown_field(fault["loc"][1:], fault["type"]),
        }
        for fault in faults[:20]
    ]
    return problem(request, *INVALID_REQUEST, {"errors": errors})


def _unknown_field(path: tuple[int | str, ...], rule: str) -> dict[str, str]:
    """Return the name of a field that nobody knows, if it looks like one: a value in its place is not repeated."""
    name = str(path[-1]) if path else ""
    return {"unknown": name} if rule == "extra_forbidden" and _FIELD_NAME.fullmatch(name) else {}


def _without_tag(path: tuple[int | str, ...], error: Exception) -> tuple[int | str, ...]:
    """Return the path without the tag of a union: it names the kind of body, and nothing in the body is inside it."""
    body = error.body if isinstance(error, RequestValidationError) else None
    if not isinstance(body, dict) or len(path) < 2 or body.get("kind") != path[0]:  # noqa: PLR2004 - tag and field
        return path
    return path if isinstance(body.get(path[0]), dict | list) else path[1:]


def _pointer(path: tuple[int | str, ...], rule: str) -> str:
    # The name of a field that nobody knows was made up by the client: what is pointed to is the object that holds it.
    known = path[:-1] if rule == "extra_forbidden" else path
    return "".join(f"/{step}" for step in known)


def install(app: FastAPI) -> None:
    """Have every refusal of this app answered as a problem."""
    app.add_exception_handler(CoreError, _core_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documented problems of a route, for OpenAPI.

    The schema is named, not given as a ``model``: FastAPI builds a validator of each model for each status of each
    route, a thousand in all, and none of them is ever used.
    """
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": dict(_PROBLEM_SCHEMA)}}}
        for status in statuses
    }
