"""The bridge's backlog is bounded, in the order of each watch, and fair between watches."""

from __future__ import annotations

import asyncio

from services.mqtt_bridge.backlog import (
    ALL_HARD_MAX_BYTES,
    ALL_MAX_BYTES,
    USER_MAX_BYTES,
    USER_MAX_MESSAGES,
    Backlog,
)
from services.mqtt_bridge.connection import Incoming

FLOODER, OTHER = "w-aaaaaaaaaaaa", "w-bbbbbbbbbbbb"


def _message(user: str, payload: bytes = b"x", leaf: str = "text") -> Incoming:
    return Incoming(f"sw/v1/{user}/up/{leaf}", payload, 0, None)


async def test_users_take_turns_and_each_keeps_its_order() -> None:
    backlog = Backlog()
    for number in range(3):
        backlog.put(FLOODER, _message(FLOODER, b"f%d" % number))
    backlog.put(OTHER, _message(OTHER, b"o0"))
    order = []
    for _ in range(4):
        user, message = await backlog.next()
        order.append(message.payload)
        backlog.end_turn(user)
    assert order == [b"f0", b"o0", b"f1", b"f2"]


async def test_a_user_has_one_message_in_work_at_a_time() -> None:
    backlog = Backlog()
    backlog.put(FLOODER, _message(FLOODER, b"f0"))
    backlog.put(FLOODER, _message(FLOODER, b"f1"))
    await backlog.next()
    waiting = asyncio.create_task(backlog.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    backlog.end_turn(FLOODER)
    assert (await waiting)[1].payload == b"f1"


def test_one_watch_is_bounded_in_messages_and_in_bytes() -> None:
    backlog = Backlog()
    small = _message(FLOODER)
    while backlog.has_room(FLOODER, small):
        backlog.put(FLOODER, small)
    assert backlog.messages == USER_MAX_MESSAGES
    assert backlog.has_room(OTHER, _message(OTHER))
    large = _message(OTHER, b"x" * 80_000)
    while backlog.has_room(OTHER, large):
        backlog.put(OTHER, large)
    assert (backlog.messages - USER_MAX_MESSAGES) * 80_000 < USER_MAX_BYTES


def test_all_watches_together_are_bounded_and_a_watch_with_nothing_in_it_is_let_in_longer() -> None:
    backlog = Backlog()
    payload = b"x" * 80_000
    for number in range(10_000):
        user = f"w-{number:012d}"
        for _ in range(5):
            if backlog.has_room(user, _message(user, payload)):
                backlog.put(user, _message(user, payload))
    assert ALL_MAX_BYTES < backlog.size_bytes <= ALL_HARD_MAX_BYTES


async def test_what_is_settled_makes_room_and_what_is_removed_has_no_turn() -> None:
    backlog = Backlog()
    hello, text = _message(FLOODER, leaf="hello"), _message(FLOODER)
    backlog.put(FLOODER, hello)
    backlog.put(FLOODER, text)
    assert backlog.remove(FLOODER, lambda message: message.topic.endswith("/hello")) == [hello]
    backlog.settled(FLOODER, hello)
    user, message = await backlog.next()
    assert message is text
    backlog.end_turn(user)
    backlog.settled(FLOODER, text)
    assert (backlog.messages, backlog.size_bytes, backlog.users()) == (0, 0, [])


async def test_an_urgent_message_overtakes_other_watches_and_never_its_own() -> None:
    backlog = Backlog()
    callers = [f"w-caller{letter * 6}" for letter in "ab"]
    for number in range(2):
        backlog.put(FLOODER, _message(FLOODER, b"chunk %d" % number))
        backlog.put(OTHER, _message(OTHER, b"chunk %d" % number))
    backlog.put(OTHER, _message(OTHER, b"sos"), is_urgent=True)
    backlog.put(callers[0], _message(callers[0], b"sos"), is_urgent=True)
    order = []
    for _ in range(4):
        user, message = await backlog.next()
        order.append((user, message.payload))
        backlog.end_turn(user)
    assert order[:2] == [(callers[0], b"sos"), (OTHER, b"chunk 0")]
    assert (OTHER, b"sos") not in order[:3]


async def test_a_repeat_is_known_until_the_first_is_acknowledged() -> None:
    backlog = Backlog()
    first, other = _message(FLOODER, b"hi"), _message(FLOODER, b"ho")
    backlog.put(FLOODER, first)
    backlog.put(FLOODER, other)
    assert backlog.holds(FLOODER, _message(FLOODER, b"hi"))
    assert not backlog.holds(OTHER, _message(FLOODER, b"hi"))
    assert not backlog.holds(FLOODER, _message(FLOODER, b"hi", "alert"))
    user, message = await backlog.next()
    assert backlog.holds(FLOODER, first), "it is in work"
    backlog.put_back(user, message)
    assert (await backlog.next())[1] is message, "before the other one"
    assert backlog.remove(FLOODER, lambda _: True) == [other]
    assert backlog.holds(FLOODER, first)
    assert backlog.holds(FLOODER, other)
    for answered in (first, other):
        backlog.settled(FLOODER, answered)
        assert not backlog.holds(FLOODER, answered)
