"""Screens, typed commands, and the QR code that the parent's phone reads."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from services.device_sim.console.console import (
    Command,
    CommandError,
    Console,
    QuitError,
    paragraphs,
    printable,
    shown,
    words,
)
from services.device_sim.parent.sms_file import sms_position, wait_for_sms_code
from services.device_sim.watch.events import EventBoard, EventKind


@pytest.mark.parametrize("text", ["Gute Nacht", "妈妈", "чао", "👩‍👧 ok", "שלום"])
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("text", ["\x1b[2Jgone", "a\rb", "a\u202eb", "\x07", "a\nb", "\x9b1m"])
def test_no_message_can_steer_the_terminal(text: str) -> None:
    assert not set(printable(text)) & set("\x1b\r\n\x07\x9b\u202e")


def test_a_long_text_keeps_its_paragraphs_and_steers_nothing() -> None:
    assert paragraphs("One.\n\nTwo\x1b[2J.\r\n") == "\n    One.\n    Two\ufffd[2J."


def test_an_emoji_of_a_later_version_is_shown_as_its_word() -> None:
    assert shown("emoji", "star") == "⭐"
    assert shown("emoji", "jetpack") == "jetpack"


def test_too_few_words_tell_the_usage() -> None:
    assert words("family good  night", 2, "") == ["family", "good  night"]
    with pytest.raises(CommandError, match="write TO TEXT"):
        words("family", 2, "write TO TEXT")


async def test_a_script_stops_at_the_first_line_that_fails_and_a_person_goes_on() -> None:
    ran: list[str] = []

    async def run(rest: str) -> None:
        ran.append(rest)
        if rest == "wrong":
            raise CommandError("no")

    console = Console([Command("do", "do", "", run)], ())
    assert await console.run_script(["do 1", "# a remark", "do 2"]) == 0
    assert await console.run_script(["do wrong", "do 3"]) == 1
    assert await console.run_script(["undo"]) == 1
    assert await console.run_line("DO 4")
    with pytest.raises(QuitError):
        await console.run_line("quit")
    assert ran == ["1", "2", "wrong", "4"]


async def test_each_event_is_handed_out_once_whoever_was_first() -> None:
    board = EventBoard()
    board.emit(EventKind.RECEIVED, ref="a")
    board.emit(EventKind.RECEIVED, ref="b")
    assert (await board.wait_for("received", 1, ref="b"))["ref"] == "b"
    assert (await board.wait_for("received", 1))["ref"] == "a"
    waiting = asyncio.create_task(board.wait_for("received", 1))
    await asyncio.sleep(0)
    board.emit(EventKind.ONLINE)
    board.emit(EventKind.RECEIVED, ref="c")
    assert (await waiting)["ref"] == "c"
    with pytest.raises(TimeoutError):
        await board.wait_for("received", 0.01)


async def test_the_code_is_read_from_the_newest_sms_to_this_phone(tmp_path: Path) -> None:
    path = tmp_path / "sms.jsonl"

    def append(phone: str, text: str, end: str = "\n") -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"phone": phone, "locale": "en", "text": text}) + end)

    assert sms_position(path) == 0
    append("+8613800138000", "Your code is 111111.")
    position = sms_position(path)
    append("+8613900139000", "Your code is 222222.")
    append("+8613800138000", "Your code is 333333, good for 10 minutes.")
    append("+8613800138000", "Your code is 4444", end="")
    assert await wait_for_sms_code(path, "+8613800138000", position=position, timeout_s=1) == "333333"
    with pytest.raises(TimeoutError):
        await wait_for_sms_code(path, "+8613700137000", timeout_s=0.01)
