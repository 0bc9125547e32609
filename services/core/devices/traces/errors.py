"""Errors of traces."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class TraceNotAllowedError(CoreError):
    """The watch is paired, and its family has not reported it as broken."""

    code = "trace_not_allowed"
    sentence = (
        "A trace needs a watch that is not paired, or an open request for help of its family: the watch is broken."
    )


class TraceClosedError(CoreError):
    """No trace of the watch is open."""

    code = "trace_closed"
    sentence = "No trace of this watch is open. Open one; it ends after 24 hours."
