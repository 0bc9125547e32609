"""Errors of a message in one hierarchy, so that one `except` guards a reader. None of them holds content."""

from services.protocol import limits
from services.protocol.words import Detail


class ProtocolError(Exception):
    """A message that is rejected. `detail` is a word of the closed list; `ref` is the id found in it, or None.

    `field` is the path of the field at fault (never its value), for people who debug firmware.
    """

    def __init__(self, detail: Detail, *, ref: str | None = None, field: str | None = None) -> None:
        super().__init__(detail.value if field is None else f"{detail.value}: {field}")
        self.detail = detail
        self.ref = ref
        self.field = field


class PayloadMalformedError(ProtocolError):
    """Not JSON, not an object, or nested too deep."""

    def __init__(self, *, ref: str | None = None, field: str | None = None) -> None:
        super().__init__(Detail.MALFORMED, ref=ref, field=field)


class PayloadTooLargeError(ProtocolError):
    """More bytes than the limit of its kind (JSON 64 KiB, chunk 16 KiB)."""

    def __init__(self, *, ref: str | None = None, max_bytes: int) -> None:
        super().__init__(Detail.TOO_LARGE, ref=ref)
        self.max_bytes = max_bytes


class FieldRefusedError(ProtocolError):
    """A field is missing, of the wrong type, or outside its limits."""


class VersionRefusedError(ProtocolError):
    """The protocol version of a hello is outside `min`..`max`."""

    def __init__(self) -> None:
        super().__init__(Detail.PROTOCOL, ref="hello", field="protocol")
        self.min = limits.PROTOCOL_MIN
        self.max = limits.PROTOCOL_MAX
