"""Errors of the system's keys; none is a caller's fault."""

from __future__ import annotations

from services.core.platform.errors import RetryLaterError

# An operator has to bring the key back: sooner than in a minute it is not there.
_RETRY_AFTER_S = 60


class MasterKeyMissingError(RetryLaterError):
    """A value is sealed under a master key that this process does not have; the value is unchanged."""

    code = "master_key_missing"
    sentence = "The data cannot be decrypted at the moment: a key of the system is missing."

    def __init__(self, key_id: str) -> None:
        super().__init__(_RETRY_AFTER_S)
        self.key_id = key_id

    def fields(self) -> dict[str, int | str]:
        """Return the wait in seconds, and the id of the key for the operator."""
        return {**super().fields(), "key_id": self.key_id}
