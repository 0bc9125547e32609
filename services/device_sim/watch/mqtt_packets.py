"""Packets of MQTT 3.1.1 (OASIS standard, section 3), as far as a watch needs them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

_LENGTH_MAX = 268_435_455  # section 2.2.3


class PacketType(IntEnum):
    """The upper half of a packet's first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True)
class Will:
    """The message that the broker publishes (QoS 1, not retained) when the connection ends without DISCONNECT."""

    topic: str
    payload: bytes


@dataclass(frozen=True)
class Published:
    """One message from the broker. `packet_id` is None for QoS 0, which needs no PUBACK."""

    topic: str
    payload: bytes
    packet_id: int | None
    retained: bool


class PacketBrokenError(Exception):
    """The broker sent bytes that are not MQTT 3.1.1."""


def _text(value: str) -> bytes:
    return _binary(value.encode())


def _binary(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _packet(kind: PacketType, body: bytes, flags: int = 0) -> bytes:
    if len(body) > _LENGTH_MAX:
        raise ValueError("larger than any MQTT packet")
    length = bytearray()
    rest = len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([kind << 4 | flags]) + bytes(length) + body


def connect_packet(
    client_id: str, username: str, password: str, keepalive_s: int, will: Will | None, *, clean_session: bool = True
) -> bytes:
    """Return CONNECT with user name and password (3.1). `clean_session` False is for tests of bad input."""
    flags = 0b1100_0010 if clean_session else 0b1100_0000
    body = b""
    if will is not None:
        flags |= 0b0000_1100  # a will, QoS 1, not retained
        body = _text(will.topic) + _binary(will.payload)
    header = _text("MQTT") + bytes([4, flags]) + keepalive_s.to_bytes(2, "big")
    return _packet(PacketType.CONNECT, header + _text(client_id) + body + _text(username) + _text(password))


def publish_packet(topic: str, payload: bytes, packet_id: int, *, again: bool = False, retain: bool = False) -> bytes:
    """Return PUBLISH with QoS 1 (3.3); with packet id 0, which QoS 1 cannot have, with QoS 0."""
    flags = (1 if retain else 0) | (0 if packet_id == 0 else 0b0010 | (0b1000 if again else 0))
    if packet_id == 0:
        return _packet(PacketType.PUBLISH, _text(topic) + payload, flags)
    return _packet(PacketType.PUBLISH, _text(topic) + packet_id.to_bytes(2, "big") + payload, flags)


def subscribe_packet(topic_filter: str, packet_id: int, qos: int = 1) -> bytes:
    """Return SUBSCRIBE to one filter (3.8)."""
    return _packet(PacketType.SUBSCRIBE, packet_id.to_bytes(2, "big") + _text(topic_filter) + bytes([qos]), 0b0010)


def puback_packet(packet_id: int) -> bytes:
    """Return PUBACK (3.4)."""
    return _packet(PacketType.PUBACK, packet_id.to_bytes(2, "big"))


PINGREQ = _packet(PacketType.PINGREQ, b"")
DISCONNECT = _packet(PacketType.DISCONNECT, b"")


def read_publish(flags: int, body: bytes) -> Published:
    """Return the message of a PUBLISH of the broker; raises PacketBrokenError."""
    length = int.from_bytes(body[:2], "big")
    rest = body[2 + length :]
    qos = flags >> 1 & 0b11
    # The watch subscribes with QoS 1, so QoS 2 is a protocol error.
    if len(body) < 2 + length or qos > 1 or (qos and len(rest) < 2):  # noqa: PLR2004 - both are the two bytes of a length
        raise PacketBrokenError("PUBLISH")
    try:
        topic = body[2 : 2 + length].decode()
    except UnicodeDecodeError:
        raise PacketBrokenError("PUBLISH") from None
    packet_id = int.from_bytes(rest[:2], "big") if qos else None
    return Published(topic, rest[2:] if qos else rest, packet_id, bool(flags & 1))


def read_packet_id(body: bytes) -> int:
    """Return the packet id at the start of PUBACK and SUBACK; raises PacketBrokenError without one."""
    if len(body) < 2:  # noqa: PLR2004 - two bytes
        raise PacketBrokenError("packet id")
    return int.from_bytes(body[:2], "big")
