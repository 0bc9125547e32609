"""A label holds declared words only, whatever a caller passes."""

from __future__ import annotations

import itertools

import pytest

from services.core.platform.metrics.registry import REGISTRY, Counter, counter, histogram

_NUMBERS = itertools.count(1)


@pytest.fixture
def made() -> Counter:
    return counter(f"test_{next(_NUMBERS)}", "Of this test.", outcome=("sent", "failed"))


def value(made: Counter, outcome: str) -> float | None:
    return REGISTRY.get_sample_value(f"{made.name}_total", {"outcome": outcome})


def test_a_counter_begins_at_zero_so_that_its_first_increase_shows(made: Counter) -> None:
    assert (value(made, "sent"), value(made, "failed")) == (0, 0)
    made.count(outcome="sent")
    made.count(2, outcome="sent")
    assert value(made, "sent") == 3


def test_an_undeclared_value_never_becomes_a_label(made: Counter) -> None:
    for personal in ("+8613800138000", "Mei", "w-3f2a"):
        made.count(outcome=personal)
    made.count()
    assert value(made, "other") == 4
    labels = {sample.labels["outcome"] for family in REGISTRY.collect() if family.name == made.name
              for sample in family.samples}  # fmt: skip
    assert labels == {"sent", "failed", "other"}


def test_values_known_later_are_declared_later(made: Counter) -> None:
    made.declare("outcome", ["expired"])
    made.count(outcome="expired")
    assert value(made, "expired") == 1


def test_a_duration_is_never_negative() -> None:
    made = histogram("test_seconds", "Of this test.", bounds_s=(1.0,), kind=("sms",))
    made.observe(-3.0, kind="sms")  # the clock of another machine
    assert REGISTRY.get_sample_value(f"{made.name}_sum", {"kind": "sms"}) == 0
