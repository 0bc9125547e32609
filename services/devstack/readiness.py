"""Readiness of a process, and when `up` replaces it: after 30 s of being unready by its own fault.

A process that waits for Postgres or the broker is unready and left alone. Waiting mends neither a process that does not
answer (frozen, event loop blocked) nor one whose `/readyz` names an own fault (a hung loop).
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

OWN_FAULT_AFTER_S = 30.0
# A process that has not been ready since its start may need longer: on a busy machine imports alone take many seconds.
START_GRACE_S = 120.0
_HTTP_OK = 200
_OWN_FAULT = "own_fault"


@dataclass(frozen=True)
class Readiness:
    """The answer of one process: each reason by the name of its part, and whether the fault is the process's own."""

    reasons: Mapping[str, str]
    is_own_fault: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether nothing is amiss."""
        return not self.reasons


# A check takes up to 2 s while a dependency is away; the rest is for a machine that is too busy to answer at once.
ANSWER_WITHIN_S = 6.0


def fetch_readiness(port: int, timeout_s: float = ANSWER_WITHIN_S) -> Readiness:
    """Return what the process behind this port says of itself; no answer within ``timeout_s`` is its own fault."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return Readiness({"process": f"no answer on port {port} ({type(error).__name__})"}, is_own_fault=True)
    finally:
        connection.close()
    if answer.status == _HTTP_OK:
        return Readiness({})
    try:
        content = json.loads(body)
    except json.JSONDecodeError:
        content = None
    reasons = {str(name): str(reason) for name, reason in _reasons(content).items() if reason != "ok"}
    is_own_fault = isinstance(content, dict) and bool(content.get(_OWN_FAULT))
    return Readiness(reasons or {"process": f"answered {answer.status}"}, is_own_fault)


def _reasons(content: object) -> Mapping[str, object]:
    """Return the parts in an answer, which is flat or has them one level down."""
    if not isinstance(content, dict):
        return {}
    for value in content.values():
        if isinstance(value, dict):
            return value
    return {name: value for name, value in content.items() if name != _OWN_FAULT}


class OwnFaultJudge:
    """Decides for one run of one process when it is to be replaced. A new run needs a new judge."""

    def __init__(
        self, *, after_s: float = OWN_FAULT_AFTER_S, grace_s: float = START_GRACE_S, was_ready: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._after_s = after_s
        self._grace_s = grace_s
        self._clock = clock
        self._was_ready = was_ready
        self._since_s: float | None = None

    def is_to_be_replaced(self, readiness: Readiness) -> bool:
        """Record an answer; return whether the process has been unready by its own fault for too long."""
        self._was_ready |= readiness.is_ready
        if readiness.is_ready or not readiness.is_own_fault:
            self._since_s = None
            return False
        now_s = self._clock()
        self._since_s = now_s if self._since_s is None else self._since_s
        return now_s - self._since_s >= (self._after_s if self._was_ready else max(self._after_s, self._grace_s))
