"""Runs text commands from a terminal, a pipe or arguments."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.patch_stdout import patch_stdout

from services.device_sim.console.help_text import about, overview
from services.protocol.words import EMOJI_GLYPHS, Emoji


class CommandError(Exception):
    """A command that cannot be carried out as typed; the message is for people."""


class QuitError(Exception):
    """The user leaves."""


@dataclass(frozen=True)
class Command:
    """A command; `run` gets the rest of its line."""

    name: str
    usage: str
    help: str
    run: Callable[[str], Awaitable[None]]


def printable(text: str) -> str:
    """Return another person's text without control characters, which could steer this terminal."""
    return "".join(
        "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character != "\u200d" else character
        for character in text
    )


def paragraphs(text: str) -> str:
    """Return a long text, such as that of a consent, on indented lines of its own, each printable."""
    return "".join(f"\n    {printable(line)}" for line in text.splitlines() if line.strip())


def shown(kind: str, content: str) -> str:
    """Return a text or an emoji (by its word) as a screen shows it."""
    return EMOJI_GLYPHS[Emoji(content)] if kind == "emoji" and content in set(Emoji) else printable(content)


_WAIT_MAX_S = 24 * 3600.0
_TIMES_MAX = 1000
_BARS = "▁▂▃▄▅▆▇█"


def voice_shown(duration_ms: int | None, bars: Sequence[int] | None = None, state: str = "ready") -> str:
    """Return a voice message as a screen shows it: length, bars (0 to 100), and its state unless ready."""
    parts = ["voice"]
    if duration_ms is not None:
        parts.append(f"{duration_ms / 1000:.1f} s")
    if bars:
        most = len(_BARS) - 1
        parts.append("".join(_BARS[min(most, max(0, bar) * len(_BARS) // 101)] for bar in bars))
    if state != "ready":
        parts.append(printable(state))
    return f"[{' '.join(parts)}]"


def seconds(word: str, most: float) -> float | None:
    """Return a duration in seconds, None for a word that is not a number; CommandError for one out of range."""
    try:
        value = float(word)
    except ValueError:
        return None
    if not 0 < value <= most:
        raise CommandError(f"more than 0 and at most {most:.0f} seconds, please")
    return value


def use_utf8() -> None:
    """Print UTF-8 whatever the system's code page: a QR and a child's name exist in no Western code page."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def say(line: str = "") -> None:
    """Print a line at once; sys.stdout is looked up anew because prompt_toolkit exchanges it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def agrees() -> bool:
    """Ask at a terminal whether the person agrees; a script that asks for it has agreed."""
    if not sys.stdin.isatty():
        return True
    typed = await PromptSession[str]().prompt_async("agree? [y/n] ")
    return typed.strip().lower() in {"y", "yes"}


def words(rest: str, count: int, usage: str) -> list[str]:
    """Return exactly `count` words, the last with the rest of the line; CommandError with the usage otherwise."""
    arguments = rest.split(maxsplit=count - 1)
    if len(arguments) < count:
        raise CommandError(f"usage: {usage}")
    return arguments


def number(word: str, most: int) -> int:
    """Return a number from 1 to `most`; CommandError otherwise."""
    if not word.isdecimal() or not 1 <= int(word) <= most:
        raise CommandError(f"a number from 1 to {most}, please" if most else "there is nothing with a number")
    return int(word)


@dataclass(frozen=True)
class Awaited:
    """The event, number and time-out of `wait EVENT [N] [SECONDSs]`."""

    event: str
    times: int
    timeout_s: float


def awaited(rest: str, default_s: float) -> Awaited:
    """Return what a line of `wait` means: a number is how often, a time such as 30s how long."""
    event, *more = rest.split()
    times, timeout_s = 1, default_s
    for word in more:
        if word.endswith("s") and (span_s := seconds(word[:-1], _WAIT_MAX_S)) is not None:
            timeout_s = span_s
        else:
            times = number(word, _TIMES_MAX)
    return Awaited(event, times, timeout_s)


class Console:
    """Runs commands one after the other; an error prints a line, and ends a script only."""

    def __init__(self, commands: Sequence[Command], known_errors: tuple[type[Exception], ...]) -> None:
        own = [
            Command("help", "help [NAME]", "the commands, or all about one", self._help),
            Command("quit", "quit", "leave", self._quit),
        ]
        self._commands = {command.name: command for command in [*commands, *own]}
        self._known_errors: tuple[type[Exception], ...] = (*known_errors, CommandError)

    async def run_line(self, line: str) -> bool:
        """Run one line; return whether it succeeded. Raises QuitError for `quit`."""
        name, _, rest = line.strip().partition(" ")
        if not name or name.startswith("#"):
            return True
        command = self._commands.get(name.lower())
        if command is None:
            say(f"There is no command {printable(name)!r}; `help` lists them.")
            return False
        try:
            await command.run(rest.strip())
        except TimeoutError:
            say(f"{name}: waited in vain.")
            return False
        except self._known_errors as error:
            say(f"{name}: {printable(str(error)) or type(error).__name__}")
            return False
        return True

    async def run_script(self, lines: Sequence[str]) -> int:
        """Run lines from arguments until one fails; return the exit code, 0 or 1."""
        for line in lines:
            try:
                if not await self.run_line(line):
                    return 1
            except QuitError:
                return 0
        return 0

    async def run(self, prompt: str) -> int:
        """Read lines until the end: from a terminal with a prompt, from a pipe without one."""
        with contextlib.suppress(QuitError):
            if sys.stdin.isatty():
                return await self._run_terminal(prompt)
            return await self._run_pipe()
        return 0

    async def _run_terminal(self, prompt: str) -> int:
        session: PromptSession[str] = PromptSession(completer=WordCompleter(sorted(self._commands)))
        say("Type `help` for the list of commands.")
        with patch_stdout():
            while True:
                try:
                    line = await session.prompt_async(prompt)
                except (EOFError, KeyboardInterrupt):
                    return 0
                await self.run_line(line)

    async def _run_pipe(self) -> int:
        outcome = 0
        while line := await asyncio.to_thread(sys.stdin.readline):
            if not await self.run_line(line):
                outcome = 1
        return outcome

    async def _help(self, rest: str) -> None:
        command = self._commands.get(rest.lower())
        if rest and command is None:
            raise CommandError(f"there is no command {printable(rest)!r}")
        for line in overview(list(self._commands.values())) if command is None else about(command):
            say(line)

    async def _quit(self, _rest: str) -> None:
        raise QuitError
