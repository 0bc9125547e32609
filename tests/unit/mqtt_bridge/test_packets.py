"""The packets between bridge and broker: vectors of the standard, any cut of the stream, and bytes that are none."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from services.mqtt_bridge import packets
from services.mqtt_bridge.packets import Connack, MalformedPacketError, PacketSplitter


def _properties(kind: int, **values: Any) -> bytes:
    properties = Properties(kind)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return bytes(properties.pack())  # type: ignore[no-untyped-call]


def test_connect_is_what_the_standard_says() -> None:
    written = packets.connect_packet(
        "sw-uplink", "backend", "secret", clean_start=False, keepalive_s=20, session_expiry_s=172_800,
        receive_maximum=8192,
    )  # fmt: skip
    # Head, protocol name and level 5, user name and password, keepalive; then the two properties (3.1.2.11).
    assert written == bytes.fromhex(
        "102f 0004 4d515454 05 c0 0014 08 11 0002a300 21 2000"
        "0009 73772d75706c696e6b 0007 6261636b656e64 0006 736563726574"
    )
    assert packets.connect_packet(
        "a", "b", "c", clean_start=True, keepalive_s=20, session_expiry_s=0, receive_maximum=1
    )[9] == 0xC2  # fmt: skip


def test_the_other_packets_are_what_the_standard_says() -> None:
    assert packets.publish_packet("a/b", b"xy", 258) == bytes.fromhex("320a 0003 612f62 0102 00 7879")
    assert packets.puback_packet(65535) == bytes.fromhex("4002 ffff")
    assert packets.subscribe_packet("a/#", 10) == bytes.fromhex("8209 000a 00 0003 612f23 01")
    assert packets.publish_packet("a/b", bytes(200), 1)[:3] == bytes.fromhex("32 d001")


def test_limits_of_the_broker_are_found_among_its_other_properties() -> None:
    properties = _properties(
        PacketTypes.CONNACK, AssignedClientIdentifier="x" * 70, ReceiveMaximum=20, MaximumPacketSize=70_000,
        UserProperty=[("name", "value")], TopicAliasMaximum=10, WildcardSubscriptionAvailable=1, ServerKeepAlive=9,
    )  # fmt: skip
    assert packets.read_connack(b"\x00\x00" + properties) == Connack(0, 20, 9)
    assert packets.read_connack(b"\x01\x00\x00") == Connack(0, packets.NUMBER_MAX)
    assert packets.read_connack(b"\x00\x87\x00").reason == 0x87


def test_a_publish_is_read_with_and_without_properties() -> None:
    properties = _properties(PacketTypes.PUBLISH, MessageExpiryInterval=5, UserProperty=[("a", "b")])
    body = b"\x00\x03a/b\x00\x07" + properties + b"xy"
    assert packets.read_publish(0x3B, body) == ("a/b", b"xy", 7, True)
    assert packets.read_publish(0x30, b"\x00\x03a/b\x00") == ("a/b", b"", 0, False)


def test_a_reason_may_be_left_out() -> None:
    assert packets.read_puback(b"\x00\x07") == (7, 0)
    assert packets.read_puback(b"\x00\x07\x87\x00") == (7, 0x87)
    assert packets.read_suback(b"\x00\x07\x00\x01") == (7, 1)
    assert packets.read_disconnect(b"") == 0
    assert packets.read_disconnect(b"\x8e\x00") == 0x8E


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (0x34, b"\x00\x03a/b\x00\x07\x00x"),  # QoS 2, which was not subscribed to
        (0x36, b"\x00\x03a/b\x00\x07\x00x"),  # QoS 3
        (0x32, b"\x00\x03a/b\x00\x00\x00x"),  # number 0
        (0x32, b"\x00\x00\x00\x07\x00x"),  # no topic: an alias
        (0x32, b"\x00\x09a/b"),  # a topic that goes beyond the packet
        (0x32, b"\x00\x03\xff\xfe\xfd\x00\x07\x00x"),  # a topic that is not UTF-8
        (0x32, b"\x00\x03a/b\x00\x07\x09x"),  # properties that go beyond the packet
        (0x32, b"\x00\x03a/b\x00\x07"),
    ],
)
def test_a_publish_that_is_none_is_malformed(head: int, body: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        packets.read_publish(head, body)


@pytest.mark.parametrize(
    "body", [bytes.fromhex(text) for text in ("", "00", "0000", "00000221", "000003210000", "0000017f")]
)
def test_a_connack_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        packets.read_connack(body)


def test_a_length_of_five_bytes_is_malformed() -> None:
    with pytest.raises(MalformedPacketError):
        list(PacketSplitter().packets(b"\x30\xff\xff\xff\xff\x01"))


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 400), max_size=20))
def test_packets_are_the_same_however_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(
        packets.publish_packet(f"t/{number}", payload, number + 1) for number, payload in enumerate(payloads)
    )
    splitter = PacketSplitter()
    received = []
    for cut in [*cuts, len(stream)]:
        received += [packets.read_publish(head, body) for head, body in splitter.packets(stream[:cut])]
        stream = stream[cut:]
    received += [packets.read_publish(head, body) for head, body in splitter.packets(stream)]
    assert received == [(f"t/{number}", payload, number + 1, False) for number, payload in enumerate(payloads)]


@given(st.binary(max_size=200))
def test_whatever_bytes_come_nothing_else_is_raised(data: bytes) -> None:
    with contextlib.suppress(MalformedPacketError):
        for head, body in PacketSplitter().packets(data):
            for read in (packets.read_connack, packets.read_puback, packets.read_suback, packets.read_disconnect):
                with contextlib.suppress(MalformedPacketError):
                    read(body)
            with contextlib.suppress(MalformedPacketError):
                packets.read_publish(head, body)
    with contextlib.suppress(MalformedPacketError):
        packets.read_connack(data)
