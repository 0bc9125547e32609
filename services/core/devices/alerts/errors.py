"""What is refused about alerts."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class AlertKindUnknownError(CoreError):
    """A kind that is not in the list; a caller inside the house has made a mistake, or a watch knows more than we."""

    code = "alert_kind_unknown"
    sentence = "This kind of alert is not known."
