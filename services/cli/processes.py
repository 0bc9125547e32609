"""The processes of the backend. They start without the other commands and Typer, which take a tenth of a start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from services.cli.run import begin_process, loading

if TYPE_CHECKING:
    from services.core.platform.settings import Settings

Run: TypeAlias = "Callable[[Settings], None]"


def run_process(name: str) -> None:
    """Run the process of that name until it is told to stop; raises OperatorError for wrong settings."""
    with loading():
        settings = begin_process(name)
        run = PROCESSES[name]()
    run(settings)


def _load_api() -> Run:
    from services.api.http_server import run_api

    return run_api


def _load_bridge() -> Run:
    from services.mqtt_bridge.main import run_bridge

    return _in_event_loop(run_bridge)


def _load_broker() -> Run:
    from services.broker.main import run_broker

    return _in_event_loop(run_broker)


def _load_broker_auth() -> Run:
    from services.broker.external.main import run_broker_auth

    return _in_event_loop(run_broker_auth)


def _load_worker() -> Run:
    from services.worker.main import run_worker

    return _in_event_loop(run_worker)


def _in_event_loop(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> Run:
    return lambda settings: asyncio.run(run(settings))


# Each loads a process and returns what runs it.
PROCESSES: Final[Mapping[str, Callable[[], Run]]] = {
    "api": _load_api,
    "bridge": _load_bridge,
    "broker": _load_broker,
    "broker-auth": _load_broker_auth,
    "worker": _load_worker,
}
