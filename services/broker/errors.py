"""Errors of the broker process, each with a stable code and its fields."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class BrokerError(Exception):
    """Base of every error that keeps Mosquitto from serving; ``code`` is stable."""

    code: ClassVar[str] = "broker"


class MosquittoMissingError(BrokerError):
    """Mosquitto is not installed and could not be downloaded."""

    code: ClassVar[str] = "mosquitto_missing"

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(f"{reason}. {mend}")
        self.reason = reason
        self.mend = mend


class MosquittoNotServingError(BrokerError):
    """Mosquitto did not start, or ended before it answered; ``log_lines`` is the end of its log."""

    code: ClassVar[str] = "mosquitto_not_serving"

    def __init__(self, reason: str, log_lines: list[str]) -> None:
        super().__init__("; ".join([reason, *log_lines]))
        self.reason = reason
        self.log_lines = log_lines


class FolderInUseError(BrokerError):
    """Another broker process, or a Mosquitto that is still ending, holds the folder."""

    code: ClassVar[str] = "folder_in_use"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is held by another broker process of this machine")
        self.folder = folder


class AccessFileBrokenError(BrokerError):
    """The access file differs from the packaged one and could not be restored."""

    code: ClassVar[str] = "access_file_broken"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class PasswordFileBrokenError(BrokerError):
    """The password file could not be written, or its content is not the expected one: Mosquitto must not read it."""

    code: ClassVar[str] = "password_file_broken"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class UsersNotInForceError(BrokerError):
    """Mosquitto was signalled to read a new password file and refuses the probe that only this file holds."""

    code: ClassVar[str] = "users_not_in_force"


class DescriptorsExhaustedError(BrokerError):
    """Descriptors or memory ran out while a file was compared: nothing is known to be wrong, try again."""

    code: ClassVar[str] = "descriptors_exhausted"
