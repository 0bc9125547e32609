"""What `smartwatch doctor` says about the processes: whether those that run are ready, or whether ports are free."""

from __future__ import annotations

import os
from collections.abc import Iterator

from services.core.platform.settings import Settings
from services.devstack.findings import Finding
from services.devstack.installation import BACKUP_PORT, PREFIX, PROCESSES
from services.devstack.instance import PREFERRED_PORTS
from services.devstack.ports import is_free
from services.devstack.readiness import fetch_readiness


def ports(settings: Settings) -> Iterator[Finding]:
    """Before a start only the configured ports must be free; the others are chosen anew."""
    for name in PREFERRED_PORTS:
        variable = f"{PREFIX}{name.upper()}"
        port = int(getattr(settings, name))
        if port == 0 or is_free(port):
            continue
        if variable in os.environ:
            yield Finding(name, ok=False, what=f"{port} is taken", mend=f"end what listens there, or change {variable}")
        else:
            yield Finding(name, ok=True, what=f"{port} is taken: another will be chosen")


def _health_ports(settings: Settings) -> dict[str, int]:
    of_backups = {"backup": BACKUP_PORT} if settings.backup_dir else {}
    return {name: int(getattr(settings, setting)) for name, setting in {**PROCESSES, **of_backups}.items()}


def serves(settings: Settings) -> bool:
    """Return whether a process with these settings answers on this machine."""
    return any("process" not in fetch_readiness(port).reasons for port in _health_ports(settings).values() if port)


def processes(settings: Settings) -> Iterator[Finding]:
    """Check each process that runs by its `/readyz`."""
    for name, port in _health_ports(settings).items():
        if port == 0:
            yield Finding(name, ok=True, what="its health page is turned off")
            continue
        unwell = fetch_readiness(port).reasons
        summary = ", ".join(f"{part}: {reason}" for part, reason in unwell.items())
        mend = f"see its log: `journalctl -u smartwatch-{name}`, or log/{name}.log below the instance's folder"
        yield Finding(name, not unwell, summary or "ready", mend)
