"""Errors of push endpoints."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class PushAddressRefusedError(CoreError):
    """The address is invalid, or not one that notes may be sent to."""

    code = "push_address_refused"
    sentence = "The push address must use https and a public host, without a user name or fragment."


class PushKeysInvalidError(CoreError):
    """The keys of a web push subscription cannot be used."""

    code = "push_keys_invalid"
    sentence = "`p256dh` must be a point on P-256 and `auth` 16 bytes, both encoded as the browser returns them."


class PushEndpointsFullError(CoreError):
    """The guardian has the maximum number of endpoints."""

    code = "push_endpoints_full"
    sentence = "You have the maximum number of push endpoints. Remove one first."

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the maximum."""
        return {"most": self.most}
