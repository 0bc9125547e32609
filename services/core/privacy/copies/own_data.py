"""The document of a guardian's copy: the guardian's own conversation and what all guardians share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.core.conversation.messages.queries import PAGE_MAX_MESSAGES, MessageView, conversation
from services.core.devices.contacts.living_with import standing_agreements_of
from services.core.devices.contacts.queries import contacts_of
from services.core.devices.watches.queries import settings_of_child
from services.core.pairing.wipes import wipe_orders_of
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.queries import consents_of
from services.core.people.households.birth import birth_date_of
from services.core.people.households.queries import children_of, guardians_of, membership_in, rights_of
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child, Family
from services.core.platform.audit.queries import PAGE_MAX_ENTRIES, entries_of_family
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import UnitOfWork
from services.core.privacy.copies.coverage import LEFT_OUT, SECTIONS
from services.core.privacy.copies.own_places import own_places
from services.core.privacy.copies.records.sections import Reader, read_section
from services.core.privacy.erasure.rules import Wipe, watch_copy
from services.core.privacy.queries import erasures_of

FORMAT: Final = "smartwatch-export/2"
_OF_ME: Final = {
    "phone", "display_name", "locale", "created_at", "phone_confirmed_at", "busy_until_at",
    "new_phones_blocked_until_at",
}  # fmt: skip
_OF_CONSENT: Final = {"part", "text_version", "locale", "how", "witness", "form_number", "notice_version"}
_OF_AGREEMENT: Final = {"how", "witness", "form_number", "given_at"}
_OF_CONTACT: Final = {"name", "relation", "number", "may_message", "may_call", "emergency", "state"}


async def own_data(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> dict[str, Any]:
    """Return the document of export.schema.json without messages; other guardians appear as they show themselves."""
    me = await work.session.get_one(Guardian, guardian_id)
    family = await work.session.get_one(Family, family_id)
    return {
        "format": FORMAT,
        "made_at": _time(work.now),
        "me": {
            **_plain(me.model_dump(include=_OF_ME)),
            "guardian_id": str(guardian_id),
            "has_pin": me.pin_hash is not None,
        },
        "family": {
            "family_id": str(family_id), "family_code": family.family_code, "created_at": _time(family.created_at),
        },
        "consents": [
            {
                **consent.model_dump(include=_OF_CONSENT),
                "given_at": _time(consent.given_at),
                "withdrawn_at": _time(consent.withdrawn_at),
            }
            for consent in await consents_of(work, guardian_id)
            if consent.family_id == family_id
        ],
        "guardians": [
            {
                **membership.model_dump(include={"relation", "is_primary"}),
                "guardian_id": str(guardian.guardian_id),
                "display_name": guardian.display_name,
                "phone": None if membership.number_hidden and guardian is not me else guardian.phone,
                "rights": sorted(rights_of(membership).words()),
                "joined_at": _time(membership.joined_at),
            }
            for membership, guardian in await guardians_of(work, family_id)
        ],
        "children": [await _child(work, child, guardian_id) for child in await children_of(work, family_id)],
        "erasures": [
            {
                "what": view.erasure.what, "subject_id": str(view.erasure.subject_id),
                "asked_at": _time(view.erasure.asked_at), "watch_copy": view.watch_copy.value,
            }
            for view in await erasures_of(work, family_id)
        ],
        "records": await _records(work, family_id, me),
        "log": await _log(work, family_id),
        "left_out": [{"table": table, "reason": reason} for table, reason in LEFT_OUT.items()],
    }  # fmt: skip


async def own_messages(work: UnitOfWork, child: Child, guardian_id: uuid.UUID) -> list[MessageView]:
    """Return this guardian's whole conversation with the child, oldest first."""
    messages: list[MessageView] = []
    before_seq: int | None = None
    while page := await conversation(work, child, guardian_id, before_seq=before_seq, limit=PAGE_MAX_MESSAGES):
        messages += page
        before_seq = page[-1].message.seq
    return messages[::-1]


def message_document(view: MessageView) -> dict[str, Any]:
    """Return a message as the export states it; the writer of the audio fills in ``audio``."""
    message = view.message
    return {
        "message_id": str(message.message_id),
        "direction": message.direction,
        "kind": message.kind,
        # The stored content of a voice message is a hash, which is useless to the reader.
        "content": None if message.clip_id is not None else view.content,
        "sent_at": _time(message.sent_at),
        "received_at": _time(message.received_at),
        "states": [
            {
                "guardian_id": None if recipient.guardian_id is None else str(recipient.guardian_id),
                "state": recipient.state,
                "changed_at": _time(recipient.changed_at),
            }
            for recipient in view.recipients
        ],
        "audio": None,
        "duration_ms": None if view.clip is None else view.clip.duration_ms,
        # By this guardian; another one may keep the recording as well.
        "kept": view.clip is not None and view.clip.kept,
        "kept_until": None if view.clip is None else _time(view.clip.kept_until),
    }


async def _child(work: UnitOfWork, child: Child, guardian_id: uuid.UUID) -> dict[str, Any]:
    birth_date = birth_date_of(work, child)
    settings = await settings_of_child(work, child.child_id)
    orders = await wipe_orders_of(work, child_id=child.child_id)
    agreements = {
        agreement.contact_id: {
            **_plain(agreement.model_dump(include=_OF_AGREEMENT)),
            "recorded_by": None if agreement.recorded_by is None else str(agreement.recorded_by),
        }
        for agreement in await standing_agreements_of(work, child.child_id)
    }
    return {
        "child_id": str(child.child_id),
        "name": child.name,
        "birth_date": None if birth_date is None else birth_date.isoformat(),
        "birth_year": child.birth_year,
        "settings": _plain(settings.model_dump(exclude={"child_id"})),
        "contacts": [
            {
                **contact.model_dump(include=_OF_CONTACT),
                "guardian_id": None if contact.guardian_id is None else str(contact.guardian_id),
                "lives_with_child": agreements.get(contact.contact_id),
            }
            for contact in await contacts_of(work, child.child_id)
        ],
        "watch_copy": watch_copy(Wipe(order.confirmed_at) for order in orders).value,
        **await own_places(work, child, guardian_id),
        "messages": [],
    }


async def _records(work: UnitOfWork, family_id: uuid.UUID, me: Guardian) -> dict[str, list[dict[str, Any]]]:
    membership = await membership_in(work, family_id, me.guardian_id)
    reader = Reader(
        family_id, me.guardian_id, me.phone,
        is_primary=membership is not None and membership.is_primary,
        may_manage=membership is not None and rights_of(membership).has(Right.MANAGE),
    )  # fmt: skip
    return {section.name: await read_section(work, section, reader) for section in SECTIONS}


async def _log(work: UnitOfWork, family_id: uuid.UUID) -> list[dict[str, Any]]:
    entries: list[AuditEntry] = []
    before_seq: int | None = None
    while page := await entries_of_family(work, family_id, before_seq=before_seq, limit=PAGE_MAX_ENTRIES):
        entries += page
        before_seq = page[-1].seq
    return [
        {
            **entry.model_dump(include={"seq", "action", "outcome", "reason", "subject_id", "asked", "times"}),
            "at": _time(entry.at),
            "by": entry.actor_kind,
            "guardian_id": entry.actor_id if entry.actor_kind == "guardian" else None,
        }
        for entry in reversed(entries)
    ]


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _time(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
