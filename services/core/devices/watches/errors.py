"""Errors of registration, hand-out, commands and settings."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class WatchUnknownError(CoreError):
    """No watch has this serial."""

    code = "watch_unknown"
    sentence = "No watch has this serial."


class WatchElsewhereError(CoreError):
    """The watch is handed out to another family, which has to return it first."""

    code = "watch_handed_out"
    sentence = "This watch is handed out to another family. Record its return first."

    def __init__(self, serial: str, family_code: str | None) -> None:
        super().__init__()
        self.serial = serial
        # None: not for whoever asked.
        self.family_code = family_code

    def fields(self) -> dict[str, int | str]:
        """Return the serial, and the code of the family that has it if the caller may see it."""
        details: dict[str, int | str] = {"serial": self.serial}
        if self.family_code is not None:
            details["family_code"] = self.family_code
        return details


class WatchStateError(CoreError):
    """The watch cannot change from its state to the requested one."""

    code = "watch_state"
    sentence = "The watch cannot change from its current state to the requested one."

    def __init__(self, serial: str, state: str, target: str) -> None:
        super().__init__()
        self.serial = serial
        self.state = state
        self.target = target

    def fields(self) -> dict[str, int | str]:
        """Return the serial, its state, and the requested one."""
        return {"serial": self.serial, "state": self.state, "asked": self.target}


class WatchOfOtherSiteError(CoreError):
    """The watch belongs to another site than the family."""

    code = "watch_of_other_site"
    sentence = "This watch belongs to another site than the family. Move the watch to the family's site first."


class NothingToUndoError(CoreError):
    """The caller has no recent hand-out that could be undone."""

    code = "nothing_to_undo"
    sentence = "You have no hand-out to undo: it is too old, already undone, or the watch has changed state since."


class PaperTimeWrongError(CoreError):
    """The time of a paper is in the future or too long ago."""

    code = "paper_time_wrong"
    sentence = "The time on the paper must be in the last seven days, and not in the future."


class WatchPairedError(CoreError):
    """The watch is paired: a guardian uses it already."""

    code = "watch_paired"
    sentence = "This watch is already paired with a child. Record its return instead."

    def __init__(self, serial: str) -> None:
        super().__init__()
        self.serial = serial

    def fields(self) -> dict[str, int | str]:
        """Return the serial."""
        return {"serial": self.serial}


class VendorFileOfOthersError(CoreError):
    """The output file for secrets exists and holds something else than this list's secrets."""

    code = "vendor_file_of_others"
    sentence = "This file already exists and does not contain all watches of this list. Choose a new file name."


class VendorFileFailedError(CoreError):
    """The file with the secrets could not be written; nothing was registered."""

    code = "vendor_file_failed"
    sentence = "The file with the secrets could not be written. No watch was registered."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def fields(self) -> dict[str, int | str]:
        """Return the system's reason."""
        return {"reason": self.reason}


class NoWatchError(CoreError):
    """No watch is paired with the child."""

    code = "no_watch"
    sentence = "No watch is paired with this child."


class CommandTooOftenError(RetryLaterError):
    """The watch was given the same command too often."""

    code = "command_too_often"
    sentence = "The watch received this command recently. Wait before you send it again."


class LocationOffError(CoreError):
    """Location is turned off on this child's watch: it takes no fix."""

    code = "location_off"
    sentence = "Location is turned off on this watch. A guardian with the right to manage can turn it on."


class QuietTimesError(CoreError):
    """The quiet times are inconsistent, or more than a watch can hold."""

    code = "quiet_times_invalid"
    sentence = "Each quiet time needs days from 1 (Monday) to 7 (Sunday), and an end that differs from its start."
