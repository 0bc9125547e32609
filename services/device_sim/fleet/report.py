"""The report of a fleet: the parts of all processes put together, and the checker's comparison."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field

from services.device_sim.fleet.measures import OWN_LIMIT_CPU_SHARE, OWN_LIMIT_LAG_S, percentile
from services.device_sim.fleet.part import PartResult


@dataclass
class Spread:
    """Latencies in milliseconds from the intended time of sending."""

    count: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0

    def __str__(self) -> str:
        """Return it as text."""
        return f"p50 {self.p50_ms:.0f} ms, p95 {self.p95_ms:.0f} ms, p99 {self.p99_ms:.0f} ms ({self.count})"


def _spread(values_s: Sequence[float]) -> Spread:
    return Spread(len(values_s), *(percentile(values_s, share) * 1000 for share in (0.5, 0.95, 0.99)))


@dataclass
class FleetReport:
    """Figures of a run."""

    machine: str = ""
    limits: list[str] = field(default_factory=list)
    processes: int = 1
    tls: bool = False
    watches: int = 0
    fitted: int = 0
    online: int = 0
    connects_per_s: float = 0.0
    hello: Spread = field(default_factory=Spread)
    lost_connections: int = 0
    bytes_a_watch: int | None = None
    texts_of_watches: int = 0
    texts_of_parents: int = 0
    confirmed: int = 0
    refused: int = 0
    unanswered: int = 0
    receipts: Spread = field(default_factory=Spread)
    streams: int = 0
    to_parent: Spread = field(default_factory=Spread)
    to_watch: Spread = field(default_factory=Spread)
    checked: int = 0  # confirmed texts whose delivery could be looked up
    lost: int = 0  # of these, the ones that had not arrived when the patience ended
    twice: int = 0
    lag_p99_ms: float = 0.0
    cpu_share: float = 0.0
    simulator_was_the_limit: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every watch that fitted came online and nothing was refused, unanswered, lost or there twice."""
        return self.online == self.fitted and not (self.refused or self.unanswered or self.lost or self.twice)

    def as_json(self) -> str:
        """Return the figures as JSON text."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def as_lines(self) -> list[str]:
        """Return the figures as a table."""
        memory = "unknown" if self.bytes_a_watch is None else f"{self.bytes_a_watch / 1024:.1f} kB"
        rows = [
            ("machine", self.machine),
            *(("", line) for line in self.limits),
            (
                "watches",
                (
                    f"{self.online} of {self.watches} online by {'TLS' if self.tls else 'plain MQTT'}, "
                    f"{self.fitted} fit; {memory} each, {self.processes} processes"
                ),
            ),
            ("connecting", f"{self.connects_per_s:.0f} log-ins a second, {self.lost_connections} connections lost"),
            ("hello", f"answered {self.hello} from the intended time of connecting"),
            (
                "texts",
                (
                    f"{self.texts_of_watches} of watches, {self.texts_of_parents} of parents; "
                    f"{self.confirmed} confirmed, {self.refused} refused, {self.unanswered} unanswered"
                ),
            ),
            ("receipts", f"{self.receipts}"),
            ("to parents", f"{self.to_parent} over {self.streams} event streams"),
            ("to watches", f"{self.to_watch}"),
            (
                "checker",
                f"of {self.checked} confirmed texts {self.lost} did not arrive in time, {self.twice} arrived twice",
            ),
            ("simulator", f"its loop woke p99 {self.lag_p99_ms:.0f} ms late, {self.cpu_share:.0%} of a core at most"),
        ]
        lines = [f"{name:<12} {text}" for name, text in rows]
        if self.simulator_was_the_limit:
            lines.append("The simulator itself was the limit: these figures say too little about the system.")
        return lines


def reported(parts: Sequence[PartResult], delivered: Collection[str] | None) -> FleetReport:
    """Put the parts together. `delivered`: every id that the system holds of what watches said, where it is known.

    Without it the parents' histories are the witness, for the watches that have a parent in the fleet.
    """
    sent_up, sent_down = (_joined(parts, name) for name in ("sent_up", "sent_down"))
    confirmed_up, confirmed_down = set(_joined(parts, "confirmed_up")), set(_joined(parts, "confirmed_down"))
    arrived_up = list(delivered) if delivered is not None else _joined(parts, "delivered_up")
    ours = set(sent_up)
    arrived_up = [ref for ref in arrived_up if ref in ours]
    checked_up = confirmed_up if delivered is not None else confirmed_up & set(_joined(parts, "checkable_up"))
    arrived_down = set(_joined(parts, "delivered_down"))
    memory = [part.memory_bytes for part in parts if part.memory_bytes is not None]
    report = FleetReport(
        processes=len(parts), online=sum(part.online for part in parts),
        connects_per_s=sum(part.logged_in for part in parts) / max(0.001, *(part.logged_in_within_s for part in parts)),
        hello=_spread(_joined(parts, "online_s")), lost_connections=sum(part.lost_connections for part in parts),
        bytes_a_watch=sum(memory) // max(1, sum(part.watches for part in parts)) if memory else None,
        texts_of_watches=len(sent_up), texts_of_parents=len(sent_down),
        confirmed=len(confirmed_up) + len(confirmed_down), refused=sum(part.refused for part in parts),
        receipts=_spread(_joined(parts, "receipts_s")), streams=sum(part.streams for part in parts),
        to_parent=_spread(_joined(parts, "to_parent_s")), to_watch=_spread(_joined(parts, "to_watch_s")),
        checked=len(checked_up) + len(confirmed_down),
        lost=len(checked_up - set(arrived_up)) + len(confirmed_down - arrived_down),
        twice=len(arrived_up) - len(set(arrived_up)),
        lag_p99_ms=max(part.lag_p99_s for part in parts) * 1000, cpu_share=max(part.cpu_share for part in parts),
    )  # fmt: skip
    report.unanswered = len(sent_up) + len(sent_down) - report.confirmed - report.refused
    report.simulator_was_the_limit = (
        report.lag_p99_ms > OWN_LIMIT_LAG_S * 1000 or report.cpu_share > OWN_LIMIT_CPU_SHARE
    )
    return report


def _joined(parts: Sequence[PartResult], name: str) -> list:  # type: ignore[type-arg] # of the field's own kind
    return [value for part in parts for value in getattr(part, name)]
