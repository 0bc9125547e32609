"""What can go wrong with the broker, each with a code and the fields that name it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class BrokerError(Exception):
    """Anything that keeps Mosquitto from serving as it should; ``code`` is stable."""

    code: ClassVar[str] = "broker"


class MosquittoMissingError(BrokerError):
    """There is no Mosquitto on this machine and it could not be brought here."""

    code: ClassVar[str] = "mosquitto_missing"

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(f"{reason}. {mend}")
        self.reason = reason
        self.mend = mend


class MosquittoNotServingError(BrokerError):
    """Mosquitto did not start, or ended, before it answered; ``said`` is the end of its own log."""

    code: ClassVar[str] = "mosquitto_not_serving"

    def __init__(self, reason: str, said: list[str]) -> None:
        super().__init__("; ".join([reason, *said]))
        self.reason = reason
        self.said = said


class FolderInUseError(BrokerError):
    """Another broker process, or a Mosquitto that is still ending, holds the folder."""

    code: ClassVar[str] = "folder_in_use"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is held by another broker process of this machine")
        self.folder = folder


class AccessFileBrokenError(BrokerError):
    """The file that confines every watch is not the one this version ships, and could not be restored."""

    code: ClassVar[str] = "access_file_broken"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class PasswordFileBrokenError(BrokerError):
    """A password file is not one that Mosquitto may be told to read."""

    code: ClassVar[str] = "password_file_broken"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class UsersNotInForceError(BrokerError):
    """Mosquitto was told to read a new password file and does not let its probe in."""

    code: ClassVar[str] = "users_not_in_force"


class DescriptorsExhaustedError(BrokerError):
    """Descriptors or memory ran out while a file was compared: nothing is known to be wrong, try again."""

    code: ClassVar[str] = "descriptors_exhausted"
