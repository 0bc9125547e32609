"""Bring what the tests need beside .venv: four programs from Debian's packages, and the packages of the pages.

`make test` runs this beside the checks that need no program: a download waits for the network, they for a processor. A
program that cannot be brought is told here and judged by its tests.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from web.chromium import NoBrowserError, bring_headless_shell
from web.pages import bring_packages

from services.broker.binary import fetch_mosquitto
from services.broker.errors import BrokerError
from services.devstack.debian13 import NotBroughtError
from services.devstack.pgbouncer import PGBOUNCER
from services.devstack.rabbitmq.bringing import bring_rabbitmq

CHECKOUT = Path(__file__).resolve().parents[1]


class NoPackagesError(Exception):
    """npm has failed, and has said why."""


def bring_packages_of_pages() -> Path:
    """Install what the tests in a browser take from there."""
    if not bring_packages():
        raise NoPackagesError("see above")
    return CHECKOUT / "web" / "node_modules"


def bring(name: str, bring_it: Callable[[], Path]) -> str:
    """Bring one program and return a line about it."""
    start_s = time.monotonic()
    try:
        place = bring_it()
    except (NoBrowserError, NoPackagesError, BrokerError, NotBroughtError) as error:
        return f"{name}: not brought: {error}"
    return f"{name}: {place} ({time.monotonic() - start_s:.1f} s)"


def main() -> int:
    programs = {
        "Mosquitto": lambda: fetch_mosquitto(print),
        "Chromium": bring_headless_shell,
        "RabbitMQ": lambda: bring_rabbitmq(print),
        "PgBouncer": lambda: PGBOUNCER.bring(print),
        "packages of the pages": bring_packages_of_pages,
    }
    with ThreadPoolExecutor(len(programs)) as side_by_side:
        for line in side_by_side.map(bring, programs, programs.values()):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
