"""The broker's folder: held by one process, every file in it verified before Mosquitto reads it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from services.broker.access import verify_access
from services.broker.certificates import fit_together
from services.broker.configuration import BrokerConfiguration, render_configuration, render_reload_configuration
from services.broker.errors import DescriptorsExhaustedError, FolderInUseError, PasswordFileBrokenError
from services.broker.files import broker_owner, make_folder, replace_file
from services.broker.passwords import (
    PROBE_USERNAME,
    BrokerLogin,
    is_password_file,
    render_passwords,
    verify_passwords,
)
from services.broker.persistence import is_damaged
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.descriptors import is_exhaustion

log = structlog.get_logger()

_LOCK_RETRY_S: Final = 0.02
# A file set aside can hold what a child said. What is erased is gone everywhere within 24 hours.
BROKEN_KEPT_S: Final = 20 * 3600.0


class BrokerFolder:
    """The files of one Mosquitto: configuration, access file, password file, certificate, persistence."""

    def __init__(self, configuration: BrokerConfiguration) -> None:
        self.configuration = configuration
        self.path = configuration.folder.resolve()
        self.owner = broker_owner()
        self.state = self.path / "state/mosquitto.db"
        self._passwords = self.path / "passwords"
        self._passwords_written: bytes | None = None
        self._certificate: tuple[bytes, bytes] | None = None
        self._lock: int | None = None

    @property
    def lock(self) -> int:
        """The descriptor that holds the folder; a Mosquitto that inherits it holds the folder as long as it lives."""
        if self._lock is None:
            raise RuntimeError("the folder is not held")
        return self._lock

    async def hold(self, wait_s: float) -> None:
        """Hold the folder, so that no two Mosquittos share a state; raises FolderInUseError after ``wait_s``."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700 if self.owner is None else 0o755)
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    await asyncio.sleep(_LOCK_RETRY_S)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, TimeoutError):
                raise FolderInUseError(self.path) from error
            raise
        self._lock = descriptor

    def release(self) -> None:
        """Release the folder; a repeat does nothing."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def verify_access(self) -> None:
        """Compare the access file with the packaged one and restore it if it differs; AccessFileBrokenError if not."""
        was_there = (self.path / "acl").exists()
        if verify_access(self.path / "acl", self.owner) and (was_there or self._passwords_written is not None):
            log.critical("broker_access_file_restored")

    def write_configuration(self) -> None:
        """Write what Mosquitto reads at its start, except the passwords, and make the folder of the state."""
        make_folder(self.path / "state", self.owner)
        self._certificate = None
        self.write_certificate()
        self._write_configuration(render_configuration(self.configuration))

    def write_reload_configuration(self) -> None:
        """Replace the configuration by the one for SIGHUP; call it once Mosquitto has read the first one."""
        self._write_configuration(render_reload_configuration(self.configuration))

    def write_passwords(self, users: Mapping[str, str]) -> str:
        """Write the password file with these users (name to hash) and a fresh probe; return the probe's password.

        What was there before is verified: a file that is not as this process or an earlier one wrote it is set aside.
        The new file is read back. Raises PasswordFileBrokenError when it cannot be written or verified,
        DescriptorsExhaustedError when a retry is all that is needed.
        """
        probe_password = new_secret()
        users = {**users, PROBE_USERNAME: mosquitto_hash(probe_password)}
        content = render_passwords(BrokerLogin(*user) for user in users.items())
        try:
            if self._passwords_are_damaged():
                self._set_aside(self._passwords)
                log.critical("broker_password_file_damaged")
            replace_file(self._passwords, content, self.owner)
        except OSError as error:
            if is_exhaustion(error):
                raise DescriptorsExhaustedError from error
            raise PasswordFileBrokenError(self._passwords, "it cannot be written") from error
        verify_passwords(self._passwords, users)
        self._passwords_written = content
        return probe_password

    def write_certificate(self) -> bool:
        """Copy certificate and key to where Mosquitto's user can read them; return whether they are new.

        A pair of which one half is renewed before the other, or is being replaced, is left for the next call.
        """
        certificate_file, key_file = self.configuration.certificate_file, self.configuration.key_file
        if not self.configuration.tls_port or certificate_file is None or key_file is None:
            return False
        try:
            pair = (certificate_file.read_bytes(), key_file.read_bytes())
        except FileNotFoundError:
            if self._certificate is None:
                raise
            return False
        if pair == self._certificate or (self._certificate is not None and not fit_together(*pair)):
            return False
        replace_file(self.path / "key.pem", pair[1], self.owner)
        replace_file(self.path / "certificate.pem", pair[0], self.owner)
        self._certificate = pair
        return True

    def verify_state(self) -> None:
        """Set a damaged persistence file aside: Mosquitto would not start with it, or read only a part of it.

        Nothing confirmed is lost: what has a receipt is in Postgres, and watches repeat what has none.
        """
        if is_damaged(self.state):
            self.set_state_aside()

    def set_state_aside(self) -> bool:
        """Rename the persistence file to ``.broken``, replacing an earlier one; return whether there was one."""
        try:
            self._set_aside(self.state)
        except FileNotFoundError:
            return False
        log.critical("broker_state_damaged", set_aside=f"{self.state.name}.broken")
        return True

    def state_bytes(self) -> int:
        """Return the size of the persistence file, 0 when there is none."""
        try:
            return self.state.stat().st_size
        except FileNotFoundError:
            return 0

    def purge_broken(self) -> None:
        """Delete files that were set aside 20 hours ago or earlier."""
        for broken in (*self.path.glob("*.broken"), *self.path.glob("state/*.broken")):
            with contextlib.suppress(OSError):
                if broken.stat().st_mtime < time.time() - BROKEN_KEPT_S:
                    shutil.rmtree(broken) if broken.is_dir() else broken.unlink()

    def _write_configuration(self, text: str) -> None:
        replace_file(self.path / "mosquitto.conf", text.encode(), self.owner)

    def _passwords_are_damaged(self) -> bool:
        try:
            content = self._passwords.read_bytes()
        except FileNotFoundError:
            return False
        except OSError as error:
            if is_exhaustion(error):
                raise
            return True
        if self._passwords_written is not None:
            return content != self._passwords_written
        return not is_password_file(content)

    @staticmethod
    def _set_aside(path: Path) -> None:
        broken = path.with_name(f"{path.name}.broken")
        path.replace(broken)
        os.utime(broken)  # it is purged so many hours after it was set aside
