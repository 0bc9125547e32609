"""Schemas for sites, cohorts and devices. Families appear by their code only."""

import uuid
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from services.api.schema_base import ResponseBody
from services.api.staff.schemas.programme import HelpKind, TrainingKind


class Site(ResponseBody):
    """A site in the caller's scope."""

    site_id: uuid.UUID
    programme_id: uuid.UUID
    programme: str
    name: str
    country: str
    timezone: str
    locale: str
    kind: str
    simulated: bool = Field(description="of a programme that is made up for demonstrations")


class SitesResponse(ResponseBody):
    """Sites by programme and name."""

    sites: list[Site]


class Cohort(ResponseBody):
    """A cohort of a site."""

    cohort_id: uuid.UUID
    name: str
    starts_on: date | None
    ends_on: date | None


class CohortsResponse(ResponseBody):
    """Cohorts by name."""

    cohorts: list[Cohort]


class WatchHealth(ResponseBody):
    """Technical state of a watch."""

    serial: str
    model: str
    state: str = Field(description="registered, handed_out, lost, returned, broken")
    paired: bool
    presence: str | None = Field(
        description="online, offline or asleep; null: not paired, or a family's watch as a coordinator sees it"
    )
    last_seen_at: datetime | None
    battery_pct: int | None
    firmware: str | None
    refused_packets: int = Field(
        description="MQTT packets that violate the protocol (retain flag, QoS 2, too large, malformed); each closed "
        "the connection, and above 0 the firmware is faulty"
    )
    on_its_way_since_at: datetime | None = Field(
        description="paired and not yet in use by the child; null once it has arrived, or while it is not paired"
    )


class WatchAtSite(WatchHealth):
    """A watch of a site, and the code of its family."""

    family_code: str | None


class WatchesAtSiteResponse(ResponseBody):
    """A page of watches by serial; ``next`` is the next page's ``after``."""

    watches: list[WatchAtSite]
    next: str | None


class FamilyAtSite(ResponseBody):
    """A family by its code, and its devices."""

    family_code: str
    cohort: str
    enrolled_at: datetime
    has_logged_in: bool = Field(description="joined: the first guardian is in the family")
    watches: list[WatchHealth]


class FamiliesAtSiteResponse(ResponseBody):
    """A page of families by code; ``next`` is the next page's ``after``."""

    families: list[FamilyAtSite]
    next: str | None


class WatchHandOut(ResponseBody):
    """One hand-out of a watch."""

    family_code: str | None = Field(description="null for a coordinator")
    given_at: datetime
    undone_at: datetime | None
    given_by_name: str | None = Field(description="the colleague; null: the command line")


class WatchWithdrawal(ResponseBody):
    """One return, loss or defect of a watch, or its way back into stock."""

    what: Literal["returned", "lost", "broken", "found", "repaired"] = Field(
        description="found: returned after a loss; repaired: returned after a defect"
    )
    at: datetime
    family_code: str | None = Field(description="the family that had the watch; null: none, or for a coordinator")
    replaced_by: str | None = Field(description="serial of the watch that the family received in the same step")
    by_name: str | None = Field(description="the colleague; null: the command line")


class WatchDetailsResponse(WatchAtSite):
    """A watch of a site with its history."""

    registered_at: datetime
    sim_expires_on: date | None
    hand_outs: list[WatchHandOut] = Field(description="newest first")
    withdrawals: list[WatchWithdrawal] = Field(description="newest first")


class OpenHelp(ResponseBody):
    """An open help request of a family."""

    help_id: uuid.UUID
    kind: HelpKind
    asked_at: datetime


class Training(ResponseBody):
    """A training that a guardian of the family attended."""

    training: TrainingKind
    attended_on: date


class FamilyDetailsResponse(FamilyAtSite):
    """A family of a site by its code."""

    no_working_channel: bool | None = Field(
        description="no guardian has joined, or one has neither a live push endpoint nor a confirmed number; "
        "null unless a hand-out of the site is open"
    )
    open_help: list[OpenHelp] | None = Field(description="oldest first; null without the permission to support")
    trainings: list[Training] | None = Field(description="by date; null without the permission to support")


class BoardFamily(ResponseBody):
    """A family on hand-out day."""

    family_code: str
    has_logged_in: bool
    serials: list[str]
    paired: bool = Field(description="it has a watch, and each of its watches is paired")
    no_working_channel: bool | None = Field(description="null unless a hand-out of the site is open")


class BoardPart(ResponseBody):
    """One part of the board; it replaces the part of the same number."""

    part: int
    families: list[BoardFamily]


class BoardResponse(ResponseBody):
    """Counts of families, and the parts of the board that changed."""

    since: str = Field(description="`since` of the next request")
    enrolled: int
    logged_in: int
    given: int = Field(description="families that have a watch")
    paired: int = Field(description="families with watches that are all paired")
    parts: list[BoardPart]
