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
    sentence = "This cannot be undone. Send the word that confirms it."

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def fields(self) -> dict[str, int | str]:
        """Return the word to send as ``confirm``."""
        return {"word": self.word}


class ContestExistsError(CoreError):
    """The guardian has contested this right already."""

    code = "contest_exists"
    sentence = "You contest this right already."


class ExportRunningError(RetryLaterError):
    """An export of this guardian is running already."""

    code = "export_running"
    sentence = "Your export is being made. Wait until it is done before you ask for another."

    def __init__(self) -> None:
        super().__init__(30)


class ExportNotReadyError(CoreError):
    """The export is not ready, or has expired."""

    code = "export_not_ready"
    sentence = "This export cannot be fetched: it is still being made, has failed, or its day is over."

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state

    def fields(self) -> dict[str, int | str]:
        """Return the state it is in."""
        return {"state": self.state}


class LastMessengerError(CoreError):
    """No other guardian of the family may message."""

    code = "last_messenger"
    sentence = "No other guardian of this family may message: this right cannot be removed."


class ContestDecisionStandsError(CoreError):
    """Another decision about the contest is under way."""

    code = "contest_decision_stands"
    sentence = "A decision about this contest is under way already."


class ContestDecisionEndedError(CoreError):
    """No decision about the contest waits for this step."""

    code = "contest_decision_ended"
    sentence = "No decision about this contest waits for this. Request one."
