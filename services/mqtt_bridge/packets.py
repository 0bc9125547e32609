"""The packets of MQTT 5 that bridge and broker exchange, as bytes. Numbers in comments are sections of the standard.

Pure: no socket, no clock. Readers raise MalformedPacketError and nothing else. Only what the bridge uses is here: QoS 1
and no topic aliases, of which the broker may use none unless CONNECT allows them (3.1.2.11.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CONNACK: Final = 2
PUBLISH: Final = 3
PUBACK: Final = 4
SUBACK: Final = 9
PINGRESP: Final = 13
SERVER_DISCONNECT: Final = 14

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
# Reason codes from here on are failures (2.4).
FAILURE: Final = 0x80
# Packet numbers are 1 to this (2.2.1).
NUMBER_MAX: Final = 0xFFFF

_LENGTH_BYTES_MAX: Final = 4
_SESSION_EXPIRY: Final = 0x11
_SERVER_KEEPALIVE: Final = 0x13
_RECEIVE_MAXIMUM: Final = 0x21
# 2.2.2.2: how many bytes the value of each property has; those that CONNACK may hold (3.2.2.3).
_FIXED_SIZES: Final = {
    0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_STRINGS: Final = {0x12: 1, 0x15: 1, 0x16: 1, 0x1A: 1, 0x1C: 1, 0x1F: 1, 0x26: 2}


class MalformedPacketError(Exception):
    """Bytes that are no packet, or one that the bridge cannot have been sent."""


@dataclass(frozen=True, slots=True)
class Connack:
    """The answer to CONNECT; ``receive_maximum`` is how many of our messages may be unacknowledged.

    ``keepalive_s`` None: the one that we asked for.
    """

    reason: int
    receive_maximum: int
    keepalive_s: int | None = None


# ---------------------------------------------------------------- writing


def connect_packet(
    client_id: str, username: str, password: str, *, clean_start: bool, keepalive_s: int, session_expiry_s: int,
    receive_maximum: int,
) -> bytes:  # fmt: skip
    """Return CONNECT (3.1)."""
    flags = 0xC0 | (0x02 if clean_start else 0)
    properties = (
        bytes([_SESSION_EXPIRY]) + session_expiry_s.to_bytes(4, "big")
        + bytes([_RECEIVE_MAXIMUM]) + receive_maximum.to_bytes(2, "big")
    )  # fmt: skip
    return _packet(
        0x10,
        _text("MQTT") + bytes([5, flags]) + keepalive_s.to_bytes(2, "big") + _length(len(properties)) + properties
        + _text(client_id) + _text(username) + _text(password),
    )  # fmt: skip


def subscribe_packet(topic_filter: str, number: int) -> bytes:
    """Return SUBSCRIBE with QoS 1 (3.8)."""
    return _packet(0x82, number.to_bytes(2, "big") + b"\x00" + _text(topic_filter) + b"\x01")


def publish_packet(topic: str, payload: bytes, number: int) -> bytes:
    """Return PUBLISH with QoS 1 (3.3)."""
    return _packet(0x32, _text(topic) + number.to_bytes(2, "big") + b"\x00" + payload)


def puback_packet(number: int) -> bytes:
    """Return PUBACK with the reason "success" (3.4)."""
    return b"\x40\x02" + number.to_bytes(2, "big")


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + _length(len(body)) + body


def _length(size: int) -> bytes:
    """Return a variable byte integer (1.5.5)."""
    out = bytearray()
    while size > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


# ---------------------------------------------------------------- reading


class PacketSplitter:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def packets(self, received: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the first byte and the body of every packet that is whole by now; the rest waits for more."""
        data = self._rest + received if self._rest else received
        self._rest = b""
        start, size = 0, len(data)
        while start < size:
            try:
                length, body_start = _read_length(data, start + 1)
            except IndexError:
                break
            end = body_start + length
            if end > size:
                break
            yield data[start], data[body_start:end]
            start = end
        self._rest = data[start:]


def _read_length(data: bytes, start: int) -> tuple[int, int]:
    """Return a variable byte integer and the place behind it; raises IndexError where it is cut off."""
    first = data[start]
    if first < 0x80:  # noqa: PLR2004 - one byte, as most are
        return first, start + 1
    length = 0
    for place in range(_LENGTH_BYTES_MAX):
        digit = data[start + place]
        length |= (digit & 0x7F) << 7 * place
        if digit < 0x80:  # noqa: PLR2004
            return length, start + place + 1
    raise MalformedPacketError


def read_publish(head: int, body: bytes) -> tuple[str, bytes, int, bool]:
    """Return topic, payload, packet number (0 with QoS 0) and whether the message was retained."""
    qos = head >> 1 & 3
    try:
        topic_end = 2 + (body[0] << 8 | body[1])
        topic = body[2:topic_end].decode()
        number = 0
        if qos:
            number = body[topic_end] << 8 | body[topic_end + 1]
            topic_end += 2
        properties, start = _read_length(body, topic_end)
    except (IndexError, UnicodeDecodeError):
        raise MalformedPacketError from None
    start += properties
    # QoS 2 was never subscribed to; without aliases a topic is never empty.
    if qos > 1 or (qos and not number) or not topic or start > len(body):
        raise MalformedPacketError
    return topic, body[start:], number, bool(head & 1)


def read_puback(body: bytes) -> tuple[int, int]:
    """Return packet number and reason of a PUBACK (3.4); "success" may be left out."""
    try:
        return body[0] << 8 | body[1], body[2] if len(body) > 2 else 0  # noqa: PLR2004
    except IndexError:
        raise MalformedPacketError from None


def read_suback(body: bytes) -> tuple[int, int]:
    """Return packet number and reason of a SUBACK to one filter (3.9)."""
    try:
        length, start = _read_length(body, 2)
        return body[0] << 8 | body[1], body[start + length]
    except IndexError:
        raise MalformedPacketError from None


def read_disconnect(body: bytes) -> int:
    """Return the reason of a DISCONNECT of the broker (3.14)."""
    return body[0] if body else 0


def read_connack(body: bytes) -> Connack:
    """Return the reason and the limits of a CONNACK (3.2)."""
    try:
        reason = body[1]
        length, start = _read_length(body, 2)
        if start + length != len(body):
            raise MalformedPacketError
        limits: dict[int, int] = {}
        while start < len(body):
            name, start = body[start], start + 1
            if name in _FIXED_SIZES:
                value, start = body[start : start + _FIXED_SIZES[name]], start + _FIXED_SIZES[name]
                limits[name] = int.from_bytes(value, "big")
            elif name in _STRINGS:
                for _ in range(_STRINGS[name]):
                    start += 2 + (body[start] << 8 | body[start + 1])
            else:
                raise MalformedPacketError
    except IndexError:
        raise MalformedPacketError from None
    receive_maximum = limits.get(_RECEIVE_MAXIMUM, NUMBER_MAX)
    if start > len(body) or not receive_maximum:
        raise MalformedPacketError
    return Connack(reason, receive_maximum, limits.get(_SERVER_KEEPALIVE))
