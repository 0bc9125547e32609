"""What can be wrong with a frame. One hierarchy, so that one `except` guards a reader; no content in any of them."""

from services.protocol import limits
from services.protocol.words import Detail


class ProtocolError(Exception):
    """A frame that cannot be taken. `detail` is a word of the closed list; `ref` the id found in it, or None.

    `field` is the path of the field at fault (never its value), for people who debug firmware.
    """

    def __init__(self, detail: Detail, *, ref: str | None = None, field: str | None = None) -> None:
        super().__init__(detail.value if field is None else f"{detail.value}: {field}")
        self.detail = detail
        self.ref = ref
        self.field = field


class PayloadMalformedError(ProtocolError):
    """Not UTF-8, not JSON, not an object, NaN or Infinity, or nested too deep."""

    def __init__(self, *, ref: str | None = None, field: str | None = None) -> None:
        super().__init__(Detail.MALFORMED, ref=ref, field=field)


class PayloadTooLargeError(ProtocolError):
    """More bytes than the limit of its kind (JSON 64 KiB, chunk 16 KiB)."""

    def __init__(self, *, ref: str | None = None, max_bytes: int) -> None:
        super().__init__(Detail.TOO_LARGE, ref=ref)
        self.max_bytes = max_bytes


class FieldRefusedError(ProtocolError):
    """Good JSON, but a field is missing, of the wrong type, or outside its limits."""


class VersionRefusedError(ProtocolError):
    """A hello that speaks a version outside `min`..`max`."""

    def __init__(self) -> None:
        super().__init__(Detail.PROTOCOL, ref="hello", field="protocol")
        self.min = limits.PROTOCOL_MIN
        self.max = limits.PROTOCOL_MAX
