"""Errors of backup and restore, each with a stable code and a sentence for the operator."""

from __future__ import annotations


class BackupError(Exception):
    """A backup or a restore was refused or failed; what existed before is unchanged."""

    def __init__(self, code: str, sentence: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.lines = lines


class LogGapError(BackupError):
    """The server no longer has what would come next in the log: a new line begins, with a full backup."""

    def __init__(self) -> None:
        super().__init__("backup_log_gap", "The server has discarded a part of its log that was not received.")
