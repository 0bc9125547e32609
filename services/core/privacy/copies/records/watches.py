"""Sections about the family's watches: which, since when, what they last reported, and what was asked of them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, select

from services.core.devices.watches.tables import Watch, WatchCommand, WatchGiven, WatchIdentity, WatchPresence
from services.core.pairing.tables import Pairing
from services.core.privacy.copies.records.sections import Reader, Section, rows_of, table_of

_WATCH, _GIVEN, _PAIRING = table_of(Watch), table_of(WatchGiven), table_of(Pairing)
_IDENTITY, _PRESENCE, _COMMAND = table_of(WatchIdentity), table_of(WatchPresence), table_of(WatchCommand)

_OF_PAIRING: Final = (
    "child_id", "guardian_id", "serial", "model", "issued_at", "confirmed_at", "ended_at", "end_reason",
    "last_hello_at", "hello", "misdated_fixes", "last_seen_at", "battery_pct", "battery_at", "clock_skew_s",
    "on_its_way_since_at",
)  # fmt: skip
_OF_GIVEN: Final = ("serial", "model", "given_at", "undone_at")
_OF_COMMAND: Final = ("child_id", "kind", "asked_by", "state", "detail", "asked_at", "sent_at", "changed_at")


def _pairings(reader: Reader) -> Select[Any]:
    sources = {
        name: next(table for table in (_PAIRING, _WATCH, _PRESENCE, _IDENTITY) if name in table.c)
        for name in _OF_PAIRING
    }
    return (
        select(*(sources[name].c[name] for name in _OF_PAIRING))
        .select_from(_PAIRING)
        .join(_WATCH, _WATCH.c.watch_id == _PAIRING.c.watch_id)
        .outerjoin(_IDENTITY, _IDENTITY.c.username == _PAIRING.c.username)
        .outerjoin(_PRESENCE, _PRESENCE.c.username == _PAIRING.c.username)
        .where(_PAIRING.c.family_id == reader.family_id)
        .order_by(_PAIRING.c.issued_at)
    )


def _given(reader: Reader) -> Select[Any]:
    return (
        select(_WATCH.c.serial, _WATCH.c.model, _GIVEN.c.given_at, _GIVEN.c.undone_at)
        .join(_WATCH, _WATCH.c.watch_id == _GIVEN.c.watch_id)
        .where(_GIVEN.c.family_id == reader.family_id)
        .order_by(_GIVEN.c.given_at)
    )


def _commands(reader: Reader) -> Select[Any]:
    return rows_of(_COMMAND, _OF_COMMAND, "asked_at").where(_COMMAND.c.family_id == reader.family_id)


WATCHES: Final = (
    Section(
        "watches_given", "watches that were handed out to the family", frozenset({"watch_given", "watch"}),
        _OF_GIVEN, _given,
    ),
    Section(
        "pairings", "pairings of a watch with a child; `hello` is what the watch last said of itself",
        frozenset({"pairing", "watch_identity", "watch_presence"}), _OF_PAIRING, _pairings,
    ),
    Section(
        "commands", "what guardians asked a watch to do", frozenset({"watch_command"}), _OF_COMMAND, _commands,
    ),
)  # fmt: skip
