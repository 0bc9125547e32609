"""A person who types lines into the parent's console."""

from __future__ import annotations

import pytest

from services.device_sim.console.parent import ParentConsole


class Typist:
    """Types lines and reads what the screen says to each."""

    def __init__(self, console: ParentConsole, capsys: pytest.CaptureFixture[str]) -> None:
        self._console = console
        self._capsys = capsys

    async def types(self, line: str, *, fails: bool = False) -> str:
        self._capsys.readouterr()
        went_well = await self._console.console.run_line(line)
        screen = self._capsys.readouterr().out
        assert went_well is not fails, (line, screen)
        return screen
