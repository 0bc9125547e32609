"""One Mosquitto as a child: started verified, restarted when it dies, its users replaced while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path

import structlog
import tenacity

from services.broker.access import verify_access
from services.broker.child import start_mosquitto
from services.broker.configuration import BrokerConfiguration, render_configuration
from services.broker.errors import (
    AccessFileBrokenError,
    BrokerError,
    FolderInUseError,
    MosquittoNotServingError,
    UsersNotInForceError,
)
from services.broker.files import broker_owner, make_folder, replace_file
from services.broker.log_lines import ClientConnected, read_line
from services.broker.passwords import (
    BACKEND_USERNAME,
    PROBE_USERNAME,
    BrokerLogin,
    is_watch_login,
    render_passwords,
    verify_passwords,
)
from services.broker.probe import probe_login
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.log.rate_limited import RateLimiter

log = structlog.get_logger()

# Starting takes 50 ms, or as long as reading a full queue back (64 MiB: under a second); the rest is for slow machines.
_START_DEADLINE_S = 15.0
_RELOAD_DEADLINE_S = 5.0
_STOP_DEADLINE_S = 10.0
_PROBE_EVERY_S = 0.02
_LINES_KEPT = 30
_KIND_CHARS = 24


class MosquittoProcess:
    """Mosquitto with a given configuration and given users.

    ``start`` raises BrokerError when it cannot serve; from then on a Mosquitto that dies is started again until
    ``stop``. ``set_logins`` returns once Mosquitto has shown that the new users, and only they, are in force.
    """

    def __init__(
        self,
        configuration: BrokerConfiguration,
        binary: Path,
        backend_password: str,
        *,
        folder_wait_s: float = _STOP_DEADLINE_S,
        on_login: Callable[[str, int], None] = lambda _address, _port: None,
    ) -> None:
        """``on_login`` is called with the address and port from which a client that was let in has connected."""
        self.configuration = configuration
        self.folder = configuration.folder.resolve()
        self.restarts = 0
        self.refused_logins = 0
        self.problem: str | None = "not started"
        self._binary = binary
        self._folder_wait_s = folder_wait_s
        self._on_login = on_login
        self._owner = broker_owner()
        self._backend = {BACKEND_USERNAME: mosquitto_hash(backend_password)}
        self._logins: dict[str, str] = {}
        self._probe_password = ""
        self._certificate: tuple[bytes, bytes] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._said: deque[str] = deque(maxlen=_LINES_KEPT)
        self._log_limiter = RateLimiter()
        self._turn = asyncio.Lock()
        self._folder_lock: int | None = None
        self._stopping = False

    def epoch(self) -> int | None:
        """Return the number of this run of Mosquitto, None while the users that should be in force are not."""
        return None if self.problem is not None else self.restarts

    @property
    def pid(self) -> int | None:
        """The process id of the running Mosquitto; None while there is none."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def start(self, logins: Collection[BrokerLogin] = ()) -> None:
        """Write every file, start Mosquitto and return when it serves its probe; BrokerError if it does not."""
        self._stopping = False
        await self._lock_folder()
        try:
            async with self._turn:
                self._take(logins)
                await self._start_once()
        except BaseException:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep_running())

    async def set_logins(self, logins: Collection[BrokerLogin]) -> bool:
        """Make these the watches' users; return whether anything changed. Whoever is gone or changed is cut off.

        A repeat with the same users changes nothing. Raises UsersNotInForceError (or another BrokerError) when
        Mosquitto does not show that it took them: call again.
        """
        async with self._turn:
            changed = self._take(logins)
            if not changed and self.problem is None:
                return False
            if self.pid is None:
                raise MosquittoNotServingError("mosquitto is being started again", [])
            self.problem = "the newest users are not in force yet"
            await self._reload()
            return changed

    async def verify_files(self) -> None:
        """Notice what changed under us: restore the access file (or stop Mosquitto), take a renewed certificate.

        Raises BrokerError when that fails; called every few seconds, it costs two small reads.
        """
        async with self._turn:
            if self.pid is not None:
                self._verify_access_or_stop()
                if self._write_certificate():
                    await self._reload()

    async def kept(self) -> None:
        """Wait as long as Mosquitto is looked after; raises what ended that, which is a fault of ours."""
        if self._keeper is not None:
            await asyncio.shield(self._keeper)

    async def stop(self) -> None:
        """End Mosquitto in order (it saves its queues) and give the folder free; a repeat does nothing."""
        self._stopping = True
        self.problem = "stopped"
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._end_child()
        if self._folder_lock is not None:
            os.close(self._folder_lock)
            self._folder_lock = None

    def _take(self, logins: Collection[BrokerLogin]) -> bool:
        """Remember the watches' users; leave out (and say how many) those whose name or hash may not be written."""
        wanted = {login.username: login.password_hash for login in logins if is_watch_login(login)}
        if len(wanted) != len(logins):
            log.error("broker_logins_left_out", count=len(logins) - len(wanted))
        changed = wanted != self._logins
        self._logins = wanted
        return changed

    async def _lock_folder(self) -> None:
        """Hold the folder for us and for every Mosquitto we start: none may write a state that another reads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700 if self._owner is None else 0o755)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            async with asyncio.timeout(self._folder_wait_s):
                while True:
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    await asyncio.sleep(_PROBE_EVERY_S)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, TimeoutError):
                raise FolderInUseError(self.folder) from error
            raise
        self._folder_lock = descriptor

    def _write_passwords(self) -> None:
        """Write the password file with a fresh probe, and read it back before anyone is told."""
        self._probe_password = new_secret()
        users = {**self._logins, **self._backend, PROBE_USERNAME: mosquitto_hash(self._probe_password)}
        path = self.folder / "passwords"
        replace_file(path, render_passwords(BrokerLogin(*user) for user in users.items()), self._owner)
        verify_passwords(path, users)

    def _write_certificate(self) -> bool:
        """Copy certificate and key to where Mosquitto's user can read them; return whether they are new."""
        certificate_file, key_file = self.configuration.certificate_file, self.configuration.key_file
        if not self.configuration.tls_port or certificate_file is None or key_file is None:
            return False
        pair = (certificate_file.read_bytes(), key_file.read_bytes())
        if pair == self._certificate:
            return False
        replace_file(self.folder / "key.pem", pair[1], self._owner)
        replace_file(self.folder / "certificate.pem", pair[0], self._owner)
        self._certificate = pair
        return True

    def _write_files(self) -> None:
        make_folder(self.folder / "state", self._owner)
        self._certificate = None
        self._write_certificate()
        replace_file(self.folder / "mosquitto.conf", render_configuration(self.configuration).encode(), self._owner)
        self._write_passwords()

    async def _reload(self) -> None:
        """Write the users with a fresh probe, signal, and return once the probe is let in."""
        self._verify_access_or_stop()
        self._write_passwords()
        self._signal(signal.SIGHUP)
        await self._wait_for_probe(_RELOAD_DEADLINE_S, UsersNotInForceError)
        self.problem = None

    def _verify_access_or_stop(self) -> None:
        try:
            if verify_access(self.folder / "acl", self._owner) and self._process is not None:
                log.error("broker_access_file_restored")
        except AccessFileBrokenError as error:
            self.problem = error.code
            log.critical("broker_access_file_broken", reason=error.reason)
            self._signal(signal.SIGKILL)  # at once: nothing else keeps watches apart
            raise

    async def _start_once(self) -> None:
        if self._folder_lock is None:
            raise RuntimeError("the folder is not held")
        self._verify_access_or_stop()
        self._write_files()
        self._said.clear()
        self._process = await start_mosquitto(self._binary, self.folder, self._owner, (self._folder_lock,))
        if self._process.stderr is None:
            raise RuntimeError("mosquitto was started without its pipe")
        self._reader = asyncio.create_task(self._listen(self._process.stderr))
        try:
            await self._wait_for_probe(_START_DEADLINE_S, None)
        except BaseException:
            await self._end_child()
            raise
        self.problem = None
        log.info("mosquitto_started", pid=self._process.pid)

    async def _wait_for_probe(self, deadline_s: float, late: type[BrokerError] | None) -> None:
        """Return once Mosquitto lets the probe in with the password that only the newest file holds."""
        configuration = self.configuration
        tls = configuration.tls_port != 0
        bind = configuration.watch_bind if tls else "127.0.0.1"
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - not binding
        port = configuration.tls_port or configuration.plain_port
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while self.pid is not None:
                    if await probe_login(host, port, PROBE_USERNAME, self._probe_password, tls=tls) == 0:
                        return
                    await asyncio.sleep(_PROBE_EVERY_S)
        self.problem = "the newest users are not proven to be in force"
        if late is not None and self.pid is not None:
            raise late("mosquitto does not show that it took the newest password file")
        if self._reader is not None and self.pid is None:
            await self._reader
        raise MosquittoNotServingError("mosquitto does not serve", list(self._said)[-5:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _end_child(self) -> None:
        process = self._process
        if process is not None:
            self._signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _STOP_DEADLINE_S)
            except TimeoutError:
                self._signal(signal.SIGKILL)
                await process.wait()
        if self._reader is not None:
            await self._reader
            self._reader = None
        self._process = None

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """Keep the end of what Mosquitto says and count logins it refused; its lines hold no topic and no payload."""
        async for raw in stream:
            line = raw.decode(errors="replace").strip()
            self._said.append(line)
            event = read_line(line)
            if isinstance(event, ClientConnected):
                self._on_login(event.address, event.port)
            elif "not authorised" in line:
                self.refused_logins += 1
            elif line.startswith(("Error", "Warning")):
                # Its first words are its kind; what follows is the connection concerned.
                suppressed = self._log_limiter.allow(line[:_KIND_CHARS])
                if suppressed is not None:
                    log.warning("mosquitto_said", line=line, suppressed=suppressed)

    async def _keep_running(self) -> None:
        """Start Mosquitto again whenever it ends by itself; wait longer each time it does not come up."""
        while not self._stopping:
            if self._process is not None:
                returncode = await self._process.wait()
                self.restarts += 1
                if self.problem is None:
                    self.problem = "mosquitto ended"
                log.error("mosquitto_ended", returncode=returncode)
            await self._start_again()

    async def _start_again(self) -> None:
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(
                Exception
            ),  # whatever the reason: trying again is all there is to do
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=10, jitter=0.2),
            after=lambda state: log.warning(
                "mosquitto_start_failed",
                attempt=state.attempt_number,
                reason=getattr(state.outcome and state.outcome.exception(), "code", "os_error"),
            ),
        ):
            with attempt:
                async with self._turn:
                    await self._end_child()
                    await self._start_once()
