"""The consoles at a small terminal: help that fits, waits that end."""

from __future__ import annotations

import pytest

from services.device_sim.console.console import Awaited, Command, CommandError, awaited
from services.device_sim.console.help_text import overview


async def _nothing(_rest: str) -> None:
    return None


_MANY = [Command(f"command-{n}", f"command-{n} SOMETHING [MORE]", "what it does " * 9, _nothing) for n in range(57)]


@pytest.mark.parametrize("size", [(80, 30), (100, 30), (120, 40), (200, 70)])
def test_the_overview_fits_the_terminal(size: tuple[int, int]) -> None:
    columns, lines = size
    shown = overview(_MANY, size)
    assert all(len(line) <= columns for line in shown)
    assert len(shown) <= lines
    assert all(any(command.name in line for line in shown) for command in _MANY)


def test_a_wait_names_how_often_and_how_long() -> None:
    assert awaited("paired", 120) == Awaited("paired", 1, 120)
    assert awaited("received 3 30s", 120) == Awaited("received", 3, 30)
    assert awaited("settled 0.5s", 120) == Awaited("settled", 1, 0.5)
    for wrong in ("received 0", "received soon", "received 3 90000000s"):
        with pytest.raises(CommandError):
            awaited(wrong, 120)
