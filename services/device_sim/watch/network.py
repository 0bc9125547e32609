"""The watch's network: when it connects, under which identity, and how long it waits before it retries."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from services.device_sim.watch.body import WatchBody, watch_tls
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.factory_session import FactorySession
from services.device_sim.watch.mqtt_connection import (
    BrokerAddress,
    ConnectionLostError,
    Login,
    LoginRefusedError,
    MqttConnection,
)
from services.device_sim.watch.mqtt_packets import Will
from services.device_sim.watch.paired_session import PairedSession, will_payload
from services.device_sim.watch.records import FactoryIdentity
from services.device_sim.watch.timings import backoff_s
from services.protocol.topics import Identity, UplinkKind, User, factory_user, parse_user, uplink


@dataclass(frozen=True)
class Address:
    """Configured address of the broker. `tls_ca_file` None: plain MQTT on loopback."""

    host: str
    port: int
    tls_ca_file: str | None


class WatchNetwork:
    """One task that keeps the watch connected as its memory requires."""

    def __init__(self, body: WatchBody, identity: FactoryIdentity, address: Address) -> None:
        self._body = body
        self._identity = identity
        self._address = address
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._connection: MqttConnection | None = None
        self._paired: PairedSession | None = None
        self._factory: FactorySession | None = None
        self._has_network = True
        self._asleep_until: float | None = None
        self._attempt = 0
        self._refused_since: float | None = None

    def start(self) -> None:
        """Start to connect."""
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Disconnect and end."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def is_online(self) -> bool:
        """Whether the hello of the present connection was answered."""
        return self._paired is not None and self._paired.is_online

    def wake(self) -> None:
        """Publish what was just stored, if there is a connection."""
        if self.is_online and self._paired is not None:
            self._paired.wake()

    def look_again(self) -> None:
        """Decide again under which identity to connect, without the wait before the next attempt."""
        self._attempt = 0
        self._changed.set()

    def ask_code(self) -> None:
        """Request a code: connect as factory identity, or ask again on the open connection."""
        if self._factory is not None:
            self._factory.ask_code_again()
        self.look_again()

    @property
    def is_asleep(self) -> bool:
        """Whether the watch sleeps by plan."""
        return self._sleep_left_s() is not None

    def drop_network(self) -> None:
        """Lose the network now; the present connection ends without DISCONNECT."""
        self._has_network = False
        if self._connection is not None:
            self._connection.abort()
        self._changed.set()

    def drop_connection(self) -> None:
        """Lose the present connection only, without DISCONNECT."""
        if self._connection is not None:
            self._connection.abort()

    async def lose_network(self) -> None:
        """Lose the network, and return when the connection has ended."""
        self.drop_network()
        await self._body.events.wait_until(lambda: self._connection is None, self._body.timings.connect_timeout_s)

    def find_network(self) -> None:
        """Find the network again and connect at once."""
        self._has_network = True
        self._asleep_until = None
        self.look_again()

    async def sleep(self, seconds: float) -> None:
        """Announce `asleep` if there is a connection, disconnect, and stay away for this time."""
        now = self._body.server_now()
        if self.is_online and self._paired is not None and now is not None:
            await self._paired.say_asleep(int(now + seconds))
        self._asleep_until = asyncio.get_running_loop().time() + seconds
        self._changed.set()
        await self._body.events.wait_until(lambda: self._connection is None, self._body.timings.connect_timeout_s)

    async def say_off(self) -> None:
        """Announce that the watch is switched off by hand, if there is a connection."""
        if self.is_online and self._paired is not None:
            await self._paired.say_off()

    async def publish_raw(self, level: str, payload: bytes, *, retain: bool) -> None:
        """Publish any bytes as the paired watch."""
        if self._paired is None:
            raise ConnectionLostError("not_connected")
        await self._paired.publish_raw(level, payload, retain=retain)

    # ---------------------------------------------------------------- the one task

    async def _live(self) -> None:
        while True:
            self._changed.clear()
            role = self._role()
            if role is None:
                await self._wait(self._sleep_left_s())
                continue
            if await self._connect_as(role):
                self._attempt = 0
            elif self._role() is role:
                timings = self._body.timings
                wait_s = backoff_s(
                    self._attempt, timings.reconnect_first_s, timings.reconnect_max_s, self._body.random_source
                )
                self._attempt += 1
                await self._wait(wait_s)

    def _role(self) -> Identity | None:
        """Return the identity to connect with now; None: stay offline."""
        if not self._has_network or self._sleep_left_s() is not None:
            return None
        store = self._body.store
        if store.is_pairing_asked():
            return Identity.FACTORY
        return None if store.credentials() is None else Identity.PAIRED

    def _sleep_left_s(self) -> float | None:
        if self._asleep_until is None:
            return None
        left_s = self._asleep_until - asyncio.get_running_loop().time()
        return left_s if left_s > 0 else None

    async def _wait(self, timeout_s: float | None) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _connect_as(self, role: Identity) -> bool:
        """Live through one connection; return whether the next one may follow at once."""
        try:
            if role is Identity.FACTORY:
                await self._live_as_factory(role)
                return True
            return await self._live_as_paired()
        except LoginRefusedError:
            self._body.events.emit(EventKind.LOGIN_REFUSED, username=self._user(role).name)
            if role is Identity.PAIRED:
                await self._ask_after_refusal()
        except ConnectionLostError as error:
            self._body.events.emit(EventKind.OFFLINE, reason=error.reason)
        return False

    def _user(self, role: Identity) -> User:
        credentials = self._body.store.credentials()
        user = parse_user(credentials.username) if role is Identity.PAIRED and credentials is not None else None
        return user or factory_user(self._identity.serial)

    # ---------------------------------------------------------------- as factory identity

    async def _live_as_factory(self, role: Identity) -> None:
        user = factory_user(self._identity.serial)
        login = Login(user.name, self._identity.secret, user.name)
        connection = await self._open(login, self._address.host, self._address.port, will=None)
        try:
            self._factory = FactorySession(self._body, connection, user)
            await self._until_changed(self._factory.run(), role)
        finally:
            self._factory = None
            await self._hang_up(connection)

    async def _ask_after_refusal(self) -> None:
        """Keep everything after a refused log-in. After a minute of refusals ask for the state, then retry."""
        now = asyncio.get_running_loop().time()
        if self._refused_since is None:
            self._refused_since = now
        if now - self._refused_since < self._body.timings.refused_ask_status_s:
            return
        self._refused_since = now
        try:
            await self._live_as_factory(Identity.PAIRED)
        except LoginRefusedError:
            self._body.events.emit(EventKind.LOGIN_REFUSED, username=self._user(Identity.FACTORY).name)
        except ConnectionLostError as error:
            self._body.events.emit(EventKind.OFFLINE, reason=error.reason)

    # ---------------------------------------------------------------- as paired identity

    async def _live_as_paired(self) -> bool:
        credentials = self._body.store.credentials()
        user = None if credentials is None else parse_user(credentials.username)
        if credentials is None or user is None:
            return True
        # The will names this connection: a late will of an older connection changes no presence.
        conn = secrets.token_hex(4)
        will = Will(uplink(user, UplinkKind.STATUS), will_payload(conn))
        login = Login(credentials.username, credentials.password, credentials.client_id)
        plain = self._address.tls_ca_file is None
        host, port = (self._address.host, self._address.port) if plain else (credentials.host, credentials.port)
        connection = await self._open(login, host, port, will=will)
        self._refused_since = None
        self._paired = session = PairedSession(self._body, connection, user, conn)
        try:
            await self._until_changed(session.run(), Identity.PAIRED)
        finally:
            self._paired = None
            self._body.counters.went_offline()
            if session.is_online:
                self._attempt = 0
            await self._hang_up(connection)
        self._body.events.emit(EventKind.OFFLINE, reason="goodbye")
        return True

    # ---------------------------------------------------------------- one connection

    async def _open(self, login: Login, host: str, port: int, will: Will | None) -> MqttConnection:
        tls = None
        if self._address.tls_ca_file is not None:
            has_clock = self._body.store.server_ahead_s() is not None
            tls = self._body.line.tls(watch_tls(self._address.tls_ca_file, has_clock=has_clock))
        timings = self._body.timings
        self._connection = await MqttConnection.open(
            BrokerAddress(host, port, tls),
            login,
            will=will,
            keepalive_s=timings.keepalive_s,
            timeout_s=timings.connect_timeout_s,
            line=self._body.line,
        )
        return self._connection

    async def _hang_up(self, connection: MqttConnection) -> None:
        try:
            await connection.close()
        finally:
            self._connection = None
            self._body.events.tick()

    async def _until_changed(self, talk: Coroutine[Any, Any, None], role: Identity) -> None:
        """Run a session until it ends or another identity is due; raises what ended it."""
        session = asyncio.create_task(talk)
        try:
            while True:
                change = asyncio.create_task(self._changed.wait())
                try:
                    await asyncio.wait({session, change}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    change.cancel()
                if session.done():
                    session.result()
                    return
                self._changed.clear()
                if self._role() is not role:
                    return
        finally:
            session.cancel()
            await asyncio.gather(session, return_exceptions=True)
