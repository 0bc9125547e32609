"""What the screen of a watch shows, as the page reads it: plain JSON, made anew from the watch each time."""

from __future__ import annotations

import json
from typing import Any, Final

from services.device_sim.watch.records import Incoming, Outgoing, OutgoingState
from services.device_sim.watch.watch import SimWatch
from services.protocol.downlink import Contact
from services.protocol.topics import UplinkKind
from services.protocol.words import EMOJI_GLYPHS, Emoji, ItemKind

_INBOX_SHOWN: Final = 30
_SENT_SHOWN: Final = 12
# What a child can send with one touch.
QUICK_EMOJI: Final = (Emoji.HEART, Emoji.HUG, Emoji.SMILE, Emoji.THUMBS_UP, Emoji.SAD, Emoji.MOON)
_SENT_KINDS: Final = {UplinkKind.TEXT.value: "text", UplinkKind.VOICE_END.value: "voice", UplinkKind.ALERT.value: "sos"}


def watch_view(watch: SimWatch) -> dict[str, Any]:
    """Return what is on a watch that is switched on."""
    sent = watch.sent()
    return {
        "online": watch.is_online,
        "paired": watch.is_paired,
        "child_name": watch.child_name,
        "locked": watch.is_locked,
        "quiet": watch.clock.is_quiet,
        "clock": watch.clock.shown,
        "contacts": [_contact(watch, contact) for contact in watch.contacts()],
        "inbox": [_item(item) for item in reversed(watch.inbox()[-_INBOX_SHOWN:])],
        "sent": [_sent(watch, message) for message in reversed(sent) if message.kind in _SENT_KINDS][:_SENT_SHOWN],
        "waiting": sum(message.state in {OutgoingState.QUEUED, OutgoingState.SENT} for message in sent),
    }


def emoji_view() -> list[dict[str, str]]:
    """Return the emoji that the child can send, with what is drawn."""
    return [{"word": word.value, "glyph": EMOJI_GLYPHS[word]} for word in QUICK_EMOJI]


def _contact(watch: SimWatch, contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "name": contact.name,
        "may_message": contact.may_message,
        "emergency": contact.emergency,
        "on_shift_until": watch.clock.on_shift_until(contact.id),
    }


def _item(item: Incoming) -> dict[str, Any]:
    return {
        "ref": item.ref,
        "kind": item.kind,
        "sender": item.sender,
        "text": _glyph(item.text) if item.kind == ItemKind.EMOJI else item.text,
        "tst": item.tst,
        "state": item.state.value,
        "duration_ms": item.duration_ms,
    }


def _sent(watch: SimWatch, message: Outgoing) -> dict[str, Any]:
    fields = json.loads(message.payload)
    kind = _SENT_KINDS[message.kind]
    return {
        "number": message.number,
        "kind": str(fields.get("kind")) if kind == "sos" else kind,
        "to": fields.get("to"),
        "text": _glyph(fields["emoji"]) if fields.get("emoji") else fields.get("text"),
        "duration_ms": fields.get("duration_ms"),
        "state": message.state.value,
        "detail": message.detail,
        "states": [{"by": state.by, "state": state.state} for state in watch.sent_states(message)],
    }


def _glyph(word: str) -> str:
    return EMOJI_GLYPHS[Emoji(word)] if word in set(Emoji) else word
