"""Sections about the guardian's own account: phones, log-ins, pushes, changes of number, copies, reminders."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select
from sqlmodel import SQLModel

from services.core.devices.number_changes.tables import NumberChange
from services.core.devices.push.tables import PushEndpoint
from services.core.office.prompts.tables import Nudge, NudgeWanted
from services.core.pairing.tables import PairingAttempt
from services.core.people.accounts.tables import GuardianDevice, Session
from services.core.people.households.tables import Recovery
from services.core.people.questions.tables import QuestionPutOff
from services.core.privacy.copies.records.sections import Reader, Section, rows_of, table_of
from services.core.privacy.tables import Export


def _own(model: type[SQLModel], name: str, about: str, columns: tuple[str, ...], order: str) -> Section:
    """Return a section of the rows that carry the guardian's id."""
    table = table_of(model)

    def rows(reader: Reader) -> Select[Any]:
        statement = rows_of(table, columns, order).where(table.c.guardian_id == reader.guardian_id)
        # A guardian of two families takes a copy of each.
        return statement.where(table.c.family_id == reader.family_id) if "family_id" in table.c else statement

    return Section(name, about, frozenset({table.name}), columns, rows)


ACCOUNT: Final = (
    _own(
        GuardianDevice, "devices", "phones and computers that logged in to this account",
        ("device_id", "created_at", "last_used_at", "trusted_at"), "created_at",
    ),
    _own(
        Session, "sessions", "log-ins of this account; the label is the name that the phone gave itself",
        ("session_id", "device_id", "label", "limited", "stepped_up_at", "created_at", "last_used_at", "ended_at",
         "end_reason"),
        "created_at",
    ),
    _own(
        PushEndpoint, "push_addresses", "where notes to phones are sent; the address itself stays sealed",
        ("session_id", "kind", "created_at", "taken_at", "failing_since_at"), "created_at",
    ),
    _own(
        NumberChange, "number_changes", "changes of the own phone number; both numbers are deleted when one ends",
        ("old_phone", "new_phone", "state", "asked_at", "due_at", "ended_at"), "asked_at",
    ),
    _own(
        Recovery, "recoveries", "recoveries of this account by the programme's staff",
        ("kind", "state", "asked_at", "due_at", "ended_at"), "asked_at",
    ),
    _own(
        Export, "copies", "copies of this guardian, this one included",
        ("export_id", "state", "size_bytes", "asked_at", "ready_at", "expires_at"), "asked_at",
    ),
    _own(NudgeWanted, "reminders_wanted", "since when reminders after a silent day are on", ("since_at",), "since_at"),
    _own(Nudge, "reminders", "reminders to talk with a child", ("child_id", "local_day", "nudged_at"), "nudged_at"),
    _own(
        QuestionPutOff, "questions_put_off", "questions of the app that were answered with: not now",
        ("subject", "child_id", "put_off_at"), "put_off_at",
    ),
    _own(PairingAttempt, "wrong_pairing_codes", "pairing codes that were entered wrongly", ("at",), "at"),
)  # fmt: skip
