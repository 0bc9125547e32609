"""One instance: a folder below var/ with the files of one installation, and the lock of the process that runs it.

var/<name>/lock           held while it runs; the file stays, the lock does not
var/<name>/secrets.json   made at random once, readable by their owner only
var/<name>/ports.json     remembered, so that addresses stay the same; chosen again when taken by others
var/<name>/environment    while it runs: the settings of its processes, for chores from another terminal
var/<name>/postgres, mosquitto, log, blobs, sms.jsonl, erasures.jsonl
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from services.devstack.ports import PortClaims

# Usual ports, taken when they are free. A packaged Mosquitto may hold 1883, another checkout any of them.
PREFERRED_PORTS: Mapping[str, range] = {
    "api_port": range(8080, 8081),
    "bridge_health_port": range(8081, 8082),
    "broker_health_port": range(8082, 8083),
    "worker_health_port": range(8083, 8084),
    "api_health_port": range(8085, 8086),
    "backup_health_port": range(8084, 8085),
    "mosquitto_plain_port": range(1883, 1884),
    "mqtt_backend_port": range(1884, 1885),
    "mosquitto_tls_port": range(8883, 8884),
    "mosquitto_inner_port": range(8885, 8886),
}


# Five seconds in all: whoever only asks is done long before.
_LOCK_TRIES = 500
_LOCK_PAUSE_S = 0.01


class InstanceInUseError(Exception):
    """Another process runs this instance; `process_id` is empty until that process has written it."""

    def __init__(self, folder: Path, process_id: str) -> None:
        super().__init__(f"{folder} is run by process {process_id or 'unknown'}")
        self.folder = folder
        self.process_id = process_id


@dataclass
class Instance:
    """The folder of one instance, locked by this process until `release`."""

    folder: Path
    _lock: IO[str]
    ports: dict[str, int] = field(default_factory=dict)
    _claims: PortClaims = field(default_factory=PortClaims)

    @property
    def name(self) -> str:
        """The folder's name, as given to `smartwatch up --instance`."""
        return self.folder.name

    def release(self) -> None:
        """Unlock the instance. A repeat does nothing."""
        (self.folder / "environment").unlink(missing_ok=True)
        self._claims.release()
        self._lock.close()

    def choose_ports(self, given: Mapping[str, int], taken_ports: Iterable[int] = ()) -> dict[str, int]:
        """Choose a port for every listener: the given one, that of the last run if free, the usual one, or any.

        `taken_ports` are not to be used, whatever they look like now. All differ, and are claimed until `release`;
        remembered for the next start.
        """
        remembered = _read_json(self.folder / "ports.json")
        self._claims.release()
        chosen = dict(given)
        for name, usual in PREFERRED_PORTS.items():
            if name not in chosen:
                before = remembered.get(name)
                first = [before] if isinstance(before, int) else []
                chosen[name] = self._claims.free_port([*first, *usual], avoid={*chosen.values(), *taken_ports})
        write_private(self.folder / "ports.json", json.dumps(chosen, indent=2) + "\n")
        self.ports = chosen
        return chosen

    def secrets(self) -> dict[str, str]:
        """Return the instance's random secrets, generated at the first call."""
        file = self.folder / "secrets.json"
        kept = _read_json(file)
        fresh = {
            "master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
            "token_keys": f"{secrets.token_hex(4)}:{secrets.token_urlsafe(48)}",
            "mqtt_backend_password": secrets.token_urlsafe(32),
        }
        if missing := fresh.keys() - kept.keys():
            kept |= {name: fresh[name] for name in missing}
            write_private(file, json.dumps(kept, indent=2) + "\n")
        return {name: str(kept[name]) for name in fresh}

    def write_environment(self, settings: Mapping[str, str]) -> None:
        """Write the settings of the processes for chores: one NAME=value per line, readable by the owner only."""
        write_private(
            self.folder / "environment", "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))
        )


def acquire_instance(var: Path, name: str = "default", *, or_next: bool = False) -> Instance:
    """Lock the instance of that name; with `or_next` and a running one, the first free of name-2, name-3 ...

    Raises InstanceInUseError when it runs already.
    """
    names = (f"{name}-{number}" if number > 1 else name for number in range(1, 100 if or_next else 2))
    refusal = InstanceInUseError(var / name, "")
    for candidate in names:
        try:
            return _hold((var / candidate).absolute())
        except InstanceInUseError as error:
            refusal = error
    raise refusal


def is_running(folder: Path) -> bool:
    """Return whether a process runs the instance. The lock file alone proves nothing: it stays."""
    try:
        with (folder / "lock").open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lock(lock: IO[str]) -> bool:
    """Lock the file for this process; return False when another process runs the instance.

    `is_running` asks with a shared lock, which it holds for an instant. While a shared lock can be had, no process runs
    the instance, so that the exclusive one is tried again.
    """
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(_LOCK_PAUSE_S)
    return False


def _hold(folder: Path) -> Instance:
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+", encoding="utf-8")
    if not _lock(lock):
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise InstanceInUseError(folder, holder)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return Instance(folder, lock)


def write_private(file: Path, text: str) -> None:
    """Write a file readable by its owner only; it appears under its name once complete."""
    coming = file.with_name(f"{file.name}.coming")
    coming.unlink(missing_ok=True)
    with os.fdopen(os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    coming.rename(file)


def _read_json(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}
