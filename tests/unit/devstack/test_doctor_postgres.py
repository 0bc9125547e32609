"""What the states of a primary and a standby mean to whoever asks `smartwatch doctor`."""

from __future__ import annotations

import pytest

from services.devstack.doctor_postgres import BEHIND_MAX_BYTES, Server, judge

PRIMARY = Server("a:5432", True, True, 10 * BEHIND_MAX_BYTES, 1, "b")


@pytest.mark.parametrize(
    ("standby", "said"),
    [
        (Server("b:5432"), "b:5432 is not reached"),
        (Server("b:5432", True, False, 10 * BEHIND_MAX_BYTES), None),
        (Server("b:5432", True, False, 8 * BEHIND_MAX_BYTES), "b:5432 is behind a:5432 by 32 MiB"),
        (Server("b:5432", True, True, 1, 2), "a:5432 has returned with old data and accepts writes beside b:5432"),
    ],
)
def test_what_is_wrong_with_a_standby_is_named(standby: Server, said: str | None) -> None:
    findings = judge([PRIMARY, standby])
    assert [finding.what for finding in findings if not finding.ok] == ([] if said is None else [said])


def test_commits_that_wait_for_nobody_are_a_warning() -> None:
    [finding] = judge([Server("a:5432", True, True, 5, 1), Server("b:5432", True, False, 5)])
    assert (finding.ok, finding.warns) == (True, True)


def test_two_standbys_are_no_database() -> None:
    assert [finding.what for finding in judge([Server("a:1", True), Server("b:1", True)])] == [
        "no server accepts writes"
    ]
