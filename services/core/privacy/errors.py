"""Errors of erasing, exporting and contesting."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class PrimaryOnlyError(CoreError):
    """Only the first guardian of a family may do this."""

    code = "primary_only"
    sentence = "Only the first guardian of the family can do this."


class ConfirmationMissingError(CoreError):
    """An action that cannot be undone lacks its confirmation word."""

    code = "confirmation_missing"
    sentence = "This cannot be undone. Confirm it by sending `word` as `confirm`."

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def fields(self) -> dict[str, int | str]:
        """Return the word to send as ``confirm``."""
        return {"word": self.word}


class ContestExistsError(CoreError):
    """The guardian has contested this right already."""

    code = "contest_exists"
    sentence = "You have already contested this right."


class ExportRunningError(RetryLaterError):
    """An export of this guardian is running already."""

    code = "export_running"
    sentence = "Your export is in progress. Wait until it is complete before you request another one."

    def __init__(self) -> None:
        super().__init__(30)


class ExportNotReadyError(CoreError):
    """The export is not ready, or has expired."""

    code = "export_not_ready"
    sentence = "The export cannot be downloaded: it is in progress, has failed, or has expired."

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state

    def fields(self) -> dict[str, int | str]:
        """Return the state it is in."""
        return {"state": self.state}


class LastMessengerError(CoreError):
    """No other guardian of the family may message."""

    code = "last_messenger"
    sentence = "No other guardian of this family may message. This right cannot be removed."


class ContestDecisionStandsError(CoreError):
    """Another decision about the contest is under way."""

    code = "contest_decision_stands"
    sentence = "A decision about this contest is already in progress."


class ContestDecisionEndedError(CoreError):
    """No decision about the contest waits for this step."""

    code = "contest_decision_ended"
    sentence = "No decision about this contest is waiting for this step. Request one first."
