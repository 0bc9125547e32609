"""docs/by-hand.md, replayed line by line: every command runs, and every answer that it shows comes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Play
from tests.support.debian_programs import program

_CHECKOUT = Path(__file__).parents[2]
_PAGE = _CHECKOUT / "docs" / "by-hand.md"
_LINE_WITHIN_S = 40.0
# Fields whose values do not differ from run to run.
_SAME = ("code", "detail", "state", "kind", "paired", "index", "of", "location", "text")


@dataclass(frozen=True)
class Block:
    """A fenced block: `sh`, `phone`, or what came (no word behind the fence)."""

    language: str
    lines: list[str]
    line_number: int


def blocks(page: str) -> Iterator[Block]:
    lines = page.splitlines()
    inside: Block | None = None
    for number, line in enumerate(lines, 1):
        if inside is None and line.startswith("```"):
            inside = Block(line[3:], [], number)
        elif inside is not None and line == "```":
            yield inside
            inside = None
        elif inside is not None:
            inside.lines.append(line)


def steps(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a block with the answers that stand below it; a here-document is one command."""
    command, answers, ends_at = "", [], ""
    for line in block.lines:
        if ends_at or command.endswith("\\"):
            command += f"\n{line}"
            ends_at = "" if line == ends_at else ends_at
        elif line.startswith((".../", "sw/v1/")):
            answers.append(line)
        elif line.strip():
            if command:
                yield command, answers
            here = re.search(r"<<'(\w+)'", line)
            command, answers, ends_at = line, [], here[1] if here else ""
    if command:
        yield command, answers


def shape(line: str) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """Return the level, the same values, and all fields of a line that shows a message."""
    match = re.search(r"/down/(\w+)\S* (\{.*)$", line)
    if match is None:
        return None
    try:
        fields = json.loads(match[2].replace(", ...", ""))
    except ValueError:
        return None
    # A pairing code differs from run to run; the code of a receipt is a word.
    same = {name: fields[name] for name in _SAME if name in fields and not str(fields[name]).isdecimal()}
    return match[1], same, fields


class Terminal:
    """A program that reads lines and prints. `mark` is a line that makes it print `done`, which ends an answer."""

    def __init__(self, process: asyncio.subprocess.Process, mark: str, done: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._typed, self._printed = process, process.stdin, process.stdout
        self._mark = mark
        self._done = done

    async def run(self, line: str) -> str:
        self._typed.write(f"{line}\n{self._mark}\n".encode())
        output = ""
        async with asyncio.timeout(_LINE_WITHIN_S):
            while self._done not in output:
                piece = await self._printed.read(4096)
                assert piece, output
                output += piece.decode(errors="replace")
        return output.replace(self._done, "")

    async def end(self) -> None:
        self._process.kill()
        await self._process.wait()


async def _terminal(folder: Path, *command: str, mark: str, done: str, **environment: str) -> Terminal:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )  # fmt: skip
    return Terminal(process, mark, done)


def test_the_page_names_no_port_and_keeps_its_files_in_var() -> None:
    page = _PAGE.read_text()
    commands = "\n".join(line for block in blocks(page) if block.language == "sh" for line in block.lines)
    assert not re.findall(r"(?:-p|port[ =:])\s*\d{4}", commands)
    assert not re.findall(r"(?:>|-for-vendor|-f) *(?!var/|/dev/null|\")[a-z]+\.(?:csv|amr|m4a)", commands)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_every_line_of_the_page_runs_and_answers(play: Play, tmp_path: Path) -> None:
    clients = program("mosquitto_pub", "mosquitto-clients")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "default").symlink_to(play.installation.instance.folder)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    shell = await _terminal(
        tmp_path, "bash", mark="echo '--- done'", done="--- done", PATH=f"{clients.path.parent}:{os.environ['PATH']}",
        LD_LIBRARY_PATH=":".join(map(str, clients.libraries)),
    )  # fmt: skip
    phone = await _terminal(
        tmp_path, ".venv/bin/smartwatch", "sim", "parent", "--state", "var/phone",
        mark="no-more", done="There is no command 'no-more'",
    )  # fmt: skip
    code, faults = "482913", []
    heard = ""
    for block in blocks(_PAGE.read_text()):
        if block.language == "phone":
            for line in block.lines:
                await phone.run(line.replace("482913", code))
        elif block.language == "sh":
            for command, answers in steps(block):
                heard = await shell.run(command)
                code = next(iter(re.findall(r'"code":"(\d+)","qr"', heard)), code)
                faults += [f"line {block.line_number}: {command}: {fault}" for fault in _missing(answers, heard)]
        elif block.language == "":
            faults += [f"line {block.line_number}: {fault}" for fault in _missing(block.lines, heard)]
    await shell.end()
    await phone.end()
    assert not faults, "\n".join(faults)


def _missing(answers: list[str], heard: str) -> list[str]:
    came = [shown for line in heard.splitlines() if (shown := shape(line)) is not None]
    missing = []
    for answer in answers:
        wanted = shape(answer)
        if wanted is None:
            continue
        level, same, fields = wanted
        if not any(
            level == came_level and same.items() <= came_same.items() and set(fields) <= set(came_fields)
            for came_level, came_same, came_fields in came
        ):
            missing.append(f"{answer} did not come; {heard.strip()[-400:]}")
    return missing
