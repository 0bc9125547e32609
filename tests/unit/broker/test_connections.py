"""Connections and kept sessions, from the lines of Mosquitto's log."""

from __future__ import annotations

from services.broker.connections import Connections
from services.broker.log_lines import ClientConnected, ClientGone

ANA, BEN = "w-aaaaaaaaaaaa", "w-bbbbbbbbbbbb"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def came(name: str, *, keeps_session: bool = False, username: str = "") -> ClientConnected:
    return ClientConnected("127.0.0.2", 40_000, name, username or name, keeps_session=keeps_session)


def test_a_watch_counts_as_connected_until_so_long_after_its_connection_ended() -> None:
    clock = Clock()
    connections = Connections(clock)
    connections.record(came(ANA))
    connections.record(came(BEN))
    clock.now_s = 100
    connections.record(ClientGone(ANA))
    clock.now_s = 105
    assert connections.connected_within(0) == {BEN}
    connections.record(ClientGone(BEN))
    assert connections.connected_within(5) == {BEN}
    assert connections.connected_within(10) == {ANA, BEN}


def test_a_watch_that_is_back_is_connected_whatever_was_said_of_its_earlier_connection() -> None:
    connections = Connections(Clock())
    connections.record(came(ANA))
    connections.record(ClientGone(ANA))
    connections.record(came(ANA))
    assert connections.connected_within(0) == {ANA}


def test_only_watches_are_followed() -> None:
    connections = Connections(Clock())
    connections.record(came("sw-uplink", keeps_session=True, username="sw-backend"))
    connections.record(came("sw-probe"))
    assert connections.connected_within(0) == set()
    assert connections.sessions_left_for(0) == []


def test_a_kept_session_counts_from_the_moment_its_watch_left() -> None:
    clock = Clock()
    connections = Connections(clock)
    connections.record(came(ANA, keeps_session=True))
    clock.now_s = 1000
    assert connections.sessions_left_for(0) == []
    connections.record(ClientGone(ANA))
    clock.now_s = 1500
    assert connections.sessions_left_for(501) == []
    assert connections.sessions_left_for(500) == [ANA]
    # Back with a clean session: the broker has dropped the old one.
    connections.record(came(ANA))
    connections.record(ClientGone(ANA))
    assert connections.sessions_left_for(0) == []


def test_a_session_that_the_backend_took_over_is_gone() -> None:
    connections = Connections(Clock())
    connections.record(came(ANA, keeps_session=True))
    connections.record(came(ANA, username="sw-backend"))
    connections.record(ClientGone(ANA))
    assert connections.sessions_left_for(0) == []
    assert connections.connected_within(0) == set()


def test_after_an_end_of_mosquitto_nobody_is_connected_and_sessions_stay() -> None:
    clock = Clock()
    connections = Connections(clock)
    connections.begin([BEN, "sw-uplink"])
    connections.record(came(ANA, keeps_session=True))
    clock.now_s = 50
    connections.end()
    assert connections.connected_within(0) == set()
    assert connections.sessions_left_for(50) == [BEN]
    assert sorted(connections.sessions_left_for(0)) == [ANA, BEN]


def test_it_is_settled_some_time_after_mosquitto_began_to_serve_or_ended_whatever_fails_to_start_in_between() -> None:
    clock = Clock()
    connections = Connections(clock)
    connections.begin([])
    clock.now_s = 100
    assert not connections.is_settled(30)
    connections.serve()
    assert not connections.is_settled(30)
    clock.now_s = 130
    assert connections.is_settled(30)
    connections.end()
    assert not connections.is_settled(30)
    for _ in range(3):
        connections.begin([])
        clock.now_s += 10
        connections.end()
    assert connections.is_settled(30)
