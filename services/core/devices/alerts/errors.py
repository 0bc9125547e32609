"""Errors of alerts."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class AlertKindUnknownError(CoreError):
    """The kind is not in the list: a caller's mistake, or a kind of a later version."""

    code = "alert_kind_unknown"
    sentence = "This kind of alert is unknown."


class AlertNotAcknowledgedError(CoreError):
    """No guardian takes care of the alert yet, so the question how the child is cannot be answered."""

    code = "alert_not_acknowledged"
    sentence = "Nobody has said yet that they take care of this call."
