"""The watchdog: what it tells and when, and what each of its looks finds."""

from __future__ import annotations

import shutil
from collections import namedtuple
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.broker.certificates import development_certificates, expires_at
from services.core.platform.backup_state import STATE_FILE, update_backup_state
from services.core.platform.outbox.sms_outcomes import SmsCounts
from services.core.platform.settings import Settings
from services.devstack.watchdog import checks
from services.devstack.watchdog.rules import BRIEFS, ORDER, Line, Seen, Trouble, due_lines, is_balance_due, note_sent
from services.devstack.watchdog.state import only_one, read_state, write_state

SUNDAY = datetime(2027, 3, 7, 8, 0, tzinfo=UTC)
MONDAY = datetime(2027, 3, 8, 6, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil has it


def due(troubles: dict[Trouble, str], seen: Seen, now: datetime) -> tuple[list[Trouble | None], Seen]:
    """Run once, and send what is due."""
    lines, seen = due_lines(troubles, seen, now)
    return [line.trouble for line in lines], note_sent(seen, lines, now)


def test_a_process_is_told_after_five_minutes_in_a_row_and_everything_else_at_once() -> None:
    troubles = {Trouble.NOT_READY: "api", Trouble.DISK: "full"}
    lines, seen = due(troubles, Seen(), SUNDAY)
    assert lines == [Trouble.DISK]
    lines, seen = due(troubles, seen, SUNDAY + 4 * MINUTE)
    assert lines == []
    lines, seen = due(troubles, seen, SUNDAY + 5 * MINUTE)
    assert lines == [Trouble.NOT_READY]
    # It was ready for a moment: the five minutes begin again.
    _, seen = due({}, Seen(), SUNDAY)
    _, seen = due({Trouble.NOT_READY: "api"}, seen, SUNDAY + MINUTE)
    _, seen = due({}, seen, SUNDAY + 2 * MINUTE)
    _, seen = due({Trouble.NOT_READY: "api"}, seen, SUNDAY + 3 * MINUTE)
    lines, seen = due({Trouble.NOT_READY: "api"}, seen, SUNDAY + 7 * MINUTE)
    assert lines == []


def test_each_kind_is_told_once_an_hour_and_what_reached_nobody_at_the_next_run() -> None:
    troubles = {Trouble.SOS_UNSENT: "1", Trouble.BALANCE: "low"}
    lines, seen = due_lines(troubles, Seen(), SUNDAY)
    assert [line.trouble for line in lines] == [Trouble.SOS_UNSENT, Trouble.BALANCE]
    # The mail server took the first line and not the second.
    seen = note_sent(seen, lines[:1], SUNDAY)
    assert due(troubles, seen, SUNDAY + MINUTE)[0] == [Trouble.BALANCE]
    _, seen = due(troubles, seen, SUNDAY + MINUTE)
    assert due(troubles, seen, SUNDAY + 59 * MINUTE)[0] == []
    assert due(troubles, seen, SUNDAY + HOUR)[0] == [Trouble.SOS_UNSENT]
    # Another kind is not held back by it, and a clock that was set back silences nothing.
    assert due({Trouble.DISK: "full"}, seen, SUNDAY + 2 * MINUTE)[0] == [Trouble.DISK]
    assert due(troubles, seen, SUNDAY - DAY)[0] == [Trouble.SOS_UNSENT, Trouble.BALANCE]


def test_all_is_well_is_said_once_on_mondays_and_only_when_it_is() -> None:
    assert due({}, Seen(), SUNDAY)[0] == []
    assert due({}, Seen(), MONDAY - MINUTE)[0] == []
    lines, seen = due({}, Seen(), MONDAY)
    assert lines == [None]
    assert due({}, seen, MONDAY + 9 * HOUR)[0] == []
    assert due({}, seen, MONDAY + 7 * DAY)[0] == [None]
    # In trouble, that is what Monday hears; once mended, it hears that as well.
    lines, seen = due({Trouble.DISK: "full"}, Seen(), MONDAY)
    assert lines == [Trouble.DISK]
    assert due({}, seen, MONDAY + HOUR)[0] == [None]


def test_providers_are_asked_for_their_balance_every_quarter_of_an_hour() -> None:
    seen = Seen(balance_asked_at=SUNDAY)
    assert is_balance_due(Seen(), SUNDAY)
    assert not is_balance_due(seen, SUNDAY + 14 * MINUTE)
    assert is_balance_due(seen, SUNDAY + 15 * MINUTE)
    assert is_balance_due(seen, SUNDAY - DAY)


def test_every_kind_has_an_order_and_words_that_a_template_can_hold() -> None:
    assert set(ORDER) == set(Trouble)
    assert set(BRIEFS) == {*Trouble, None}
    assert all(len(brief) <= 35 for brief in BRIEFS.values())


def test_the_state_outlives_a_run_and_a_damaged_one_makes_the_watchdog_speak(tmp_path: Path) -> None:
    file = tmp_path / "var" / "watchdog.json"
    with only_one(file) as is_alone, only_one(file) as is_second:
        assert (is_alone, is_second) == (True, False)
    lines, seen = due_lines({Trouble.DISK: "full"}, Seen(), MONDAY)
    seen = note_sent(seen, [*lines, Line(None, "")], MONDAY)
    seen = replace(seen, balance_asked_at=MONDAY)
    write_state(file, seen)
    assert read_state(file) == seen
    for damaged in ("", "[]", "null", "{}", '{"since": {"disk": "2027-03-08T06:00:00"}, "told_at": {}, "well_on": ""}'):
        file.write_text(damaged)
        assert read_state(file) == Seen()
    # A kind of a later version is no damage.
    write_state(file, seen)
    file.write_text(file.read_text().replace('"disk"', '"flood"'))
    assert read_state(file).well_on == seen.well_on


def test_backups_must_be_new_and_verified(tmp_path: Path) -> None:
    def judged(now: datetime) -> tuple[str | None, str | None]:
        return checks.backup_old(tmp_path, now), checks.backup_unverified(tmp_path, now)

    assert checks.backup_old(None, SUNDAY) is None
    assert checks.backup_unverified(None, SUNDAY) is None
    assert judged(SUNDAY) == ("there is no backup", None)
    update_backup_state(tmp_path, {"newest_at": SUNDAY})
    assert judged(SUNDAY) == (None, "no backup was ever verified")
    update_backup_state(tmp_path, {"verified_at": SUNDAY})
    assert judged(SUNDAY + 26 * HOUR) == (None, None)
    assert judged(SUNDAY + 27 * HOUR) == ("the newest backup is 27 h old", None)
    update_backup_state(tmp_path, {"newest_at": SUNDAY + 9 * DAY})
    assert judged(SUNDAY + 8 * DAY) == (None, None)
    assert judged(SUNDAY + 9 * DAY) == (None, "the last verification of a backup was 9 days ago")
    update_backup_state(tmp_path, {"verify_fault": "a block differs"})
    assert judged(SUNDAY + 8 * DAY) == (None, "the last verification of a backup failed")
    (tmp_path / STATE_FILE).write_text("{")
    assert judged(SUNDAY) == ("the state of the backups cannot be read", None)


def test_a_certificate_must_last_two_weeks(tmp_path: Path) -> None:
    made = development_certificates(tmp_path, "watch.example.org", SUNDAY)
    file = made.certificate_file
    until = expires_at(file)
    assert until is not None
    assert checks.certificate([file], until - 14 * DAY) is None
    assert checks.certificate([file], until - 14 * DAY + MINUTE) == f"the certificate {file.name} expires in 13 days"
    assert checks.certificate([file], until) == f"the certificate {file.name} has expired"
    assert checks.certificate([tmp_path / "none.pem"], SUNDAY) == "the certificate none.pem cannot be read"
    assert checks.public_certificate("http://127.0.0.1:8080", SUNDAY) is None
    assert checks.public_certificate("https://127.0.0.1:1", SUNDAY) is None


def test_a_disk_must_have_a_tenth_free_and_each_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path, tmp_path / "not" / "yet" / "made"]
    for free, sentence in ((100, None), (99, f"9 % free at {tmp_path}"), (0, f"0 % free at {tmp_path}")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Usage(1_000, 1_000 - free, free))
        assert checks.disk(folders) == sentence


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((0, 0, 0), None),
        ((10, 1, 0), None),
        ((9, 1, 0), "1 of 9 texts failed in 15 minutes (11 %)"),
        ((1, 1, 0), "1 of 1 texts failed in 15 minutes (100 %)"),
        # One parent's wrong number, and a provider that calls every number wrong.
        ((2, 1, 1), None),
        ((9, 3, 3), "3 of 9 texts failed in 15 minutes (33 %)"),
    ],
)
def test_text_messages_fail_above_a_tenth(counts: tuple[int, int, int], sentence: str | None) -> None:
    offered, failed, numbers_refused = counts
    assert checks.sms_failing(SmsCounts(offered, failed, numbers_refused, 0, ())) == sentence


def test_an_sos_is_told_whether_it_was_refused_or_waits() -> None:
    assert checks.sos_unsent(SmsCounts(5, 2, 0, 0, ()), 0) is None
    assert checks.sos_unsent(SmsCounts(5, 2, 0, 2, ()), 1) == "2 SOS texts reached nobody"
    assert checks.sos_unsent(SmsCounts(0, 0, 0, 0, ()), 1) == "1 SOS text reached nobody"


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"watchdog_mail_to": "a@b.org"}, "watchdog_mail_to needs watchdog_smtp_host and watchdog_mail_from"),
        ({"watchdog_mail_to": "nobody"}, "'nobody' is no mail address"),
        ({"watchdog_sms_to": "13800138000"}, "watchdog_sms_to has a number that is not"),
        ({"watchdog_webhook_url": "http://example.org"}, "is no https:// address"),
        ({"sms_balance_least": "esms=many"}, "is no list such as"),
        ({"sms_balance_least": "nobody=5"}, "is no list such as"),
        ({"sms_balance_least": "esms=-1"}, "is no list such as"),
    ],
)
def test_a_wrong_setting_is_a_sentence(given: dict[str, str], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Settings(**given)  # type: ignore[arg-type]
    assert Settings(sms_balance_least="esms=1000,twilio=5").sms_balance_least == {"esms": 1000.0, "twilio": 5.0}
