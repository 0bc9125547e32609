"""Reads MQTT's CONNECT for what it says of its sender; no MQTT library is needed for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_CONNECT: Final = 0x10
_MQTT_5: Final = 5
_LENGTH_DIGITS_MAX: Final = 4
_HAS_USERNAME, _HAS_PASSWORD, _WILL_RETAIN, _HAS_WILL = 0x80, 0x40, 0x20, 0x04


class NotConnectError(ValueError):
    """These bytes are no CONNECT, or a malformed one."""


@dataclass(frozen=True)
class Will:
    """The will: what the broker publishes when the connection breaks."""

    topic: str
    qos: int
    retain: bool


@dataclass(frozen=True)
class Connect:
    """User name and will of a CONNECT packet."""

    username: str
    password: str
    will: Will | None


def read_connect(data: bytes) -> Connect | None:
    """Return the CONNECT (MQTT 3.1, 3.1.1 or 5) at the beginning of ``data``, None while it is incomplete.

    Raises NotConnectError for anything else.
    """
    if data and data[0] != _CONNECT:
        raise NotConnectError
    header = _Fields(data[1:])
    try:
        length = header.length()
    except IndexError:
        if len(data) > _LENGTH_DIGITS_MAX:
            raise NotConnectError from None
        return None
    body = header.rest()
    if len(body) < length:
        return None
    try:
        return _read_body(_Fields(body[:length]))
    except (IndexError, UnicodeDecodeError) as error:
        raise NotConnectError from error


def _read_body(fields: _Fields) -> Connect:
    fields.binary()  # the name of the protocol
    version, flags = fields.byte(), fields.byte()
    fields.take(2)  # keepalive
    if version == _MQTT_5:
        fields.take(fields.length())
    fields.binary()  # the client id, which Mosquitto replaces by the user name
    will = None
    if flags & _HAS_WILL:
        if version == _MQTT_5:
            fields.take(fields.length())
        will = Will(fields.binary().decode(), (flags >> 3) & 3, bool(flags & _WILL_RETAIN))
        fields.binary()  # what it would say
    username = fields.binary().decode() if flags & _HAS_USERNAME else ""
    password = fields.binary().decode() if flags & _HAS_PASSWORD else ""
    return Connect(username, password, will)


class _Fields:
    """Reads fields from the beginning of a packet; IndexError when it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise IndexError
        taken, self._at = self._data[self._at : end], end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def binary(self) -> bytes:
        return self.take(int.from_bytes(self.take(2), "big"))

    def length(self) -> int:
        """Decode the length of what follows (OASIS 2.2.3): seven bits a byte, the lowest first."""
        length = 0
        for place in range(_LENGTH_DIGITS_MAX):
            digit = self.byte()
            length |= (digit & 0x7F) << (7 * place)
            if not digit & 0x80:
                return length
        raise IndexError

    def rest(self) -> bytes:
        return self._data[self._at :]
