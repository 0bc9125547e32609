"""Counters and histograms of this process whose labels hold declared words only.

Each label declares its values. Any other value is recorded as ``other``, so that no id, name or number of a person can
become part of a time series, whatever a caller passes. Values that are known only at the start of a process (the routes
of the API) are declared with :meth:`_Metric.declare`.

_SENT = counter("pushes", "Notes sent to push endpoints, by outcome.", outcome=("taken", "gone", "later"))
_SENT.count(outcome="taken")
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from typing import Any, Final

import prometheus_client
from prometheus_client import CollectorRegistry

PREFIX: Final = "smartwatch"
# The label recorded for a value outside the declared ones.
OTHER: Final = "other"
# Combinations of label values beyond this many appear when they first occur, not before.
_SHOWN_AT_ONCE_MAX: Final = 100
# From an answer out of memory to the longest deadline of an effect.
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Waiting times reach minutes and hours.
WAITING_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3600.0)

REGISTRY: Final = CollectorRegistry(auto_describe=True)
_LABELS: Final[dict[str, dict[str, set[str]]]] = {}


def declared_labels() -> Mapping[str, Mapping[str, Collection[str]]]:
    """Return the declared values of each label by the full name of its metric."""
    return _LABELS


class _Metric:
    """Shared by counters and histograms: the declared values of their labels."""

    _inner: prometheus_client.Counter | prometheus_client.Histogram

    def __init__(self, name: str, values: Mapping[str, Collection[str]]) -> None:
        self.name = f"{PREFIX}_{name}"
        self._values = {label: set(allowed) for label, allowed in values.items()}
        self._series: dict[tuple[tuple[str, str], ...], Any] = {}
        _LABELS[self.name] = self._values

    def declare(self, label: str, values: Collection[str]) -> None:
        """Allow more values of a label."""
        self._values[label].update(values)

    def _of(self, given: Mapping[str, str]) -> Any:  # noqa: ANN401 - a counter or a histogram of prometheus_client
        """Return the time series of these labels; those of declared values alone are remembered."""
        if not self._values:
            return self._inner
        key = tuple(given.items())
        series = self._series.get(key)
        if series is None:
            labels = self._label_values(given)
            series = self._inner.labels(**labels)
            if labels == given:
                self._series[key] = series
        return series

    def _label_values(self, given: Mapping[str, str]) -> dict[str, str]:
        return {
            label: value if (value := given.get(label, OTHER)) in allowed else OTHER
            for label, allowed in self._values.items()
        }

    def _combinations(self) -> list[dict[str, str]]:
        """Return all combinations of declared values, none where they are too many to show before they occur."""
        combinations = [
            dict(zip(self._values, chosen, strict=True))
            for chosen in itertools.islice(
                itertools.product(*(sorted(value) for value in self._values.values())), _SHOWN_AT_ONCE_MAX + 1
            )
        ]
        return combinations if len(combinations) <= _SHOWN_AT_ONCE_MAX and self._values else []


class Counter(_Metric):
    """A number that only grows while the process lives."""

    def __init__(self, name: str, documentation: str, values: Mapping[str, Collection[str]]) -> None:
        super().__init__(name, values)
        self._inner = prometheus_client.Counter(self.name, documentation, list(values), registry=REGISTRY)
        for labels in self._combinations():
            # A counter that begins at 0 shows its first increase.
            self._inner.labels(**labels)

    def count(self, amount: float = 1, **labels: str) -> None:
        """Add ``amount``; a label that is missing or has an undeclared value counts as ``other``."""
        self._of(labels).inc(amount)


class Histogram(_Metric):
    """Durations in seconds, counted by upper bounds."""

    def __init__(
        self, name: str, documentation: str, bounds_s: Collection[float], values: Mapping[str, Collection[str]]
    ) -> None:
        super().__init__(name, values)
        self._inner = prometheus_client.Histogram(
            self.name, documentation, list(values), registry=REGISTRY, buckets=tuple(bounds_s)
        )

    def observe(self, seconds: float, **labels: str) -> None:
        """Record one duration; labels as in :meth:`Counter.count`."""
        self._of(labels).observe(max(0.0, seconds))


def counter(name: str, documentation: str, **labels: Collection[str]) -> Counter:
    """Return a new counter ``smartwatch_<name>_total``; call once, where the module is defined."""
    return Counter(name, documentation, labels)


def histogram(
    name: str, documentation: str, *, bounds_s: Collection[float] = SECONDS, **labels: Collection[str]
) -> Histogram:
    """Return a new histogram ``smartwatch_<name>`` of seconds; call once, where the module is defined."""
    return Histogram(name, documentation, bounds_s, labels)
