"""`smartwatch up`: run everything on this machine until Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType

from services.broker.errors import BrokerError
from services.devstack.installation import PREFIX, Installation, InstallationError
from services.devstack.instance import InstanceInUseError
from services.devstack.postgres import PostgresInUseError
from services.devstack.postgres_user import PostgresUnavailableError
from services.devstack.tied import can_tie

__all__ = ["Installation", "run_up"]


def run_up(instance: str = "default") -> int:
    """Run everything until Ctrl-C or SIGTERM, then stop it. Exit code 0, or 1 when it could not be started."""
    overrides = {key.removeprefix(PREFIX).lower(): value for key, value in os.environ.items() if key.startswith(PREFIX)}
    end_on_signals()
    try:
        installation = Installation.acquire(Path("var"), instance, or_next=True, overrides=overrides, announce=_say)
    except InstanceInUseError as error:
        _say(str(error))
        return 1
    except PermissionError as error:
        _say(_not_ours(error))
        return 1
    if installation.instance.name != instance:
        _say(f"{instance} is running already: this is {installation.instance.name}")
    if not can_tie():
        _say("setpriv (util-linux) is missing: if this command is killed, its processes keep running")
    try:
        installation.start()
        _tell_where_to_look(installation)
        threading.Event().wait()
    except KeyboardInterrupt:
        _say("stopping")
    except (InstallationError, PostgresUnavailableError, PostgresInUseError, BrokerError) as error:
        _say(str(error))
        return 1
    except PermissionError as error:
        _say(_not_ours(error))
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second signal during the stop would leave processes behind
        installation.stop()
    _say("stopped")
    return 0


def run_up_cluster(instance: str = "cluster") -> int:
    """Run three nodes of RabbitMQ and two of each process until a signal. Exit code 0, or 1 without a start."""
    # Loaded where a cluster is wanted.
    from services.devstack.cluster import ClusterInstallation  # noqa: PLC0415
    from services.devstack.debian13 import NotBroughtError  # noqa: PLC0415
    from services.devstack.rabbitmq.node import RabbitNotStartedError  # noqa: PLC0415

    overrides = {key.removeprefix(PREFIX).lower(): value for key, value in os.environ.items() if key.startswith(PREFIX)}
    end_on_signals()
    cluster = None
    try:
        cluster = ClusterInstallation(Path("var"), instance, overrides=overrides, announce=_say)
        cluster.start()
        _tell_where_to_look(cluster.installation)
        _say(f"second API {cluster.second_api_url}/docs")
        for number, ports in enumerate(cluster.cluster.ports, 1):
            _say(
                f"node {number}    mqtts port {ports.tls}, plain on loopback {ports.mqtt},"
                f" numbers http://127.0.0.1:{ports.metrics}/metrics"
            )
        threading.Event().wait()
    except KeyboardInterrupt:
        _say("stopping")
    except (
        InstallationError, PostgresUnavailableError, PostgresInUseError, InstanceInUseError, NotBroughtError,
        RabbitNotStartedError,
    ) as error:  # fmt: skip
        _say(str(error))
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if cluster is not None:
            cluster.stop()
    _say("stopped")
    return 0


def _tell_where_to_look(installation: Installation) -> None:
    ports = installation.ports
    _say(f"everything is ready in {installation.instance.folder}")
    _say(f"API       {installation.api_url}/docs")
    if installation.settings.get("broker") != "external":
        _say(f"watches   mqtts port {ports['mosquitto_tls_port']}, plain on loopback {ports['mosquitto_plain_port']}")
    _say(f"logs      {installation.instance.folder / 'log'}, text messages in {installation.settings['sms_file']}")
    _say("Ctrl-C stops everything")


def _not_ours(error: PermissionError) -> str:
    return (
        f"{error.filename} belongs to another user: was this checkout run as root before?"
        " Run as that user, or remove the file"
    )


def _say(line: str) -> None:
    print(f"up: {line}", flush=True)


def end_on_signals() -> None:
    """Raise KeyboardInterrupt in the main thread at SIGINT, SIGTERM and, unless it is ignored, SIGHUP."""
    # Install SIGINT as well: a shell starts background commands with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it stays ignored
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
