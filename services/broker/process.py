"""One Mosquitto as a child: started from verified files, restarted when it ends, its users replaced while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import structlog

from services.broker.child import start_mosquitto
from services.broker.configuration import BrokerConfiguration, local_host
from services.broker.connections import Connections
from services.broker.errors import (
    AccessFileBrokenError,
    BrokerError,
    MosquittoNotServingError,
    PasswordFileBrokenError,
    UsersNotInForceError,
)
from services.broker.folder import BrokerFolder
from services.broker.log_lines import ClientConnected, ClientGone, is_refused_will, read_line
from services.broker.passwords import BACKEND_USERNAME, PROBE_USERNAME, BrokerLogin, is_watch_login
from services.broker.persistence import is_refusal, session_sizes
from services.broker.probe import probe_login
from services.core.platform.crypto.broker_password import mosquitto_hash, mosquitto_hash_fits
from services.core.platform.log.rate_limited import RateLimitedLog, RateLimiter
from services.core.platform.retrying import run_with_retries

log = structlog.get_logger()

# Starting takes 50 ms, or as long as reading a full queue back (64 MiB: under a second); the rest is for slow machines.
_START_DEADLINE_S: Final = 15.0
_RELOAD_DEADLINE_S: Final = 5.0
_STOP_DEADLINE_S: Final = 10.0
_PROBE_EVERY_S: Final = 0.02
# Access that is taken away is gone within 5 s, even if no password file can be written: Mosquitto is then stopped.
_REVOKED_WITHIN_S: Final = 4.0
_LINES_KEPT: Final = 30
_KIND_CHARS: Final = 24
# Two crashes in a row before it serves are taken for the file's fault.
_CRASHES_BEFORE_SET_ASIDE: Final = 2


class MosquittoProcess:
    """Mosquitto with a given configuration and given users.

    ``start`` raises BrokerError when Mosquitto cannot serve; from then on a Mosquitto that ends is started again until
    ``stop``. ``set_logins`` returns once Mosquitto has shown that the new users, and only they, are in force.
    """

    def __init__(
        self,
        configuration: BrokerConfiguration,
        binary: Path,
        backend_password: str,
        *,
        folder_wait_s: float = _STOP_DEADLINE_S,
        on_login: Callable[[str, int, str], None] = lambda _address, _port, _username: None,
        on_refused_will: Callable[[], None] = lambda: None,
        on_event: Callable[[ClientConnected | ClientGone], None] = lambda _event: None,
    ) -> None:
        """``on_login`` is called with the address and port from which a client that was let in has connected, and its
        user name.

        ``on_refused_will`` is called when a client was refused because of its will; Mosquitto does not say which.
        ``on_event`` is called with every connection and its end.
        """
        self.configuration = configuration
        self.files = BrokerFolder(configuration)
        self.folder = self.files.path
        self.connections = Connections()
        self.restarts = 0
        self.refused_logins = 0
        # None while Mosquitto serves with the newest users, else a short reason for the health page.
        self.problem: str | None = "not started"
        self._binary = binary
        self._folder_wait_s = folder_wait_s
        self._on_login = on_login
        self._on_refused_will = on_refused_will
        self._on_event = on_event
        self._backend = {BACKEND_USERNAME: mosquitto_hash(backend_password)}
        self._logins: dict[str, str] = {}
        self._probe_password = ""
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._recent_lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._line_limiter = RateLimiter()
        self._limited_log = RateLimitedLog()
        self._lock = asyncio.Lock()
        self._revocation_due_s: float | None = None
        self._crashes = 0
        self._stopping = False

    def epoch(self) -> int | None:
        """Return the number of this run of Mosquitto, None while the users that should be in force are not."""
        return None if self.problem is not None else self.restarts

    @property
    def pid(self) -> int | None:
        """The process id of the running Mosquitto; None while there is none."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    def password_fits(self, username: str, password: str) -> bool:
        """Return whether this is the password of a watch that may log in."""
        return mosquitto_hash_fits(password, self._logins.get(username, ""))

    async def start(self, logins: Collection[BrokerLogin] = ()) -> None:
        """Verify and write every file, start Mosquitto and return when it serves its probe; BrokerError if it does not.

        When the access file or the password file can be neither verified nor replaced, Mosquitto stays down, this
        returns with ``problem`` set, and the start is repeated until it succeeds.
        """
        self._stopping = False
        await self.files.hold(self._folder_wait_s)
        try:
            async with self._lock:
                self._replace_logins(logins)
                with contextlib.suppress(AccessFileBrokenError, PasswordFileBrokenError):
                    await self._start_once()
        except BaseException:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep_running())

    async def set_logins(self, logins: Collection[BrokerLogin]) -> bool:
        """Replace the watches' users; return whether anything changed. Removed and changed users are disconnected.

        A repeat with the same users changes nothing. Raises UsersNotInForceError (or another BrokerError) when
        Mosquitto does not show that they are in force: call again.
        """
        async with self._lock:
            changed = self._replace_logins(logins)
            if not changed and self.problem is None:
                return False
            if self.pid is None:
                raise MosquittoNotServingError("mosquitto is being started again", [])
            self.problem = "the newest users are not in force yet"
            await self._reload()
            return changed

    async def verify_files(self) -> None:
        """Verify what may have changed on the disk: restore the access file or stop Mosquitto; load a new certificate.

        Raises BrokerError when that fails; called every few seconds, it costs two small reads.
        """
        async with self._lock:
            if self.pid is not None:
                self._verify_access_or_stop()
                if self.files.write_certificate():
                    await self._reload()

    async def wait_until_given_up(self) -> None:
        """Wait as long as Mosquitto is kept running; raises what ended that, a fault of this class."""
        if self._keeper is not None:
            await asyncio.shield(self._keeper)

    async def stop(self) -> None:
        """End Mosquitto in order (it saves its queues) and release the folder; a repeat does nothing."""
        self._stopping = True
        self.problem = "stopped"
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._end_child()
        self.files.release()

    def _replace_logins(self, logins: Collection[BrokerLogin]) -> bool:
        """Remember the watches' users, without those whose name or hash may not be written; return if they changed."""
        wanted = {login.username: login.password_hash for login in logins if is_watch_login(login)}
        if len(wanted) != len(logins):
            log.error("broker_logins_left_out", count=len(logins) - len(wanted))
        changed = wanted != self._logins
        if self._revocation_due_s is None and any(wanted.get(name) != known for name, known in self._logins.items()):
            self._revocation_due_s = time.monotonic() + _REVOKED_WITHIN_S
        self._logins = wanted
        return changed

    def _write_passwords(self) -> None:
        """Write the newest users; Mosquitto is stopped when access could not be taken away in time."""
        try:
            self._probe_password = self.files.write_passwords({**self._logins, **self._backend})
        except PasswordFileBrokenError as error:
            self._limited_log.critical("broker_password_file_broken", reason=error.reason)
            if self.pid is None or (self._revocation_due_s is not None and time.monotonic() > self._revocation_due_s):
                self.problem = error.code
                self._signal(signal.SIGKILL)
            raise

    async def _reload(self) -> None:
        """Write the users with a fresh probe, signal, and return once the probe is let in."""
        self._verify_access_or_stop()
        self._write_passwords()
        self._signal(signal.SIGHUP)
        await self._wait_for_probe(_RELOAD_DEADLINE_S, UsersNotInForceError)
        self._users_in_force()

    def _users_in_force(self) -> None:
        self.problem = None
        self._revocation_due_s = None

    def _verify_access_or_stop(self) -> None:
        try:
            self.files.verify_access()
        except AccessFileBrokenError as error:
            self.problem = error.code
            self._limited_log.critical("broker_access_file_broken", reason=error.reason)
            self._signal(signal.SIGKILL)  # at once: nothing else keeps watches apart
            raise

    async def _start_once(self) -> None:
        self._verify_access_or_stop()
        self.files.write_configuration()
        self._write_passwords()
        await asyncio.to_thread(self.files.verify_state)
        self.connections.begin(await asyncio.to_thread(session_sizes, self.files.state))
        self._recent_lines.clear()
        self._process = await start_mosquitto(
            self._binary, self.folder, self.files.owner, (self.files.lock,)
        )  # fmt: skip
        if self._process.stderr is None:
            raise RuntimeError("mosquitto was started without its pipe")
        self._reader = asyncio.create_task(self._read_log(self._process.stderr))
        try:
            await self._wait_for_probe(_START_DEADLINE_S, None)
            self.files.write_reload_configuration()
        except MosquittoNotServingError:
            is_state_broken = self._crashed_on_state(self._process.returncode)
            await self._end_child()
            if not (is_state_broken and self.files.set_state_aside()):
                raise
            await self._start_once()
            return
        except BaseException:
            await self._end_child()
            raise
        self._crashes = 0
        self.connections.serve()
        self._users_in_force()
        log.info("mosquitto_started", pid=self._process.pid)

    def _crashed_on_state(self, returncode: int | None) -> bool:
        """Return whether a start failed because of the persistence file: Mosquitto said so, or crashed twice."""
        self._crashes = self._crashes + 1 if returncode is not None and returncode < 0 else 0
        return is_refusal(list(self._recent_lines)) or self._crashes >= _CRASHES_BEFORE_SET_ASIDE

    async def _wait_for_probe(self, deadline_s: float, late: type[BrokerError] | None) -> None:
        """Return once Mosquitto lets the probe in with the password that only the newest file holds."""
        configuration = self.configuration
        tls = configuration.tls_port != 0
        host = local_host(configuration.watch_bind if tls else "127.0.0.1")
        port = configuration.tls_port or configuration.plain_port
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while self.pid is not None:
                    if await probe_login(host, port, PROBE_USERNAME, self._probe_password, tls=tls) == 0:
                        return
                    await asyncio.sleep(_PROBE_EVERY_S)
        self.problem = "the newest users are not proven to be in force"
        if late is not None and self.pid is not None:
            raise late("mosquitto does not show that the newest password file is in force")
        if self._reader is not None and self.pid is None:
            await self._reader
        raise MosquittoNotServingError("mosquitto does not serve", list(self._recent_lines)[-5:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _end_child(self) -> None:
        process = self._process
        if process is not None:
            self._signal(signal.SIGTERM)
            try:
                # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the result.
                async with asyncio.timeout(_STOP_DEADLINE_S):
                    await process.wait()
            except TimeoutError:
                self._signal(signal.SIGKILL)
                await process.wait()
        if self._reader is not None:
            await self._reader
            self._reader = None
        self._process = None
        self.connections.end()

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        """Follow Mosquitto's log: connections, refused log-ins, its last lines; none holds a topic or a payload."""
        async for raw in stream:
            line = raw.decode(errors="replace").strip()
            self._recent_lines.append(line)
            event = read_line(line)
            if event is not None:
                self.connections.record(event)
                self._on_event(event)
            if isinstance(event, ClientConnected):
                self._on_login(event.address, event.port, event.username)
            elif is_refused_will(line):
                self._limited_log.warning("broker_will_refused")
                self._on_refused_will()
            elif "not authorised" in line:
                self.refused_logins += 1
            elif line.startswith(("Error", "Warning")):
                # Its first words are its kind; the rest names the connection concerned.
                suppressed = self._line_limiter.allow(line[:_KIND_CHARS])
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
        async def start() -> None:
            async with self._lock:
                await self._end_child()
                await self._start_once()

        def report(error: Exception, attempts: int) -> None:
            log.warning("mosquitto_start_failed", attempt=attempts, reason=getattr(error, "code", "os_error"))

        # Every error is retried: nothing else can bring Mosquitto back.
        await run_with_retries(start, report)
