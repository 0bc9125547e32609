"""Why files of published cells are not joined."""

from __future__ import annotations


class JoinRefusedError(Exception):
    """The files cannot be joined; ``code`` is stable, the message names the file and never a number in it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
