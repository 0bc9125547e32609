"""From core's rows to wire messages: contact lists, configuration, commands, manifests of voice messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.core.conversation.audio_assets.playable import Playable
from services.core.devices.contacts.queries import WireContact
from services.core.devices.watch_settings.quiet_rules import utc_offset_s
from services.core.devices.watches.tables import WatchCommand, WatchSettings
from services.protocol.downlink import Command, Config, Contact, Quiet, VoiceManifest
from services.protocol.uplink import Hello


def contact_of(contact: WireContact) -> Contact:
    """Return one contact as the watch is sent it."""
    return Contact(
        id=contact.wire_id,
        name=contact.name,
        relation=contact.relation,
        number=contact.number,
        may_message=contact.may_message,
        may_call=contact.may_call,
        position=contact.position,
        emergency=contact.emergency,
        busy_until_tst=int(contact.busy_until_at.timestamp()) if contact.busy_until_at else 0,
    )


def command_of(command: WatchCommand) -> Command:
    """Return a command as the watch is sent it."""
    return Command(
        id=command.ref, kind=command.kind, by=command.by_wire_id, ttl_s=command.ttl_s,
        expires_tst=int(command.expires_at.timestamp()),
    )  # fmt: skip


def config_of(settings: WatchSettings, now: datetime) -> Config:
    """Return the configuration as the watch is sent it; the offset is that of ``now`` in its time zone."""
    return Config(
        version=settings.version,
        checkin_interval_s=settings.checkin_interval_s,
        location=settings.location,
        quiet=[Quiet(days=span["days"], starts=span["from"], ends=span["to"]) for span in settings.quiet],
        timezone=settings.timezone,
        utc_offset_s=utc_offset_s(settings.timezone, now),
        language=settings.language,
        volume_pct=settings.volume_pct,
    )


def chunk_bytes_of(hello: Mapping[str, Any]) -> int:
    """Return the bytes of sound in each chunk to a watch with this ``hello``."""
    return Hello.model_validate({"conn": "none", **hello}).downlink_chunk_bytes


def manifest_of(clip: Playable, hello: Mapping[str, Any]) -> VoiceManifest:
    """Return the manifest of a voice message, which the watch gets before it fetches the chunks."""
    chunk_bytes = chunk_bytes_of(hello)
    return VoiceManifest(
        codec=clip.form.value,
        bytes=clip.size_bytes,
        chunk_bytes=chunk_bytes,
        chunks=-(-clip.size_bytes // chunk_bytes),
        sha256=clip.sha256,
        duration_ms=clip.duration_ms,
    )
