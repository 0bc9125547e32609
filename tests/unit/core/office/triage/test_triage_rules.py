"""Findings of the triage: each on its own side of its bound, and a text for each in every language."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.core.devices.presence.rules import Journey
from services.core.office.help_requests.actions import help_text, helpline_of
from services.core.office.triage.queries import advice
from services.core.office.triage.rules import KINDS, Device, newest_firmware, triage
from services.core.people.households.rules import HELP_KINDS
from services.core.people.households.sms_texts import get_in_touch_text, programme_ending_text
from services.core.platform.locales import LOCALES

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WELL: dict[str, Any] = {"state": "handed_out", "paired": True}
WAY = Journey(datetime(2026, 2, 20, tzinfo=UTC), is_overdue=False)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.mark.parametrize(
    ("device", "kinds"),
    [
        (Device(**WELL), []),
        (Device(**WELL, silent_since_at=ago(hours=49)), ["silent"]),
        (Device(**WELL, low_battery_since=ago(days=3) + timedelta(seconds=1)), []),
        (Device(**WELL, low_battery_since=ago(days=3)), ["low_battery"]),
        (Device(**WELL, journey=WAY, low_battery_since=ago(days=9), online=True, stuck_since=ago(days=9)), []),
        (Device(**WELL, journey=WAY, firmware="1.9.0", newest_firmware="1.10.0"), []),
        (Device(**WELL, journey=WAY, sim_expires_on=date(2026, 3, 9)), ["sim_expiring"]),
        (Device(**WELL, journey=Journey(ago(days=30), is_overdue=True)), ["not_arrived"]),
        (Device("handed_out", handed_out_at=ago(hours=23)), []),
        (Device("handed_out", handed_out_at=ago(hours=24)), ["never_paired"]),
        (Device("handed_out"), ["never_paired"]),
        (Device("registered"), []),
        (Device("registered", sim_expires_on=date(2026, 4, 2)), []),
        (Device("registered", sim_expires_on=date(2026, 4, 1)), ["sim_expiring"]),
        (Device("registered", sim_expires_on=date(2026, 2, 1)), ["sim_expiring"]),
        (Device(**WELL, sim_quota_mb=100, sim_used_mb=100), []),
        (Device(**WELL, sim_quota_mb=100, sim_used_mb=101), ["sim_over_quota"]),
        (Device(**WELL, sim_used_mb=101), []),
        (Device(**WELL, firmware="1.9.0", newest_firmware="1.10.0"), ["old_firmware"]),
        (Device(**WELL, firmware="1.10.0", newest_firmware="1.10.0"), []),
        (Device(**WELL, firmware="", newest_firmware="1.10.0"), []),
        (Device(**WELL, online=True, stuck_since=ago(hours=24)), ["delivery_stuck"]),
        (Device(**WELL, online=True, stuck_since=ago(hours=23)), []),
        (Device(**WELL, online=False, stuck_since=ago(hours=48)), []),
        *(
            (Device(**{**WELL, "state": state}, low_battery_since=ago(days=9), sim_expires_on=date(2026, 1, 1)), [])
            for state in ("lost", "broken", "returned")
        ),
        (
            Device(
                **WELL, silent_since_at=ago(days=9), low_battery_since=ago(days=9),
                sim_expires_on=date(2026, 1, 1),
            ),
            ["silent", "low_battery", "sim_expiring"],
        ),
    ],
)  # fmt: skip
def test_each_finding_on_its_side_of_the_bound(device: Device, kinds: list[str]) -> None:
    assert [finding.kind for finding in triage(device, NOW)] == kinds


def test_the_newest_firmware_is_the_highest_by_its_numbers() -> None:
    assert newest_firmware({"v1.9.12", "1.10.0-rc1", "", "beta"}) == "1.10.0-rc1"
    assert newest_firmware(set()) == ""


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_a_text_of_its_own_for_each_word(locale: str) -> None:
    texts = [advice(kind, locale) for kind in KINDS]
    texts += [help_text(kind, locale) for kind in HELP_KINDS]
    texts += [programme_ending_text(locale, "app.example.org").text, get_in_touch_text(locale).text]
    assert all(texts)
    assert len(set(texts)) == len(texts)
    if locale != "en":
        assert not set(texts) & {advice(kind, "en") for kind in KINDS}


@pytest.mark.parametrize(
    ("country", "number"), [("CN", "12355"), ("VN", "111"), ("TR", "183"), ("DE", "116111"), (None, "116111")]
)
def test_each_country_has_a_number_that_listens_to_children(country: str | None, number: str) -> None:
    assert helpline_of(country).number == number
