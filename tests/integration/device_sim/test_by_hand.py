"""The watch as a command: a script by arguments, lines from a pipe, and a person at a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
from pathlib import Path

import pytest

from tests.integration.device_sim.scripted_backend import FACTORY_SECRET, SERIAL, Bench
from tests.support.sounds import duration_ms, encoded, wav

_CHECKOUT = Path(__file__).parents[3]


async def sim_watch(
    bench: Bench,
    folder: Path,
    *script: str,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: int = asyncio.subprocess.PIPE,
) -> asyncio.subprocess.Process:
    """Start `smartwatch sim watch` on a folder; the secret comes by the environment."""
    commands = [part for line in script for part in ("--command", line)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "sim", "watch", "--impatient", *commands,
        cwd=_CHECKOUT, stdin=stdin, stdout=stdout, stderr=asyncio.subprocess.STDOUT,
        env={
            **os.environ, "SMARTWATCH_SIM_SERIAL": SERIAL, "SMARTWATCH_SIM_SECRET": FACTORY_SECRET,
            "SMARTWATCH_SIM_WATCH_STATE": str(folder), "SMARTWATCH_SIM_PORT": str(bench.watch_port),
            "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONUNBUFFERED": "1",
        },
    )  # fmt: skip


async def test_a_script_by_arguments_plays_a_whole_day(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    process = await sim_watch(
        bench, tmp_path, "pair", "wait paired", "wait online", "write family hello", "wait stored",
        "wait received", "inbox", "read 1", "wait settled", "states", "status",
    )  # fmt: skip
    await backend.shows_code("482913")
    credentials = await backend.new_credentials(bench.watch_port)
    user = credentials["username"]
    await backend.says_credentials(credentials)
    await backend.greets(user)
    await backend.stores(user, "hello")
    await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="good \x1b[2J morning")
    await backend.answers(user, "a1", "delivered")
    await backend.answers(user, "a1", "played")
    output, _ = await process.communicate()
    screen = output.decode()
    assert process.returncode == 0, screen
    assert "code 482913" in screen
    assert "█" in screen or "▀" in screen  # the QR
    assert "g-1: good \ufffd[2J morning" in screen
    assert "\x1b" not in screen
    assert "1. sent" in screen

    # Another run knows everything and needs neither serial nor secret.
    again = await sim_watch(bench, tmp_path, "wait online", "inbox", "nonsense", "never reached")
    await backend.greets(user)
    output, _ = await again.communicate()
    assert again.returncode == 1
    assert "There is no command 'nonsense'" in output.decode()
    assert "never reached" not in output.decode()


async def test_a_script_speaks_and_listens(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    said_file, heard = tmp_path / "said.wav", tmp_path / "heard.wav"
    said_file.write_bytes(wav(1.0))
    process = await sim_watch(
        bench, tmp_path / "watch", "pair", "wait online", f"record family {said_file}", "wait stored",
        "record family 2", "wait received", "inbox", f"play 1 {heard}", "wait settled", "record family 61",
        "never reached",
    )  # fmt: skip
    await backend.shows_code("482913")
    credentials = await backend.new_credentials(bench.watch_port)
    user = credentials["username"]
    await backend.says_credentials(credentials)
    await backend.greets(user)
    lengths_ms = []
    for _ in range(2):
        end = await backend.hears("end_of_voice", user)
        lengths_ms.append(end["duration_ms"])
        await backend.says(user, "receipt", ref=end["ref"], code="stored")
    clip = encoded("amr-nb", 1.0)
    await backend.announces_clip(user, "v1", clip, 4096, duration_ms=1000)
    await backend.serves_fetch(user, "v1", clip, 4096)
    await backend.answers(user, "v1", "delivered")
    await backend.answers(user, "v1", "played")
    output, _ = await process.communicate()
    screen = output.decode()
    assert process.returncode == 1, screen
    assert "* 1. g-1: [voice 1.0 s]" in screen
    assert "  • 1. g-1: [voice 1.0 s]" in screen
    assert f"  g-1: [voice 1.0 s] → {heard}" in screen
    assert "record: more than 0 and at most 60 seconds, please" in screen
    assert lengths_ms == [1000, 2000]
    assert abs(duration_ms(heard.read_bytes()) - 1000) < 60


async def test_lines_from_a_pipe_are_run_one_by_one(bench: Bench, tmp_path: Path) -> None:
    process = await sim_watch(bench, tmp_path, stdin=asyncio.subprocess.PIPE)
    output, _ = await process.communicate(b"help\n\n# a remark\nwrite family too early\nstatus\n")
    assert process.returncode == 1  # one line failed; the others ran
    screen = output.decode()
    assert "forget-credentials" in screen
    assert "write: the watch is not paired" in screen
    assert f"serial    {SERIAL}" in screen


async def test_a_person_at_a_terminal_types_and_is_answered(bench: Bench, tmp_path: Path) -> None:
    try:
        ours, theirs = pty.openpty()
    except OSError:
        pytest.skip("this machine has no terminals (no /dev/pts)")
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))  # a terminal has a size
    process = await sim_watch(bench, tmp_path, stdin=theirs, stdout=theirs)
    os.close(theirs)
    screen = bytearray()
    news = asyncio.Event()

    def read() -> None:
        try:
            screen.extend(os.read(ours, 65536))
        except OSError:  # the other side is gone
            asyncio.get_running_loop().remove_reader(ours)
        news.set()

    async def shows(text: bytes) -> None:
        async with asyncio.timeout(60):
            while text not in screen:
                news.clear()
                await news.wait()

    asyncio.get_running_loop().add_reader(ours, read)
    await shows(b"SIM00001>")
    os.write(ours, b"status\r")
    await shows(b"paired    no")
    os.write(ours, b"quit\r")
    assert await process.wait() == 0
    asyncio.get_running_loop().remove_reader(ours)
    os.close(ours)


async def test_two_on_one_folder_and_a_fresh_one_without_secret_are_told_in_one_line(
    bench: Bench, tmp_path: Path
) -> None:
    async with bench.watch(tmp_path):
        process = await sim_watch(bench, tmp_path, "status")
        output, _ = await process.communicate()
    assert process.returncode == 2
    assert output.decode() == "This watch cannot be switched on: another simulated watch is running on this folder.\n"
