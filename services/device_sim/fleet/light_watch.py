"""A watch of a fleet: one connection and what it waits for, in a few hundred bytes beside its socket."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any, Protocol

from services.device_sim.fleet.plan import Member
from services.device_sim.fleet.tls_wire import Wire
from services.device_sim.watch import mqtt_packets as packets
from services.device_sim.watch.mqtt_packets import PacketBrokenError, PacketType
from services.protocol.topics import ROOT

_LENGTH_BYTES_MAX = 4
KEEPALIVE_S = 600
_LEVELS_BEFORE = 4  # sw/v1/<user>/down


class Listener(Protocol):
    """The counters of a fleet. Times are those of the loop."""

    def logged_in(self, watch: LightWatch, at_s: float) -> None:
        """Tell that CONNACK let it in."""

    def said_hello(self, watch: LightWatch, at_s: float) -> None:
        """Tell that hello was sent, after SUBACK."""

    def went_online(self, watch: LightWatch, at_s: float) -> None:
        """Tell that `down/time` came."""

    def was_answered(self, ref: str, code: str, at_s: float) -> None:
        """Tell that a receipt came."""

    def received_text(self, text: str, at_s: float) -> None:
        """Tell that a text of a parent came."""

    def was_lost(self, watch: LightWatch) -> None:
        """Tell that the connection ended, or never began."""


class LightWatch:
    """Logs in, subscribes, says hello, sends texts on demand; acknowledges what comes and keeps nothing of it."""

    __slots__ = ("_buffer", "_listener", "_lists", "_next_id", "_password", "_wire", "is_online", "username")

    def __init__(self, member: Member, listener: Listener) -> None:
        self.username = member.username
        self._password = member.password
        self._lists = (member.contacts_version, member.config_version)
        self._listener = listener
        self._wire: Wire | None = None
        self._buffer = b""
        self._next_id = 0
        self.is_online = False

    def write_text(self, ref: str, text: str, tst: int) -> None:
        """Send a text under an id of the caller."""
        self._publish("text", {"id": ref, "to": "family", "text": text, "tst": tst})

    def say_hello(self) -> None:
        """Say hello, or repeat it where no time came."""
        contacts, config = self._lists
        hello = {
            "conn": secrets.token_hex(4), "protocol": 1, "model": "fleet", "alert_states": True,
            "contacts_version": contacts, "config_version": config,
        }  # fmt: skip
        self._publish("hello", hello)
        self._listener.said_hello(self, asyncio.get_running_loop().time())

    def ping(self) -> None:
        """Give a sign of life, as the keepalive promises."""
        self._write(packets.PINGREQ)

    def close(self) -> None:
        """Say goodbye."""
        if self._wire is not None:
            self._wire.write(packets.DISCONNECT)
            self._wire.close()

    # ---------------------------------------------------------------- the connection

    def begin(self, wire: Wire) -> None:
        """Log in."""
        self._wire = wire
        wire.write(packets.connect_packet(self.username, self.username, self._password, KEEPALIVE_S, None))

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell the listener."""
        self._wire, self._buffer, self.is_online = None, b"", False
        self._listener.was_lost(self)

    def data_received(self, data: bytes) -> None:
        """Take whole packets from the stream."""
        self._buffer = self._buffer + data if self._buffer else data
        try:
            while (packet := self._next_packet()) is not None:
                self._take(*packet)
        except PacketBrokenError:
            if self._wire is not None:
                self._wire.abort()

    def _next_packet(self) -> tuple[int, int, bytes] | None:
        buffer, length = self._buffer, 0
        for place in range(1, _LENGTH_BYTES_MAX + 1):
            if place >= len(buffer):
                return None
            length |= (buffer[place] & 0x7F) << 7 * (place - 1)
            if not buffer[place] & 0x80:
                end = place + 1 + length
                if len(buffer) < end:
                    return None
                self._buffer = buffer[end:]
                return buffer[0] >> 4, buffer[0] & 0x0F, buffer[place + 1 : end]
        raise PacketBrokenError("length")

    # ---------------------------------------------------------------- packets

    def _take(self, kind: int, flags: int, body: bytes) -> None:
        if kind == PacketType.PUBLISH:
            self._take_publish(flags, body)
        elif kind == PacketType.CONNACK:
            if body[1:2] != b"\x00":
                raise PacketBrokenError("log-in refused")
            self._listener.logged_in(self, asyncio.get_running_loop().time())
            self._write(packets.subscribe_packet(f"{ROOT}/{self.username}/down/#", self._take_id()))
        elif kind == PacketType.SUBACK:
            self.say_hello()

    def _take_publish(self, flags: int, body: bytes) -> None:
        message = packets.read_publish(flags, body)
        if message.packet_id is not None:
            self._write(packets.puback_packet(message.packet_id))
        now_s = asyncio.get_running_loop().time()
        level, *more = message.topic.split("/")[_LEVELS_BEFORE:]
        if level == "time" and not self.is_online:
            self.is_online = True
            self._listener.went_online(self, now_s)
        elif level == "receipt":
            fields = json.loads(message.payload)
            self._listener.was_answered(str(fields.get("ref")), str(fields.get("code")), now_s)
        elif level in {"contacts", "config"}:
            fields = json.loads(message.payload)
            self._publish("ack", {"ref": level, "version": fields.get("version", 0), "state": "done"})
        elif level == "item" and len(more) == 1:
            fields = json.loads(message.payload)
            if fields.get("kind") == "text":
                self._listener.received_text(str(fields.get("text")), now_s)
                self._publish("receipt", {"ref": more[0], "state": "delivered", "tst": 0})

    def _take_id(self) -> int:
        self._next_id = self._next_id % 0xFFFF + 1
        return self._next_id

    def _publish(self, level: str, fields: dict[str, Any]) -> None:
        payload = json.dumps(fields, separators=(",", ":")).encode()
        self._write(packets.publish_packet(f"{ROOT}/{self.username}/up/{level}", payload, self._take_id()))

    def _write(self, packet: bytes) -> None:
        if self._wire is not None:
            self._wire.write(packet)
