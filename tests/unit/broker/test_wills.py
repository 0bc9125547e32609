"""Which log-ins are read, what a CONNECT says, and which wills nobody will hear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.broker.connect_packet import Connect, NotConnectError, Will, read_connect
from services.broker.probe import connect_packet
from services.broker.wills import SUSPECTED_MAX, UNKNOWN_MAX, ReadingRules, is_refused
from services.device_sim.watch import mqtt_packets

USER = "w-aaaaaaaaaaaa"
UP = f"sw/v1/{USER}/up/status"
_MQTT_5_REST = bytes.fromhex(
    "0004 4d515454 05 ee 003c 05 1100000078 0001 61 05 1800000005 0003 612f62 0002 6869 0001 75 0003 707764"
)
MQTT_5 = b"\x10" + bytes([len(_MQTT_5_REST)]) + _MQTT_5_REST


def test_a_connect_of_each_version_is_read() -> None:
    assert read_connect(connect_packet("c", USER, "secret")) == Connect(USER, "secret", None)
    packet = mqtt_packets.connect_packet("c", USER, "secret", 240, mqtt_packets.Will(UP, b"{}"))
    assert read_connect(packet) == Connect(USER, "secret", Will(UP, 1, retain=False))
    assert read_connect(MQTT_5) == Connect("u", "pwd", Will("a/b", 1, retain=True))


def test_a_connect_is_incomplete_until_its_last_byte() -> None:
    for end in range(len(MQTT_5)):
        assert read_connect(MQTT_5[:end]) is None
    assert read_connect(MQTT_5 + b"next packet") is not None


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_read_refused_or_incomplete(data: bytes) -> None:
    for packet in (data, b"\x10" + data, b"\x10" + bytes([len(data)]) + data):
        try:
            read_connect(packet)
        except NotConnectError:
            continue


@pytest.mark.parametrize(
    ("will", "refused"),
    [
        (None, False),
        (Will(UP, 1, retain=False), False),
        (Will(UP, 2, retain=False), True),
        (Will(UP, 0, retain=True), True),
        (Will("sw/v1/w-bbbbbbbbbbbb/up/status", 1, retain=False), True),
        (Will(f"sw/v1/{USER}/down/item", 1, retain=False), True),
    ],
)
def test_a_will_is_heard_only_below_its_senders_own_topics(will: Will | None, *, refused: bool) -> None:
    assert is_refused(Connect(USER, "", will)) is refused


class Seconds:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_connections_of_an_address_behind_which_a_will_was_refused_are_read_for_ten_minutes_five_a_second() -> None:
    clock = Seconds()
    rules = ReadingRules(clock)
    assert rules.chooses("here", 0, 0) is None
    rules.suspect(["here"])
    assert rules.chooses("there", 0, 0) is None
    assert rules.chooses("here", 0, 0) == "suspected"
    assert rules.chooses("here", 0, 0) is None
    clock.now_s += 0.2
    assert rules.chooses("here", SUSPECTED_MAX, 0) is None
    assert rules.chooses("here", SUSPECTED_MAX - 1, UNKNOWN_MAX) == "suspected"
    clock.now_s += 600
    assert rules.chooses("here", 0, 0) is None


def test_others_are_read_while_the_will_of_a_watch_that_logged_in_is_not_known() -> None:
    clock = Seconds()
    rules = ReadingRules(clock)
    assert rules.chooses("anywhere", 0, 0) is None, "nobody has logged in"
    rules.note_login(USER)
    rules.note_login("w-bbbbbbbbbbbb")
    assert rules.chooses("anywhere", SUSPECTED_MAX, UNKNOWN_MAX - 1) == "unknown"
    assert rules.chooses("elsewhere", 0, 0) is None, "five a second"
    clock.now_s += 0.2
    assert rules.chooses("elsewhere", 0, UNKNOWN_MAX) is None
    rules.know(USER)
    rules.note_login(USER)
    assert rules.chooses("elsewhere", 0, 0) == "unknown", "the other one is left"
    clock.now_s += 0.2
    rules.know("w-bbbbbbbbbbbb")
    assert rules.chooses("elsewhere", 0, 0) is None


def test_the_will_of_a_watch_is_read_again_after_a_day() -> None:
    clock = Seconds()
    rules = ReadingRules(clock)
    rules.know(USER)
    clock.now_s += 86_399
    rules.note_login(USER)
    assert rules.chooses("anywhere", 0, 0) is None
    clock.now_s += 1
    rules.note_login(USER)
    assert rules.chooses("anywhere", 0, 0) == "unknown"
