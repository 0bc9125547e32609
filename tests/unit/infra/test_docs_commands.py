"""Every command of the product that a document tells somebody to type is one that there is, with its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from services.cli.commands import app

CHECKOUT = Path(__file__).parents[3]
# Lines on which it is a user, a database or a folder.
OF_OTHERS = re.compile(r"\s*(hostssl|useradd|install|sudo|chown|psql|createdb) ")


def documents() -> list[Path]:
    return [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md"), *CHECKOUT.glob("infra/*.md")]


def typed(text: str) -> Iterator[list[str]]:
    """Yield the words after `smartwatch` of each command: in a code span, or on a line of a code block."""
    for span in re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL):
        # What a backslash continues is one line.
        lines = span.replace("\\\n", " ").splitlines()[1:-1] if span.startswith("```") else [span.strip("`")]
        for line in lines:
            if OF_OTHERS.match(line):
                continue
            for words in re.findall(r"(?:^|\s|/bin/)smartwatch ([^|;&#]*)", line):
                yield words.split()


def fault_of(command: Any, words: list[str]) -> str:
    """Return why these words cannot be typed after `smartwatch`, or nothing."""
    rest = list(words)
    while rest and hasattr(command, "commands"):
        if rest[0].startswith(("-", "<", "...", "(")):
            break
        name = rest.pop(0).rstrip(",.:`")
        if name not in command.commands:
            return f"smartwatch {' '.join(words)}: no {name}"
        command = command.commands[name]
    if (command.context_settings or {}).get("ignore_unknown_options"):
        return ""
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in rest if re.fullmatch(r"--[a-z-]+(=.*)?", word) and word.partition("=")[0] not in known]
    return f"smartwatch {' '.join(words)}: no {' '.join(unknown)}" if set(unknown) - {"--help", "--version"} else ""


def test_every_documented_command_exists() -> None:
    commands = [(path.name, words) for path in documents() for words in typed(path.read_text())]
    assert len(commands) > 50
    # Built once: a second takes as long as everything else here.
    smartwatch: Any = typer.main.get_command(app)
    faults = [f"{name}: {fault}" for name, words in commands if (fault := fault_of(smartwatch, words))]
    assert faults == []
