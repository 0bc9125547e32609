"""``smartwatch broker``: Mosquitto as a child process, a gate before it, its users from Postgres, a health page."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

import structlog

from services.broker.binary import find_mosquitto
from services.broker.certificates import Certificates, development_certificates
from services.broker.configuration import BrokerConfiguration
from services.broker.errors import BrokerError, MosquittoMissingError
from services.broker.gate import Gate
from services.broker.metrics_page import metrics_page
from services.broker.presence import PresenceWriter
from services.broker.process import MosquittoProcess
from services.broker.sessions import SessionLimits
from services.broker.sync import UserSync
from services.broker.tracing import ConnectionTrace
from services.broker.users import PostgresUsers, UsersUnavailableError
from services.broker.wills import WillReader
from services.core.devices.traces.buffer import TraceBuffer
from services.core.platform.db.database import Database
from services.core.platform.log.health import HealthServer
from services.core.platform.settings import Environment, Settings

log = structlog.get_logger()

_RENEWAL_EVERY_S = 3600.0


async def run_broker(settings: Settings) -> None:
    """Run Mosquitto until SIGTERM or SIGINT; raises BrokerError when it cannot be started at all.

    While Postgres does not answer, Mosquitto keeps its last users. Started without Postgres it serves the bridges only,
    and the watches' public port stays closed until Postgres has named the users once.
    """
    if settings.broker == "external":
        raise BrokerError(
            "SMARTWATCH_BROKER is external: there is no Mosquitto to run; `smartwatch broker-auth` answers"
        )
    binary = find_mosquitto(settings.mosquitto_binary)
    if binary is None:
        raise MosquittoMissingError(
            "there is no Mosquitto 2.0.11 or newer here", "`smartwatch doctor` says how to install it"
        )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    database = Database.of(settings)
    gate = Gate(settings.mosquitto_bind, settings.mosquitto_tls_port, settings.mosquitto_inner_port)
    trace = ConnectionTrace(TraceBuffer(database, traces_all=settings.environment is Environment.DEVELOPMENT))
    broker = MosquittoProcess(
        broker_configuration(settings), binary, settings.mqtt_backend_password.get_secret_value(),
        on_login=gate.record_login, on_refused_will=gate.record_refused_will, on_event=trace.note,
    )  # fmt: skip
    gate.epoch = broker.epoch
    gate.wills = WillReader(broker.folder, broker.password_fits, trace.refusing_wills(broker.connections.refuse))
    users = PostgresUsers(database)
    sync = UserSync(broker, users)
    presence = PresenceWriter(broker.connections, users)
    sessions = SessionLimits(broker, broker.connections, settings.mqtt_backend_password.get_secret_value())

    async def mosquitto_well() -> str | None:
        if broker.problem is None and settings.mosquitto_tls_port and not gate.is_open:
            return "the watches' port is closed until the users are known"
        return broker.problem

    async def keep_gate() -> None:
        # A closed port is a network failure to a watch, which retries. A refused log-in would be counted against it.
        await sync.users_known.wait()
        if settings.mosquitto_tls_port:
            await gate.start()
        await asyncio.Event().wait()

    async def postgres_well() -> str | None:
        return sync.source_problem

    health = HealthServer.of(
        settings,
        settings.broker_health_port,
        {"mosquitto": mosquitto_well, "postgres": postgres_well, "users_in_step": sync.in_step},
        metrics_page(settings, broker, gate, sessions).render,
    )
    try:
        await health.start()
        logins = []
        with contextlib.suppress(UsersUnavailableError):
            # Mosquitto starts with its users, so that no watch that reconnects is refused.
            logins = await users.logins()
        await broker.start(logins)
        running = {
            asyncio.create_task(work)
            for work in (
                sync.run(),
                broker.wait_until_given_up(),
                sessions.run(),
                presence.run(),
                trace.buffer.run(),
                keep_gate(),
                _keep_certificate(settings),
            )
        }
        ending = asyncio.create_task(ended.wait())
        try:
            done, _ = await asyncio.wait({*running, ending}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & running:
                task.result()  # none of them ends by itself: raise the error that ended it
        finally:
            await _end({*running, ending})
    finally:
        await gate.stop()
        await broker.stop()
        await health.stop()
        await database.close()
    log.info("broker_stopped")


def broker_configuration(settings: Settings) -> BrokerConfiguration:
    """Return Mosquitto's configuration for these settings, with a development certificate where none is configured."""
    certificates = certificates_of(settings) if settings.mosquitto_tls_port else None
    return BrokerConfiguration(
        folder=settings.mosquitto_dir,
        backend_port=settings.mqtt_backend_port,
        backend_bind=settings.mosquitto_backend_bind,
        # The public port is the gate's; behind it Mosquitto listens on loopback only.
        tls_port=settings.mosquitto_inner_port if settings.mosquitto_tls_port else 0,
        plain_port=settings.mosquitto_plain_port,
        certificate_file=None if certificates is None else certificates.certificate_file,
        key_file=None if certificates is None else certificates.key_file,
    )


def certificates_of(settings: Settings) -> Certificates:
    """Return the configured certificate files, or in development generated ones beside the broker's folder."""
    if settings.tls_certificate_file or settings.tls_key_file:
        if not (settings.tls_certificate_file and settings.tls_key_file):
            raise BrokerError("tls_certificate_file and tls_key_file go together")
        return Certificates(
            Path(settings.tls_certificate_file),
            Path(settings.tls_key_file),
            Path(settings.tls_ca_file) if settings.tls_ca_file else None,
        )
    if settings.environment is Environment.PRODUCTION:
        raise BrokerError("tls_certificate_file and tls_key_file are not set: production uses no generated certificate")
    return development_certificates(settings.mosquitto_dir.parent / "certificates", settings.watch_host)


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended: in Python 3.11 a wait that ends at the same moment swallows a cancellation."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)


async def _keep_certificate(settings: Settings) -> None:
    """Renew the development certificate; the running Mosquitto loads a changed file within seconds."""
    while True:
        await asyncio.sleep(_RENEWAL_EVERY_S)
        if settings.mosquitto_tls_port:
            with contextlib.suppress(OSError):
                certificates_of(settings)
