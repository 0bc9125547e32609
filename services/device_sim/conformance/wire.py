"""A watch's place on the wire: one connection to the backend under test, and all that came over it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.watch.mqtt_connection import BrokerAddress, ConnectionLostError, Login, MqttConnection
from services.device_sim.watch.mqtt_packets import Will
from services.protocol.topics import ROOT

_WITHIN_S = 10.0


class Wire:
    """One identity's connection. Frames of all its connections stand in `trace`."""

    def __init__(self, address: BrokerAddress, user: str, password: str, trace: list[Frame]) -> None:
        self._address = address
        self._password = password
        self._tick = asyncio.Event()
        self._connection: MqttConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connections = 0
        self.user = user
        self.trace = trace
        self.is_lost = False

    def another(self) -> Wire:
        """Return a second wire of the same identity."""
        return Wire(self._address, self.user, self._password, self.trace)

    async def connect(self, will: Will | None = None) -> None:
        """Log in and subscribe; raises ConnectionLostError or LoginRefusedError."""
        login = Login(self.user, self._password, self.user)
        self._connection = await MqttConnection.open(self._address, login, will=will, keepalive_s=600)
        self._connections += 1
        self.is_lost = False
        await self._connection.subscribe(f"{ROOT}/{self.user}/down/#")
        self._reading = asyncio.create_task(self._read(self._connection))

    async def subscribe(self, topic_filter: str, qos: int = 1) -> int:
        """Subscribe to any filter; return the granted QoS."""
        return await self._open().subscribe(topic_filter, qos=qos)

    async def close(self) -> None:
        """Say goodbye; repeating the call does nothing."""
        connection, self._connection = self._connection, None
        reading, self._reading = self._reading, None
        if connection is not None:
            await connection.close()
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def abort(self) -> None:
        """Vanish, so that the will is sent."""
        if self._connection is not None:
            self._connection.abort()

    def _open(self) -> MqttConnection:
        if self._connection is None:
            raise ConnectionLostError("not_connected")
        return self._connection

    async def _read(self, connection: MqttConnection) -> None:
        head = f"{ROOT}/{self.user}/down/"
        try:
            async for message in connection.messages():
                self._keep(FrameKind.SENT, message.topic.removeprefix(head), message.topic, message.payload)
        except ConnectionLostError:
            self.is_lost = True
            self._keep(FrameKind.LOST, "", "", b"")

    def _keep(self, kind: FrameKind, level: str, topic: str, payload: bytes) -> None:
        at_s = asyncio.get_running_loop().time()
        self.trace.append(Frame(kind, at_s, self._connections, self.user, level, topic, payload))
        self._tick.set()

    # ---------------------------------------------------------------- saying and hearing

    def mark(self) -> int:
        """Return the place in the trace, for `after`."""
        return len(self.trace)

    async def say(self, level: str, content: dict[str, Any] | list[Any] | bytes, *, retain: bool = False) -> int:
        """Publish below `up/`; return the place in the trace from which the answer stands."""
        is_bytes = isinstance(content, bytes)
        payload = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=is_bytes).encode()
        return await self.say_at(f"{ROOT}/{self.user}/up/{level}", payload, retain=retain)

    async def say_at(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish to any topic; return the place in the trace from which the answer stands."""
        self._keep(FrameKind.PUBLISH, "/".join(topic.split("/")[4:]), topic, payload)
        place = len(self.trace)
        await self._open().publish(topic, payload, retain=retain)
        return place

    async def next(
        self,
        level: str,
        *,
        after: int,
        within_s: float = _WITHIN_S,
        **fields: Any,  # noqa: ANN401 - values of JSON
    ) -> Frame | None:
        """Return the first message of this level (`*` is one level) with these fields; None in vain."""
        return await self.find(lambda frame: fits(frame, level, fields), after=after, within_s=within_s)

    async def find(self, wanted: Callable[[Frame], bool], *, after: int, within_s: float = _WITHIN_S) -> Frame | None:
        """Return the first frame since `after` that fits; None in vain."""
        place = after
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    while place < len(self.trace):
                        frame = self.trace[place]
                        place += 1
                        if wanted(frame):
                            return frame
                    self._tick.clear()
                    await self._tick.wait()
        return None

    def came(self, level: str, *, after: int, **fields: Any) -> list[Frame]:  # noqa: ANN401 - values of JSON
        """Return the messages of this level with these fields since a mark."""
        return [frame for frame in self.trace[after:] if fits(frame, level, fields)]


def fits(frame: Frame, level: str, fields: dict[str, Any]) -> bool:
    """Return whether a message came on a level with these fields."""
    wanted, given = level.split("/"), frame.level.split("/")
    return (
        frame.kind is FrameKind.SENT
        and len(wanted) == len(given)
        and all(part in {"*", other} for part, other in zip(wanted, given, strict=True))
        and all(frame.fields.get(name) == value for name, value in fields.items())
    )
