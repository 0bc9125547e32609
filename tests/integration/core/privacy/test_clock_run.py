"""The clock is moved past every promise of docs/privacy.md, and every table is read."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import text
from sqlmodel import SQLModel

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.rules import voice_body
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.settings import Settings
from services.worker.sweeps import all_sweeps
from tests.integration.core.privacy.test_every_table import UNTOUCHED
from tests.support.canary import rows_with
from tests.support.clock import FakeClock
from tests.support.filled_tables import Known, fill_table
from tests.support.http import Parent, Place, make_family, make_place, pair
from tests.support.sounds import encoded

MOVED_DAYS: Final = 400
VOICE: Final = encoded("amr-nb", 0.5)


@dataclass(frozen=True)
class Goes:
    """Rows, or ``what`` of them, go so many days after the time in ``column``."""

    days: int
    column: str
    # A condition on what is left behind: the whole row unless something else is named.
    what: str = "true"


@dataclass(frozen=True)
class Stays:
    """Rows stay, for a reason."""

    reason: str


_CHILD: Final = Stays("kept as long as the child, the guardian or the family; gone with the erasure")
_PROGRAMME: Final = Stays("the programme's own work; no row of a family's content")
_GROUPS: Final = Stays("facts until the programme's end and 90 days, then published numbers of groups only")
_LOG: Final = Stays("the log and the ledger of erasures: random ids only")
_TECHNICAL: Final = Stays("no person in it")

# The promise for every table. A new table needs its promise here and in docs/privacy.md.
PROMISES: Final[dict[str, Goes | Stays]] = {
    "alert": Goes(180, "raised_at"),
    "alert_answer": Goes(180, "answered_at"),
    "alert_call": Goes(180, "called_at"),
    "audio_upload": Goes(30, "received_at"),
    "audio_upload_total": Stays("how many bytes wait: a number, 0 once they are gone"),
    "audit": _LOG,
    "audit_chain": _LOG,
    "blob": _CHILD,
    "break_glass": Goes(180, "asked_at"),
    "checkin": Goes(30, "received_at"),
    "child": _CHILD,
    "child_agreement": _CHILD,
    # The record stays; its sound, its waveform and its digest go.
    "clip": Goes(90, "created_at", "blob_id IS NOT NULL OR sealed_bars IS NOT NULL OR sha256 <> ''"),
    "clip_chunk": Goes(30, "received_at"),
    "cohort": _PROGRAMME,
    "consent": _CHILD,
    "contact": _CHILD,
    "contact_agreement": _CHILD,
    "contact_list": _CHILD,
    "contest": Goes(180, "ended_at"),
    "contest_decision": Stays("goes with its contest"),
    "database_mark": _TECHNICAL,
    "dhis2_import": _PROGRAMME,
    "enrolment": _CHILD,
    "erasure": _LOG,
    "erasure_ledger": _LOG,
    "event": Goes(30, "created_at"),
    "export": Goes(31, "expires_at"),
    "fact": _GROUPS,
    "family": _CHILD,
    "family_day": _GROUPS,
    "family_ending": _PROGRAMME,
    "guardian": _CHILD,
    "guardian_device": Goes(90, "last_used_at"),
    "hand_out": Goes(180, "closes_at"),
    "help_request": Goes(180, "done_at"),
    "inbox_item": _CHILD,
    "invitation": Goes(180, "expires_at"),
    "kept_message": _CHILD,
    "latest_checkin": Goes(30, "happened_at"),
    "lease": _TECHNICAL,
    "limit_bucket": Goes(1, "full_at"),
    "log_in_slip": Goes(181, "printed_at"),
    "login_challenge": Goes(2, "created_at"),
    "low_battery": Stays("since when a battery is low: goes when it is charged, or with the watch"),
    "membership": _CHILD,
    "message": _CHILD,
    "message_recipient": _CHILD,
    "notice": Goes(180, "created_at"),
    "number_change": Goes(90, "ended_at"),
    "nudge": Goes(30, "judged_at"),
    "nudge_wanted": _CHILD,
    "open_stream": Goes(1, "opened_at"),
    "outbox": Goes(2, "created_at", "kind = 'sms'"),
    "pairing": _CHILD,
    "pairing_attempt": Stays("a number of tries and their time; goes with the guardian"),
    "pairing_code": Goes(2, "created_at"),
    "phone_upload": Goes(1, "expires_at"),
    "phone_upload_part": Stays("goes with its upload"),
    "privacy_notice": _PROGRAMME,
    "programme": _PROGRAMME,
    "push_endpoint": _CHILD,
    "question_put_off": _CHILD,
    "quiet_since": _CHILD,
    "recovery": Goes(180, "ended_at"),
    "refresh_token": Goes(0, "expires_at"),
    "rendition": Goes(91, "created_at", "clip_id IN (SELECT clip_id FROM clip WHERE state = 'gone')"),
    "safe_zone": _CHILD,
    "session": Goes(90, "last_used_at"),
    "sim_month": _PROGRAMME,
    "site": _PROGRAMME,
    "shown_log_in": Stays("when a waiting log-in was shown: goes with the session that waited"),
    "sms_outcome": Goes(14, "happened_at"),
    "sos_place": Goes(180, "received_at"),
    "staff": _PROGRAMME,
    "staff_origin": _PROGRAMME,
    "staff_recovery_code": _PROGRAMME,
    "staff_refresh_token": Goes(0, "expires_at"),
    "staff_request": _PROGRAMME,
    "staff_scope": _PROGRAMME,
    "staff_session": Goes(90, "last_used_at"),
    "survey": _PROGRAMME,
    "survey_answer": _GROUPS,
    "survey_question": _PROGRAMME,
    "survey_report": _PROGRAMME,
    "training_attended": _GROUPS,
    "uplink": Goes(30, "received_at", "fingerprint <> ''"),
    "usage_cell": _GROUPS,
    "usage_export": _GROUPS,
    "usage_headline": _GROUPS,
    "usage_export_file": _GROUPS,
    "usage_population": _GROUPS,
    "usage_report": _GROUPS,
    "usage_week": _GROUPS,
    "watch": _PROGRAMME,
    "watch_command": Goes(180, "asked_at"),
    "watch_day": _GROUPS,
    "watch_given": _PROGRAMME,
    "watch_identity": _CHILD,
    "watch_presence": _CHILD,
    "watch_settings": _CHILD,
    "watch_trace": Goes(7, "closes_at"),
    "watch_trace_line": Goes(7, "at"),
    "wipe_order": _LOG,
    "zone_passage": Goes(30, "happened_at"),
}


def as_table() -> str:
    """Return the promises as docs/clock-run.md shows them."""
    lines = ["| table | after | what goes | or why it stays |", "|---|---|---|---|"]
    for name, promise in sorted(PROMISES.items()):
        if isinstance(promise, Stays):
            lines.append(f"| `{name}` | | | {promise.reason} |")
        else:
            what = "the row" if promise.what == "true" else f"`{promise.what}`"
            lines.append(f"| `{name}` | {promise.days} days after `{promise.column}` | {what} | |")
    return "\n".join(lines) + "\n"


def test_the_document_shows_every_promise() -> None:
    shown = (Path(__file__).parents[4] / "docs" / "clock-run.md").read_text()
    assert as_table() in shown, f"put this into docs/clock-run.md:\n{as_table()}"


def test_every_table_has_a_promise() -> None:
    load_all_tables()
    missing = SQLModel.metadata.tables.keys() - PROMISES.keys()
    assert not missing, f"say in PROMISES and in docs/privacy.md how long these are kept: {sorted(missing)}"
    assert PROMISES.keys() <= SQLModel.metadata.tables.keys()


async def test_four_hundred_days_later_nothing_is_left_that_was_promised_to_go(
    client: httpx.AsyncClient, transcoder: Transcoder, settings: Settings, clock: FakeClock
) -> None:
    load_all_tables()
    database = transcoder.database
    place = await make_place(database)
    mother = await make_family(client, database, place)
    identity = await pair(mother, place)
    await mother.speak(VOICE)
    digest = hashlib.sha256(VOICE).hexdigest()
    assert "clip" in await rows_with(database, digest)
    await _plant(transcoder, place, mother, identity)
    filled = {name for name in PROMISES if await _count(transcoder, name, "true")}
    assert {name for name, promise in PROMISES.items() if isinstance(promise, Goes)} - filled <= UNTOUCHED

    clock.advance(days=MOVED_DAYS)
    ledger = ErasureLedger(settings.erasure_ledger)
    for sweep in all_sweeps(database, transcoder.blobs, ledger):
        while await sweep.step():
            pass

    left = {}
    for name, promise in PROMISES.items():
        if isinstance(promise, Goes):
            over = clock() - timedelta(days=promise.days)
            left[name] = await _count(transcoder, name, f"({promise.what}) AND {promise.column} <= :over", over=over)
    assert {name for name, count in left.items() if count} == set()
    # The family itself is there: nothing went because it was erased.
    assert await _count(transcoder, "child", "erased_at IS NULL")
    for trace in (digest, voice_body(digest).fingerprint):
        assert await rows_with(database, trace) == []


async def _plant(transcoder: Transcoder, place: Place, mother: Parent, identity: WatchIdentity) -> None:
    """Put a row into every table, all about one family."""
    known: Known = {
        ("family", "family_id"): mother.family_id,
        ("child", "child_id"): uuid.UUID(mother.child_id),
        ("guardian", "guardian_id"): uuid.UUID(mother.guardian_id),
    }
    for row in (place.site, place.cohort, identity):
        known |= {(str(row.__class__.__tablename__), column): value for column, value in row.model_dump().items()}
    async with transcoder.database.begin() as work:
        for table in SQLModel.metadata.sorted_tables:
            # A recording that a guardian keeps stays.
            if table.name not in UNTOUCHED | {"kept_message"}:
                await fill_table(work, table, known)
        await work.run(text("UPDATE uplink SET fingerprint = :digest"), {"digest": hashlib.sha256(VOICE).hexdigest()})
        # A chunk and its upload have one name.
        await work.run(text("UPDATE audio_upload SET ref = (SELECT ref FROM clip_chunk LIMIT 1)"))
        for table in SQLModel.metadata.sorted_tables:
            # Made-up words that sweeps read.
            if "timezone" in table.columns:
                await work.run(text(f"UPDATE {table.name} SET timezone = 'Asia/Shanghai'"))  # noqa: S608


async def _count(transcoder: Transcoder, table: str, condition: str, **values: object) -> int:
    async with transcoder.database.begin() as work:
        counted = await work.run(text(f'SELECT count(*) FROM "{table}" WHERE {condition}'), values)  # noqa: S608
        return int(counted.scalar_one())
