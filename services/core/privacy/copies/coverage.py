"""Which tables with data of a family, child or guardian are in a copy, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.core.privacy.copies.records.account import ACCOUNT
from services.core.privacy.copies.records.office import OFFICE
from services.core.privacy.copies.records.usage import USAGE
from services.core.privacy.copies.records.watches import WATCHES

SECTIONS: Final = (*ACCOUNT, *OFFICE, *WATCHES, *USAGE)

# Tables that the document's other parts copy, with the JSON pointer of the part; * is every element of a list.
COPIED: Final[Mapping[str, str]] = {
    "guardian": "/me",
    "family": "/family",
    "membership": "/guardians",
    "consent": "/consents",
    "erasure": "/erasures",
    "audit": "/log",
    "child": "/children",
    "watch_settings": "/children/*/settings",
    "contact": "/children/*/contacts",
    "contact_agreement": "/children/*/contacts/*/lives_with_child",
    "wipe_order": "/children/*/watch_copy",
    "checkin": "/children/*/checkins",
    "safe_zone": "/children/*/zones",
    "zone_passage": "/children/*/passages",
    "alert": "/children/*/alerts",
    "alert_call": "/children/*/alerts/*/calls",
    "alert_answer": "/children/*/alerts/*/answers",
    "sos_place": "/children/*/alerts/*/place",
    "message": "/children/*/messages",
    "message_recipient": "/children/*/messages/*/states",
    "kept_message": "/children/*/messages/*/kept",
    "clip": "/children/*/messages/*/audio",
}

# Tables that no copy holds, with the reason; the copy itself states it.
LEFT_OUT: Final[Mapping[str, str]] = {
    "audio_upload": "counts what a watch sends; deleted once the recording has arrived",
    "audio_upload_total": "counts what a watch sends; deleted once the recording has arrived",
    "blob": "where a recording or a copy is stored; the recordings themselves are in the copy",
    "clip_chunk": "parts of a recording that has not arrived yet",
    "contact_list": "numbers the versions of the contact list that a watch gets",
    "contest_decision": "a decision of staff that is not carried out yet; its result is in contests",
    "erasure_ledger": "ids of erased families and children; it outlives them, so that a restore erases them again",
    "event": "tells apps what has changed, by ids, for 30 days; what has changed is in the copy",
    "inbox_item": "queues for a watch what is in messages and settings; the state of each message is in the copy",
    "latest_checkin": "the newest of the places in checkins, and a doubted one that waits for a second",
    "login_challenge": "hashes of one-time codes, for two days",
    "low_battery": "since when the battery is low; the alert about it is in alerts",
    "open_stream": "connections of phones that are open now",
    "outbox": "what waits to be sent, sealed; deleted when it is sent",
    "pairing_code": "hashes of pairing codes, for two days; what they paired is in pairings",
    "phone_upload": "a recording that a phone has not sent completely",
    "phone_upload_part": "a recording that a phone has not sent completely",
    "quiet_since": "former quiet times of a watch, from which days are counted; the present ones are in settings",
    "refresh_token": "hashes of secrets of log-ins; the log-ins are in sessions",
    "rendition": "the same recordings in the forms that phones and watches play",
    "shown_log_in": "when a waiting log-in was first shown; the log-in is in sessions of whoever logged in",
    "sim_month": "what the SIM of a watch used in a month, as the operator bills the programme",
    "watch_trace": "that staff look for a fault of a watch, for a day; the log says so",
    "watch_trace_line": "connections and refusals of a watch whose fault is looked for; no content, no place",
    "uplink": "recognises what a watch sends twice; what it sent is in the copy",
}
