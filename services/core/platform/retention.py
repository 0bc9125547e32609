"""How long each kind of thing is kept: the promise's numbers, or what a deployment says instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from services.core.platform.settings import Settings


@dataclass(frozen=True)
class Retention:
    """One span a kind. What has none here goes with what it belongs to."""

    voice: timedelta = timedelta(days=90)
    fixes: timedelta = timedelta(days=30)
    alerts: timedelta = timedelta(days=180)
    # After the end of the programme.
    usage: timedelta = timedelta(days=90)
    # Notices, hand-outs and their slips, closed requests for help, recoveries, break-glass with its reason.
    office: timedelta = timedelta(days=180)
    # Events for apps, including reminders.
    events: timedelta = timedelta(days=30)
    # Ended, or not used for so long that they have; devices, which are trusted for less, with them.
    sessions: timedelta = timedelta(days=90)
    # Text messages that could not be sent: nobody waits for a code any more.
    unsent_sms: timedelta = timedelta(days=2)
    exports: timedelta = timedelta(hours=24)
    # From when a message was received here; its own end is written down with it, so that a change is for new ones.
    undelivered: timedelta = timedelta(days=30)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what these settings say."""
        return cls(
            voice=timedelta(days=settings.keep_voice_days),
            fixes=timedelta(days=settings.keep_fixes_days),
            alerts=timedelta(days=settings.keep_alerts_days),
            usage=timedelta(days=settings.keep_usage_days),
            office=timedelta(days=settings.keep_office_days),
            events=timedelta(days=settings.keep_events_days),
            sessions=timedelta(days=settings.keep_sessions_days),
            unsent_sms=timedelta(days=settings.keep_unsent_sms_days),
            exports=timedelta(hours=settings.keep_exports_hours),
            undelivered=timedelta(days=settings.keep_undelivered_days),
        )
