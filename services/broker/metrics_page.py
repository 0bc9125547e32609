"""The gauges of the broker process: Mosquitto, the gate, what sessions hold, and the certificate's end."""

from __future__ import annotations

from pathlib import Path

from services.broker.certificates import expires_at
from services.broker.gate import Gate
from services.broker.process import MosquittoProcess
from services.broker.sessions import SessionLimits
from services.core.platform.metrics.page import MetricsPage, disks_of
from services.core.platform.settings import Settings


def metrics_page(settings: Settings, broker: MosquittoProcess, gate: Gate, sessions: SessionLimits) -> MetricsPage:
    """Return the page of the broker process."""
    page = MetricsPage("broker", disks_of(settings) | {"mosquitto": settings.mosquitto_dir.absolute()})
    certificate_file = broker.configuration.certificate_file
    page.gauge(
        "mosquitto_serving", "1 while Mosquitto serves with the newest users.", lambda: float(broker.problem is None)
    )
    page.gauge("mosquitto_restarts", "Restarts of Mosquitto since this process began.", lambda: broker.restarts)
    page.gauge("mosquitto_refused", "Log-ins and packets that Mosquitto refused.", lambda: broker.refused_logins)
    page.gauge("watches_connected", "Watches that are connected now.", lambda: broker.connections.watches_connected)
    page.gauge("gate_open", "1 while the watches' port is open.", lambda: float(gate.is_open))
    page.gauge("gate_connections", "Connections through the gate.", lambda: gate.connections)
    page.gauge("gate_connections_max", "The most that its descriptors allow.", lambda: gate.connections_max)
    page.gauge("gate_pending", "Connections that have not logged in.", lambda: gate.pending)
    page.gauge("gate_failing_addresses", "Addresses with a failed log-in lately.", lambda: gate.failing_addresses)
    page.gauge(
        "broker_session_bytes", "Bytes that Mosquitto keeps for sessions: the uplink session of the bridge, watches.",
        lambda: sessions.kept_bytes, label="session",
    )  # fmt: skip
    page.gauge(
        "certificate_expiry_timestamp_seconds", "When the watches' certificate expires.",
        lambda: _expiry(certificate_file), label="listener",
    )  # fmt: skip
    return page


def _expiry(certificate_file: Path | None) -> dict[str, float]:
    at = None if certificate_file is None else expires_at(certificate_file)
    return {} if at is None else {"watches": at.timestamp()}
