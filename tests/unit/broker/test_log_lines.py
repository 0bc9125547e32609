"""Mosquitto's lines about connections, as 2.0.11 wrote them."""

from __future__ import annotations

import pytest

from services.broker.log_lines import ClientConnected, ClientGone, is_refused_will, read_line

ANA = "w-aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            f"New client connected from 127.0.0.2:44504 as {ANA} (p2, c0, k60, u'{ANA}').",
            ClientConnected("127.0.0.2", 44504, ANA, ANA, keeps_session=True),
        ),
        (
            f"New client connected from 127.0.0.1:50408 as {ANA} (p2, c1, k60, u'sw-backend').",
            ClientConnected("127.0.0.1", 50408, ANA, "sw-backend", keeps_session=False),
        ),
        (f"Client {ANA} disconnected.", ClientGone(ANA, reason="disconnect")),
        (f"Client {ANA} closed its connection.", ClientGone(ANA, reason="closed")),
        (f"Client {ANA} has exceeded timeout, disconnecting.", ClientGone(ANA, reason="timeout")),
        (
            f"Client {ANA} disconnected due to oversize packet.",
            ClientGone(ANA, sent_forbidden=True, reason="forbidden_packet"),
        ),
        (f"Client {ANA} disconnected, not authorised.", ClientGone(ANA, reason="not_authorised")),
        (
            f"Bad socket read/write on client {ANA}: Unknown error.",
            ClientGone(ANA, sent_forbidden=True, reason="forbidden_packet"),
        ),
        (f"Socket error on client {ANA}, disconnecting.", ClientGone(ANA)),
        (
            f"Bad socket read/write on client {ANA}: Requested QoS not supported on server.",
            ClientGone(ANA, sent_forbidden=True, reason="forbidden_packet"),
        ),
        (f"Client {ANA} already connected, closing old connection.", None),
        ("Client <unknown> disconnected, not authorised.", None),
        ("New connection from 127.0.0.1:52906 on port 31883.", None),
        ("mosquitto version 2.0.11 running", None),
        ("Client <unknown> disconnected due to QoS too high or retain not supported.", None),
        ("", None),
    ],
)
def test_a_line_says_who_came_and_who_is_gone(line: str, event: object) -> None:
    assert read_line(line) == event


def test_a_refused_will_is_known_although_it_names_nobody() -> None:
    assert is_refused_will("Client <unknown> disconnected due to QoS too high or retain not supported.")
    assert not is_refused_will("Client <unknown> disconnected, not authorised.")
