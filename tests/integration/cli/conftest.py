"""The command line as an operator types it, in this process, against a real database."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from services.cli import main as cli

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Told:
    """Output of a command, and its exit code."""

    code: int
    out: str
    err: str


Smartwatch = Callable[..., Told]
Program = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def smartwatch(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Smartwatch:
    """Run `smartwatch` with these words in an empty folder, on this module's database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMARTWATCH_DATABASE_URL", database_url)

    def run(*words: str) -> Told:
        capsys.readouterr()
        code = 0
        try:
            cli.main(words)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return Told(code, output.out, output.err)

    return run


@pytest.fixture
def office(smartwatch: Smartwatch) -> Smartwatch:
    """The same, where a programme with a site and a cohort is set up."""
    smartwatch("programme", "create", "Pilot")
    smartwatch(
        "sites", "create", "Dongguan", "--programme", "Pilot", "--country", "CN", "--timezone", "Asia/Shanghai",
        "--locale", "zh-Hans",
    )  # fmt: skip
    smartwatch("cohorts", "create", "2026A", "--site", "Dongguan")
    return smartwatch


def open_hand_out(office: Smartwatch, database_url: str) -> None:
    """Open a hand-out at every site of this module's database for an hour, as a coordinator does over HTTP."""
    office(
        "staff", "create", "hall@example.org", "--name", "Hall", "--role", "coordinator", "--site", "Dongguan",
        "--not-employed-by-factory", "--phone", "13800138009",
    )  # fmt: skip

    async def insert() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(
                "INSERT INTO hand_out (hand_out_id, site_id, code_hash, families, codes_left, opened_by, opened_at, "
                "closes_at) SELECT gen_random_uuid(), site_id, sha256(gen_random_uuid()::text::bytea), 5, 5, "
                "staff_id, now(), now() + interval '1 hour' FROM site, staff WHERE email = 'hall@example.org'"
            )
        finally:
            await connection.close()

    asyncio.run(insert())


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on loopback where somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.fixture
def program(database_url: str, tmp_path: Path) -> Iterator[Program]:
    """Start `python -m services.cli` with these words as a process of its own, in an empty folder."""
    started: list[subprocess.Popen[str]] = []
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SMARTWATCH_")}

    def start(*words: str, **settings: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(  # noqa: S603 - our own program, by an argument list
                [sys.executable, "-m", "services.cli", *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
                env=outside | {"PYTHONPATH": str(ROOT), "SMARTWATCH_DATABASE_URL": database_url} | settings,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
