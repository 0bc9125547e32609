"""A minimal MQTT 3.1.1 client over asyncio.Protocol, and a watch made of it. It imports nothing of the product."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

OnMessage = Callable[["Mqtt", str, bytes, int], None]
_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 2, 3, 4, 9
_TIME_WITHIN_S: Final = 60


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, digit = size >> 7, size & 127
        out.append(digit | (128 if size else 0))
        if not size:
            return bytes(out)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def connect_packet(user: str, password: str, client_id: str) -> bytes:
    """Return CONNECT with a clean session and a keepalive of ten minutes."""
    body = (
        _text("MQTT") + bytes([4, 0xC2]) + (600).to_bytes(2, "big") + _text(client_id) + _text(user) + _text(password)
    )
    return b"\x10" + _length(len(body)) + body


def publish_packet(topic: str, payload: bytes, number: int) -> bytes:
    """Return PUBLISH with QoS 1."""
    body = _text(topic) + number.to_bytes(2, "big") + payload
    return b"\x32" + _length(len(body)) + body


class Mqtt(asyncio.Protocol):
    """One connection; ``on_message`` gets client, topic, payload and packet number."""

    def __init__(self, hello: bytes, on_message: OnMessage, *, acknowledges: bool = True) -> None:
        self._hello = hello
        self._on_message = on_message
        self._acknowledges = acknowledges
        self._buffer = bytearray()
        self._number = 0
        loop = asyncio.get_running_loop()
        self.connected: asyncio.Future[None] = loop.create_future()
        self._subscribed: asyncio.Future[None] = loop.create_future()
        self._pubacks: dict[int, asyncio.Future[None]] = {}
        self.name = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.connected, self._subscribed, *self._pubacks.values()):
            if not future.done():
                future.set_exception(exc or ConnectionError("the connection ended"))
                future.exception()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start, size = 0, len(buffer)
        while size - start >= 2:
            at, shift, length = start + 1, 0, 0
            while at < size:
                digit = buffer[at]
                length |= (digit & 127) << shift
                at, shift = at + 1, shift + 7
                if digit < 128:
                    break
            else:
                break
            if at + length > size:
                break
            self._packet(buffer[start], bytes(buffer[at : at + length]))
            start = at + length
        del buffer[:start]

    def _packet(self, head: int, body: bytes) -> None:
        kind = head >> 4
        if kind == _PUBLISH:
            topic_end = 2 + int.from_bytes(body[:2], "big")
            number = int.from_bytes(body[topic_end : topic_end + 2], "big")
            if self._acknowledges:
                self.acknowledge(number)
            self._on_message(self, body[2:topic_end].decode(), body[topic_end + 2 :], number)
        elif kind == _PUBACK:
            waiting = self._pubacks.pop(int.from_bytes(body[:2], "big"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        elif kind == _CONNACK and not self.connected.done():
            if body[1]:
                self.connected.set_exception(PermissionError(f"CONNACK {body[1]}"))
            else:
                self.connected.set_result(None)
        elif kind == _SUBACK and not self._subscribed.done():
            self._subscribed.set_result(None)

    def acknowledge(self, number: int) -> None:
        """Send a PUBACK."""
        self.transport.write(b"\x40\x02" + number.to_bytes(2, "big"))

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1 and forget."""
        self._number = self._number % 65535 + 1
        self.transport.write(publish_packet(topic, payload, self._number))

    def publish_acknowledged(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Publish with QoS 1; the future is set by the PUBACK."""
        self.publish(topic, payload)
        future = self._pubacks[self._number] = asyncio.get_running_loop().create_future()
        return future

    async def subscribe(self, topic_filter: str) -> None:
        """Subscribe with QoS 1 and wait for SUBACK."""
        self._number = self._number % 65535 + 1
        body = self._number.to_bytes(2, "big") + _text(topic_filter) + b"\x01"
        self.transport.write(b"\x82" + _length(len(body)) + body)
        await self._subscribed


async def connect(
    port: int, user: str, password: str, on_message: OnMessage, *, client_id: str = "", acknowledges: bool = True,
    tls: ssl.SSLContext | None = None,
) -> Mqtt:  # fmt: skip
    """Connect to a broker on loopback and log in."""
    hello = connect_packet(user, password, client_id or user)
    _, protocol = await asyncio.get_running_loop().create_connection(
        lambda: Mqtt(hello, on_message, acknowledges=acknowledges), "127.0.0.1", port, ssl=tls
    )
    await protocol.connected
    return protocol


def hello_payload(contacts_version: int = 0, config_version: int = 0) -> bytes:
    """Return the content of a hello of a watch that holds these lists."""
    return json.dumps(
        {
            "tst": int(time.time()), "boot": 1, "mono_s": 42, "conn": os.urandom(4).hex(), "protocol": 1,
            "firmware": "1.4.2", "model": "sim-1", "battery_pct": 81, "plays": ["amr-nb", "opus"],
            "records": ["amr-nb"], "chunk_bytes": 4096, "max_payload_bytes": 4096, "max_clip_bytes": 262144,
            "max_play_s": 60, "contacts_version": contacts_version, "config_version": config_version,
        }
    ).encode()  # fmt: skip


class Watch:
    """A watch that acknowledges its lists and waits for its time; what else it is sent goes to ``on_message``."""

    def __init__(self, name: str, on_message: OnMessage | None = None) -> None:
        self.name = name
        self.up = f"sw/v1/{name}/up/"
        self._on_message = on_message
        self._told_the_time: asyncio.Future[None] | None = None
        self._versions = {"contacts": 0, "config": 0}
        self.mqtt: Mqtt

    def hold(self, versions: Mapping[str, int]) -> None:
        """Come back with lists of these versions, as a watch does after a power cut."""
        self._versions.update(versions)

    async def connect(self, port: int, password: str, tls: ssl.SSLContext | None = None) -> None:
        """Connect and subscribe."""
        self.mqtt = await connect(port, self.name, password, self._receive, tls=tls)
        await self.mqtt.subscribe(f"sw/v1/{self.name}/down/#")

    async def say_hello(self) -> None:
        """Say hello and wait for ``down/time``."""
        self._told_the_time = asyncio.get_running_loop().create_future()
        self.mqtt.publish(self.up + "hello", hello_payload(self._versions["contacts"], self._versions["config"]))
        async with asyncio.timeout(_TIME_WITHIN_S):
            await self._told_the_time

    def _receive(self, client: Mqtt, topic: str, payload: bytes, number: int) -> None:
        kind = topic.split("/")[4]
        if kind == "time":
            if self._told_the_time is not None and not self._told_the_time.done():
                self._told_the_time.set_result(None)
        elif kind in {"contacts", "config"}:
            self._versions[kind] = json.loads(payload)["version"]
            acknowledged: dict[str, Any] = {"ref": kind, "version": self._versions[kind], "state": "done"}
            client.publish(self.up + "ack", json.dumps(acknowledged).encode())
        elif self._on_message is not None:
            self._on_message(client, topic, payload, number)

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(AttributeError):
            self.mqtt.transport.write(b"\xe0\x00")
            self.mqtt.transport.close()
