"""Right to pair a watch, decided on plain values."""

from __future__ import annotations

import dataclasses
import uuid

import pytest

from services.core.pairing.rules import Situation, Verdict, judge

FAMILY, OTHER_FAMILY, SITE, OTHER_SITE, CHILD, OTHER_CHILD = (uuid.UUID(int=number) for number in range(1, 7))
HANDED_OUT = Situation(
    watch_may_log_in=True, watch_site_id=SITE, handed_out_to=FAMILY, worn_by_child=None, family_id=FAMILY,
    family_site_id=SITE, child_id=CHILD, child_wears_a_watch=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.PAIR),
        ({"handed_out_to": OTHER_FAMILY}, Verdict.UNKNOWN),
        ({"handed_out_to": None}, Verdict.PAIR),
        ({"handed_out_to": None, "family_site_id": OTHER_SITE}, Verdict.UNKNOWN),
        ({"handed_out_to": None, "family_site_id": None}, Verdict.UNKNOWN),
        # A family that left the factory keeps the watch it was handed.
        ({"family_site_id": None}, Verdict.PAIR),
        ({"watch_may_log_in": False}, Verdict.UNKNOWN),
        ({"watch_may_log_in": False, "worn_by_child": CHILD}, Verdict.UNKNOWN),
        ({"child_wears_a_watch": True}, Verdict.CHILD_HAS_WATCH),
        ({"handed_out_to": OTHER_FAMILY, "child_wears_a_watch": True}, Verdict.UNKNOWN),
        ({"worn_by_child": CHILD, "child_wears_a_watch": True}, Verdict.REPLACE),
        ({"worn_by_child": OTHER_CHILD}, Verdict.UNKNOWN_AND_NOTIFY),
        ({"worn_by_child": OTHER_CHILD, "handed_out_to": OTHER_FAMILY}, Verdict.UNKNOWN_AND_NOTIFY),
    ],
)
def test_the_verdict_on_an_entered_code(change: dict[str, object], verdict: Verdict) -> None:
    assert judge(dataclasses.replace(HANDED_OUT, **change)) is verdict  # type: ignore[arg-type]
