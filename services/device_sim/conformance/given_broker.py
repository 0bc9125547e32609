"""The endpoint of a check at a broker that is there already: the check is its client, as a backend is.

A client does not see CONNECT, SUBACK, PUBACK or the retain flag, and cannot refuse a log-in or cut a connection:
sentences about those stay "not seen", and steps that need them are cut short.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.conformance.steps import StepSkippedError
from services.device_sim.watch.mqtt_connection import BrokerAddress, ConnectionLostError, Login, MqttConnection
from services.device_sim.watch.mqtt_packets import Published
from services.protocol.topics import ROOT

_LEVELS_BEFORE = 4  # sw/v1/<user>/up


@dataclass(frozen=True)
class GivenBroker:
    """Where a broker is and how the check logs in: it needs to read `sw/v1/+/up/#` and to write `sw/v1/+/down/#`."""

    host: str
    port: int
    username: str
    password: str
    tls: ssl.SSLContext | None = None


class BrokerClientEndpoint:
    """Takes the place of `Endpoint`. `took` is called with each frame that can be seen, in order."""

    sees_connections = False

    def __init__(self, took: Callable[[Frame], None], broker: GivenBroker) -> None:
        self._took = took
        self._broker = broker
        self._connection: MqttConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._to_send: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._conns: dict[str, str] = {}
        self._connections = 0
        self.refused: set[str] = set()
        self.passwords: dict[str, str] = {}
        self.port = broker.port

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Log in and subscribe; where the watch is to go is the broker's address. Raises OSError."""
        del host, port, tls
        broker = self._broker
        login = Login(broker.username, broker.password, f"check-{secrets.token_hex(4)}")
        try:
            self._connection = await MqttConnection.open(BrokerAddress(broker.host, broker.port, broker.tls), login)
            await self._connection.subscribe(f"{ROOT}/+/up/#")
        except ConnectionLostError as error:
            raise OSError(0, f"the broker {broker.host}:{broker.port} is not to be used: {error.reason}") from None
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._speak())]

    async def stop(self) -> None:
        """Leave the broker."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()

    def is_connected(self, user: str) -> bool:
        """Return whether this user said something and has not gone since."""
        return user in self._conns

    def cut(self, user: str) -> None:
        """Raise StepSkippedError: only a broker can do that."""
        del user
        self.refused.clear()
        raise StepSkippedError("a check at a given broker can neither cut a connection nor refuse a log-in")

    def send(self, user: str, level: str, payload: bytes) -> bool:
        """Publish to a user's `down/` with QoS 1; return whether the user was there a moment ago."""
        topic = f"{ROOT}/{user}/down/{level}"
        self._tell(FrameKind.SENT, user, level, topic, payload)
        self._to_send.put_nowait((topic, payload))
        return self.is_connected(user)

    # ---------------------------------------------------------------- inside

    async def _speak(self) -> None:
        while self._connection is not None:
            topic, payload = await self._to_send.get()
            with contextlib.suppress(ConnectionLostError):
                await self._connection.publish(topic, payload)

    async def _listen(self) -> None:
        if self._connection is None:
            return
        with contextlib.suppress(ConnectionLostError):
            async for message in self._connection.messages():
                self._take(message)

    def _take(self, message: Published) -> None:
        parts = message.topic.split("/")
        user, level = parts[2], "/".join(parts[_LEVELS_BEFORE:])
        if level in {"hello", "pairing"} or user not in self._conns:
            conn = _field(message.payload, "conn")
            if level == "pairing" or conn != self._conns.get(user):
                self._connections += 1
            self._conns[user] = conn
        qos = 0 if message.packet_id is None else 1
        self._tell(FrameKind.PUBLISH, user, level, message.topic, message.payload, qos)
        if level == "status" and _field(message.payload, "state") in {"offline", "off", "asleep"}:
            self._conns.pop(user, None)
            self._tell(FrameKind.LOST, user, "", "", b"")

    def _tell(self, kind: FrameKind, user: str, level: str, topic: str, payload: bytes, qos: int = 1) -> None:
        at_s = asyncio.get_running_loop().time()
        self._took(Frame(kind, at_s, self._connections, user, level, topic, payload, qos))


def _field(payload: bytes, name: str) -> str:
    try:
        fields = json.loads(payload)
    except (ValueError, UnicodeDecodeError):
        return ""
    return str(fields.get(name, "")) if isinstance(fields, dict) else ""
