"""From core's rows to the wire's words, in plain sight: contact lists and configuration."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.core.contacts.queries import WireContact
from services.core.watches.tables import WatchSettings
from services.protocol.downlink import Config, Contact, Quiet


def contact_of(contact: WireContact) -> Contact:
    """Return one contact as the watch is told of it."""
    return Contact(
        id=contact.wire_id,
        name=contact.name,
        relation=contact.relation,
        number=contact.number,
        may_message=contact.may_message,
        may_call=contact.may_call,
        position=contact.position,
        emergency=contact.emergency,
    )


def config_of(settings: WatchSettings, now: datetime) -> Config:
    """Return the configuration as the watch is told of it; the offset is that of ``now`` in its time zone."""
    offset = now.astimezone(ZoneInfo(settings.timezone)).utcoffset()
    return Config(
        version=settings.version,
        checkin_interval_s=settings.checkin_interval_s,
        location=settings.location,
        quiet=[Quiet(days=span["days"], starts=span["from"], ends=span["to"]) for span in settings.quiet],
        timezone=settings.timezone,
        utc_offset_s=int(offset.total_seconds()) if offset else 0,
        language=settings.language,
        volume_pct=settings.volume_pct,
    )
