"""Schemas for hand-out, triage, help requests, notices, enrolment and the programme's structure, without names."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from services.api.schema_base import RequestBody, ResponseBody
from services.api.schema_fields import WrittenTime

FamilyCode = Annotated[str, Field(min_length=2, max_length=20, pattern=r"^[A-Za-z0-9-]+$", examples=["DG-001"])]
Scan = Annotated[
    str,
    Field(
        min_length=4, max_length=260, pattern=r"^[A-Za-z0-9:/.#_\[\]\- ]+$", examples=["https://watch.example.org/w#DG000001"],
        description="content of a label's QR code, or the serial",
    ),
]  # fmt: skip
Kind = Literal[
    "silent",
    "not_arrived",
    "low_battery",
    "never_paired",
    "sim_expiring",
    "sim_over_quota",
    "old_firmware",
    "delivery_stuck",
]


TrainingKind = Literal["watch", "migrant_parents", "family_day", "parenting", "online_safety", "refresher"]
EndReason = Literal["left_factory", "moved_away", "watch_returned", "declined", "child_grown", "other"]


class HandOutWatchRequest(RequestBody):
    """A watch's label and a family's code."""

    scan: Scan
    family_code: FamilyCode


class HandedOutWatchResponse(ResponseBody):
    """A watch of a family; ``is_new`` false: the family had it before."""

    serial: str
    family_code: str
    is_new: bool
    no_working_channel: bool | None = Field(
        description="no guardian has joined, or one has neither a live push endpoint nor a confirmed number; "
        "null unless a hand-out of the site is open"
    )


class PaperPair(RequestBody):
    """A watch and a family as written on paper."""

    scan: Scan
    family_code: FamilyCode


class EnterPaperRequest(RequestBody):
    """Pairs from paper, all or none, at the paper's time. A dry run validates them and is rolled back."""

    pairs: Annotated[list[PaperPair], Field(min_length=1, max_length=200)]
    given_at: WrittenTime = Field(description="when the watches were handed out, in the last seven days")
    dry_run: bool = False


class PaperPairFault(ResponseBody):
    """One fault; ``row`` counts the pairs from 1."""

    row: int
    column: Literal["scan", "family_code"]
    code: str = Field(description="stable code of the fault")
    family_code: str | None = Field(description="the family that has the watch, where that is the fault")


class EnterPaperResponse(ResponseBody):
    """Result of the paper; with faults nothing is stored."""

    taken: bool
    faults: list[PaperPairFault]
    handed_out: int = Field(description="watches handed out")
    unchanged: int = Field(description="pairs that stood already")


class UndoneHandOutResponse(ResponseBody):
    """The undone hand-out."""

    serial: str
    family_code: str


class WithdrawWatchRequest(RequestBody):
    """A watch that is returned, lost or broken."""

    scan: Scan
    state: Literal["returned", "lost", "broken"]


class ReplaceWatchRequest(WithdrawWatchRequest):
    """A watch to withdraw, and the watch that replaces it."""

    replacement: Scan


class WithdrawnWatchResponse(ResponseBody):
    """The watch's current state; ``changed`` false: it had this state before."""

    serial: str
    state: str
    changed: bool


class TriageEntry(ResponseBody):
    """One watch with one finding."""

    serial: str
    family_code: str | None
    kind: Kind
    since_at: datetime | None
    advice: str = Field(description="advice in the requested language")


class SiteWarning(ResponseBody):
    """One finding about the site itself."""

    kind: Literal["few_approvers"]
    advice: str = Field(description="advice in the requested language")


class TriageResponse(ResponseBody):
    """A page of findings by serial; ``next`` is the next page's ``after``."""

    site_warnings: list[SiteWarning] = Field(
        description="few_approvers: fewer than three people can approve break-glass; empty for coordinators"
    )
    entries: list[TriageEntry]
    next: str | None


class FamilyCodeRequest(RequestBody):
    """A family by its code."""

    family_code: FamilyCode


class ContactFamilyResponse(ResponseBody):
    """Whether this request notified the family; false: it was notified within the last day."""

    asked_now: bool


class EndEnrolmentRequest(FamilyCodeRequest):
    """The reason for the end of a family's enrolment; its watch and messages stay."""

    reason: EndReason


class RecordTrainingRequest(FamilyCodeRequest):
    """A training attended by a family's guardian."""

    training: TrainingKind
    attended_on: date


class RecordTrainingResponse(ResponseBody):
    """Whether this request recorded the attendance; false: it was recorded before."""

    is_new: bool


HelpKind = Literal["broken", "lost", "worried"]


class HelpCall(ResponseBody):
    """An open help request."""

    help_id: uuid.UUID
    family_code: str
    kind: HelpKind
    asked_at: datetime


class HelpCallsResponse(ResponseBody):
    """A page of help requests, oldest first."""

    calls: list[HelpCall]
    next: uuid.UUID | None = Field(description="`after` of the next page; null: last page")


class NewNoticeRequest(RequestBody):
    """The text sent to every family of the cohort; there are no replies."""

    text: Annotated[str, Field(min_length=1, max_length=500)]


class SentNoticeResponse(ResponseBody):
    """The sent notice."""

    notice_id: uuid.UUID
    created_at: datetime


class SentNotice(SentNoticeResponse):
    """A sent notice and its text."""

    text: str


class SentNoticesResponse(ResponseBody):
    """The notices sent to a cohort, newest first."""

    notices: list[SentNotice]


class CohortPrompt(ResponseBody):
    """A conversation prompt that families of the cohort are shown."""

    starter: str = Field(examples=["sky"])
    ages: str = Field(description="the age of the children whose parents see it", examples=["5-7"])
    text: str


class CohortPromptWeek(ResponseBody):
    """The prompts of a week that begins on a Monday, three for each age."""

    week_starts_on: date
    prompts: list[CohortPrompt] = Field(description="three for each age, the youngest first")


class CohortPromptsResponse(ResponseBody):
    """The prompts of this week and the next. Whether a family uses one is not recorded."""

    weeks: list[CohortPromptWeek]


class RecordedTraining(ResponseBody):
    """A training attended by an enrolled family."""

    family_code: str
    training: TrainingKind
    attended_on: date
    recorded_at: datetime


class RecordedTrainingsResponse(ResponseBody):
    """A page of trainings by family code and date; ``next`` is the next page's ``after``."""

    trainings: list[RecordedTraining]
    next: str | None


class EndedEnrolment(ResponseBody):
    """An enrolment that has ended."""

    enrolment_id: uuid.UUID
    family_code: str
    cohort: str
    enrolled_at: datetime
    ended_at: datetime
    reason: EndReason


class EndedEnrolmentsResponse(ResponseBody):
    """A page of ended enrolments, newest first; ``next`` is the next page's ``after``."""

    enrolments: list[EndedEnrolment]
    next: uuid.UUID | None


class NewSiteRequest(RequestBody):
    """A site of a programme."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    country: Annotated[str, Field(min_length=2, max_length=2, examples=["CN"])]
    timezone: Annotated[str, Field(min_length=3, max_length=40, examples=["Asia/Shanghai"])]
    locale: Annotated[str, Field(min_length=2, max_length=12, examples=["zh-Hans"])]
    kind: Literal["factory", "school", "centre"] = "factory"


class NewCohortRequest(RequestBody):
    """A cohort of a site."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    starts_on: date | None = None
    ends_on: date | None = None


class Processor(RequestBody):
    """A company that processes data for the site."""

    name: Annotated[str, Field(max_length=120, examples=["Text Messages Ltd"])]
    country: Annotated[str, Field(min_length=2, max_length=2, examples=["CN"])]
    purpose: Annotated[str, Field(max_length=120, examples=["text messages"], description="what it processes data for")]


class SiteNotice(RequestBody):
    """The privacy notice of a site. An empty field is not stated yet."""

    controller_name: Annotated[str, Field(max_length=120, description="who is responsible for the data")] = ""
    controller_address: Annotated[str, Field(max_length=240, description="postal address of who is responsible")] = ""
    controller_contact: Annotated[str, Field(max_length=120, description="where guardians ask questions")] = ""
    authority_name: Annotated[str, Field(max_length=120, description="where guardians can complain")] = ""
    authority_contact: Annotated[str, Field(max_length=120, description="how to reach the authority")] = ""
    officer_name: Annotated[str, Field(max_length=120, description="person in charge of children's data")] = ""
    officer_contact: Annotated[str, Field(max_length=120, description="how to reach that person")] = ""
    processors: Annotated[
        list[Processor], Field(default_factory=list, max_length=20, description="companies that process data")
    ]
    filing_number: Annotated[
        str, Field(max_length=60, description="number of the filing with the authority; sites in China only")
    ] = ""


class NamedProcessor(ResponseBody):
    """A company that processes data for the site."""

    name: str
    country: str
    purpose: str = Field(description="what it processes data for")


class SiteNoticeResponse(ResponseBody):
    """A site's privacy notice with its missing required fields, without which production enrols no family."""

    notice_version: str = Field(description="version that a consent would record", examples=["1.3"])
    missing: list[str] = Field(description="required fields that are not stated yet")
    controller_name: str = Field(description="who is responsible for the data; empty: not stated yet")
    controller_address: str = Field(description="postal address of who is responsible; empty: not stated yet")
    controller_contact: str = Field(description="where guardians ask questions; empty: not stated yet")
    authority_name: str = Field(description="where guardians can complain; empty: not stated yet")
    authority_contact: str = Field(description="how to reach the authority; empty: not stated yet")
    officer_name: str = Field(description="person in charge of children's data; empty: not stated yet")
    officer_contact: str = Field(description="how to reach that person; empty: not stated yet")
    processors: list[NamedProcessor] = Field(description="companies that process data")
    filing_number: str = Field(description="number of the filing with the authority; sites in China only")


class CreatedResponse(ResponseBody):
    """The created or existing object."""

    id: uuid.UUID
    is_new: bool


class SetProgrammeEndRequest(RequestBody):
    """The programme's last day; null cancels an announced end."""

    ends_on: date | None


class SetProgrammeEndResponse(ResponseBody):
    """The programme's last day, and whether this request changed it."""

    ends_on: date | None
    changed: bool


class FamilyLine(RequestBody):
    """One family of a list, without any name."""

    family_code: FamilyCode
    phone: Annotated[str, Field(min_length=3, max_length=32, examples=["138 0013 8000"])]
    cohort: Annotated[str, Field(min_length=1, max_length=80, examples=["Spring"])]
    watch_serial: Annotated[str | None, Field(max_length=20, pattern=r"^[A-Z0-9]+$")] = None
    form_number: Annotated[str | None, Field(min_length=1, max_length=40, examples=["2026-0417"])] = Field(
        None, description="number of the signed paper form; compared when the account is to change"
    )


class EnrolFamiliesRequest(RequestBody):
    """Families to enrol at a site, all or none. A dry run validates them and is rolled back."""

    families: Annotated[list[FamilyLine], Field(min_length=1, max_length=200)]
    dry_run: bool = False


class FamilyListFault(ResponseBody):
    """One fault; ``row`` counts the families of the list from 1."""

    row: int
    column: str
    code: str


class EnrolFamiliesResponse(ResponseBody):
    """Result of the list; with faults nothing is stored."""

    taken: bool
    faults: list[FamilyListFault]
    enrolled: int
    unchanged: int
    watches_handed_out: int
