"""MQTT 3.1.1 as bytes: the standard's own shapes, and bytes that are none."""

from __future__ import annotations

import pytest

from services.device_sim.watch import mqtt_packets as packets
from services.device_sim.watch.mqtt_packets import PacketBrokenError, Published, Will


def test_connect_is_clean_with_user_password_and_a_will_that_is_never_retained() -> None:
    packet = packets.connect_packet("w-a", "w-a", "pw", 240, Will("t", b"off"))
    assert packet[0] == 0x10
    assert packet[2:9] == b"\x00\x04MQTT\x04"
    assert packet[9] == 0b1100_1110  # user, password, will with QoS 1 and no retain, clean session
    assert int.from_bytes(packet[10:12], "big") == 240
    assert packet[12:] == b"\x00\x03w-a\x00\x01t\x00\x03off\x00\x03w-a\x00\x02pw"


def test_without_a_will_no_will_is_announced() -> None:
    assert packets.connect_packet("f-A", "f-A", "pw", 60, None)[9] == 0b1100_0010


@pytest.mark.parametrize(
    ("size", "length"), [(0, b"\x05"), (122, b"\x7f"), (123, b"\x80\x01"), (16_379, b"\x80\x80\x01")]
)
def test_lengths_take_as_many_bytes_as_they_need(size: int, length: bytes) -> None:
    packet = packets.publish_packet("t", b"x" * size, 1)
    assert packet[1 : 1 + len(length)] == length


def test_what_is_published_is_read_back() -> None:
    packet = packets.publish_packet("sw/v1/w-a/down/time", b"{}", 7)
    assert packets.read_publish(packet[0] & 0x0F, packet[2:]) == Published("sw/v1/w-a/down/time", b"{}", 7, False)
    assert packets.read_publish(0b0001, b"\x00\x01tx") == Published("t", b"x", None, True)


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        (0b0010, b""),
        (0b0010, b"\x00\x09short"),
        (0b0010, b"\x00\x01t"),
        (0b0100, b"\x00\x01t\x00\x01"),
        (0, b"\x00\x01\xff"),
    ],
)
def test_bytes_that_are_no_publish_are_refused(flags: int, body: bytes) -> None:
    with pytest.raises(PacketBrokenError):
        packets.read_publish(flags, body)


def test_an_acknowledgement_without_its_id_is_refused() -> None:
    with pytest.raises(PacketBrokenError):
        packets.read_packet_id(b"\x01")
