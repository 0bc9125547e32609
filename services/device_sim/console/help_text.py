"""The help of a console: an overview that fits a small terminal, and all about one command."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from typing import Protocol

_COLUMN_GAP = 2
# The prompt, the line that asked, and a line of what was there before.
_LINES_KEPT = 4


class Helped(Protocol):
    """The part of a command that the help shows."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def usage(self) -> str:
        """The form in which it is typed."""

    @property
    def help(self) -> str:
        """Its effect, in a few words."""


def overview(commands: Sequence[Helped], size: tuple[int, int] | None = None) -> list[str]:
    """Return the commands in lines that fit a terminal of (columns, lines): with their help, else their usages only."""
    columns, lines = size or shutil.get_terminal_size((100, 30))
    width = max(len(command.usage) for command in commands)
    room = columns - width - 2 * _COLUMN_GAP
    if len(commands) + _LINES_KEPT <= lines:
        return [f"  {command.usage:<{width}}  {_shortened(command.help, max(room, 20))}" for command in commands]
    names = [_shortened(command.usage, columns // 2 - _COLUMN_GAP - 1) for command in commands]
    width = max(map(len, names)) + _COLUMN_GAP
    across = max(1, (columns - 2) // width)
    down = -(-len(names) // across)
    rows = [names[row::down] for row in range(down)]
    return [
        *("  " + "".join(f"{name:<{width}}" for name in row).rstrip() for row in rows),
        "  help NAME: about one of them",
    ]


def about(command: Helped) -> list[str]:
    """Return all about one command."""
    columns, _ = shutil.get_terminal_size((100, 30))
    return [f"  {command.usage}", *textwrap.wrap(command.help, max(40, columns - 6), initial_indent="    ",
                                                subsequent_indent="    ")]  # fmt: skip


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
