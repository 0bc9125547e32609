"""The root of all typed errors of the core.

A concrete error has a stable ``code`` (what clients translate), a ``sentence`` in plain English, and typed fields. What
HTTP status or receipt it becomes is the faces' business.
"""

from __future__ import annotations

from typing import ClassVar


class CoreError(Exception):
    """Something a caller did that the product refuses, with a stable code."""

    code: ClassVar[str]
    sentence: ClassVar[str]

    def fields(self) -> dict[str, int | str]:
        """Return the typed fields that go along with the code, without anything personal."""
        return {}

    def __str__(self) -> str:
        return self.code


class RetryLaterError(CoreError):
    """A limit was reached; the same request may pass after ``retry_after_s`` seconds."""

    code = "too_many_requests"
    sentence = "Too many requests. Wait a moment and try again."

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s

    def fields(self) -> dict[str, int | str]:
        """Return the wait in seconds."""
        return {"retry_after_s": self.retry_after_s}
