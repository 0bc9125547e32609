"""Faults of the field on the line of a watch, switched on and off at run time.

A fault has a name and values; `FAULTS` lists them with what they do. Chance is seeded: the same seed and the same
packets fail in the same way.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from services.device_sim.watch.fault_bytes import Bottleneck
from services.device_sim.watch.line import ByteReader, ByteWriter, Line, LoginPacket, PublishPacket
from services.device_sim.watch.mangling import mangled
from services.device_sim.watch.modems import Modem
from services.device_sim.watch.mqtt_packets import Published
from services.device_sim.watch.quirks import QUIRKS, changed

_UP, _DOWN = "up", "down"
_AFTER_S: Final = 0.05


class FaultRefusedError(Exception):
    """A fault that does not exist, or values that it does not take; the message is for people."""


@dataclass(frozen=True)
class FaultKind:
    """The effect of a fault, and the values it takes with their defaults."""

    about: str
    values: Mapping[str, Any]


_WHICH: Final = {"direction": _UP, "level": "*", "times": 0, "share": 1.0}  # times 0: until it is cleared
FAULTS: Final[Mapping[str, FaultKind]] = {
    "drop": FaultKind("messages vanish after PUBACK", _WHICH),
    "duplicate": FaultKind("messages come twice", _WHICH),
    "reorder": FaultKind("a message comes after the one that follows it", _WHICH),
    "corrupt": FaultKind("bytes of a payload are changed", _WHICH),
    "mangle": FaultKind("a payload becomes malformed by grammar: cut, doubled, retyped, renamed", _WHICH),
    "cut": FaultKind("the connection ends in the middle of a message", _WHICH),
    "delay": FaultKind("messages of the watch leave later", {**_WHICH, "seconds": 2.0}),
    "lost_receipts": FaultKind("receipts of the backend are lost", {"times": 0}),
    "modem": FaultKind("a modem that acknowledges and drops larger payloads, both ways", {"bytes": 1500}),
    "rate": FaultKind("the network carries this many bytes a second", {"bytes_s": 1000}),
    "latency": FaultKind("every write waits before it leaves", {"seconds": 0.5}),
    "half_open": FaultKind("nothing passes, and neither side is told", {}),
    "wrong_password": FaultKind("the paired password is wrong", {}),
    "hasty": FaultKind("the first publish does not wait for SUBACK", {}),
    "protocol": FaultKind("hello speaks this version", {"version": 0}),
    "same_id": FaultKind("every message has the id of the first one", {}),
    "unknown_ca": FaultKind("no authority is trusted", {}),
    "expired_ca": FaultKind("the authority's certificate has run out, as the watch sees it", {}),
    "reboot": FaultKind(
        "the watch restarts at a message: before it passes, or with after=1 behind it",
        {**_WHICH, "times": 1, "after": 0},
    ),
}


class _ExpiredAuthority(ssl.SSLObject):
    """Ends every handshake as OpenSSL does when a certificate of the chain has run out."""

    def do_handshake(self) -> None:
        """Shake hands, then refuse; Python cannot give OpenSSL another date."""
        super().do_handshake()
        raise ssl.SSLCertVerificationError(1, "certificate verify failed: certificate has expired")


class FaultyLine(Line):
    """A line with switches. `trace` holds one line for each packet that a fault touched."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._random = random.Random(seed)  # noqa: S311 - it draws faults, not secrets
        self._active: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, list[Any]] = {_UP: [], _DOWN: []}
        self._first_id: str | None = None
        self._bottleneck = Bottleneck()
        self._modem: Modem | None = None
        self._quirks: tuple[str, ...] = ()
        self.trace: list[str] = []

    # ---------------------------------------------------------------- switches

    @property
    def active(self) -> Mapping[str, Mapping[str, Any]]:
        """The faults that are on, with their values."""
        return self._active

    def set(self, name: str, **values: Any) -> None:  # noqa: ANN401 - values are of the fault's own types
        """Switch a fault on; raises FaultRefusedError."""
        kind = FAULTS.get(name)
        if kind is None:
            raise FaultRefusedError(f"there is no fault {name!r}; one of: {' '.join(FAULTS)}")
        unknown = set(values) - set(kind.values)
        if unknown:
            raise FaultRefusedError(f"{name} takes {', '.join(kind.values) or 'no values'}, not {min(unknown)!r}")
        for given, value in values.items():
            wanted = type(kind.values[given])
            if not isinstance(value, (int, float) if wanted is float else wanted) or isinstance(value, bool):
                raise FaultRefusedError(f"{name}: {given} is a {wanted.__name__}, not {value!r}")
        self._active[name] = {**kind.values, **values}
        self._apply()

    def clear(self, name: str | None = None) -> None:
        """Switch one fault off, or all; raises FaultRefusedError for one that is not on."""
        if name is not None and name not in self._active:
            raise FaultRefusedError(f"{name} is not on")
        for fault in [name] if name is not None else list(self._active):
            del self._active[fault]
        if not self._active:
            self._first_id = None
        self._apply()

    def set_modem(self, modem: Modem | None) -> None:
        """Talk through a modem from now on; faults come on top, and clearing them leaves the modem."""
        self._modem = modem
        self._apply()

    def set_quirks(self, names: Sequence[str]) -> None:
        """Have these habits from now on (names of QUIRKS); raises FaultRefusedError."""
        unknown = set(names) - set(QUIRKS)
        if unknown:
            raise FaultRefusedError(f"there is no quirk {min(unknown)!r}; one of: {' '.join(QUIRKS)}")
        self._quirks = tuple(names)

    @property
    def quirks(self) -> Sequence[str]:
        """The habits of this firmware."""
        return self._quirks

    def _apply(self) -> None:
        values, modem = self._active, self._modem
        rates = [values["rate"]["bytes_s"]] if "rate" in values else []
        self._bottleneck.bytes_s = min([*rates, *([] if modem is None else [modem.bytes_s])], default=None)
        latency_s = values["latency"]["seconds"] if "latency" in values else 0.0
        self._bottleneck.latency_s = latency_s + (0.0 if modem is None else modem.latency_s)
        self._bottleneck.set_half_open(is_half_open="half_open" in values)

    @property
    def waits_for_suback(self) -> bool:  # type: ignore[override] # a switch here, a constant there
        """Whether the first publish waits."""
        return "hasty" not in self._active

    def _hits(self, name: str, direction: str, level: str) -> bool:
        """Return whether a fault touches this packet, and count it."""
        values = self._active.get(name)
        if values is None or values.get("direction", direction) != direction:
            return False
        if not fnmatchcase(level, values.get("level", "*")) or self._random.random() >= values.get("share", 1.0):
            return False
        self.trace.append(f"{name} {direction}/{level}")
        if values.get("times", 0):
            values["times"] -= 1
            if values["times"] == 0:
                del self._active[name]
        return True

    # ---------------------------------------------------------------- packets

    def tls(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Trust nobody while `unknown_ca` is on, and nothing that has run out while `expired_ca` is."""
        if "expired_ca" in self._active:
            self.trace.append("expired_ca")
            context.sslobject_class = _ExpiredAuthority
            return context
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if "unknown_ca" in self._active else context

    def login(self, packet: LoginPacket) -> LoginPacket:
        """Return CONNECT, with another password while `wrong_password` is on."""
        if "wrong_password" in self._active and packet.username.startswith("w-"):
            self.trace.append("wrong_password")
            return replace(packet, password="not-the-password-of-this-watch")  # noqa: S106 - a wrong one
        return packet

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Return what leaves instead of a publish."""
        level = "/".join(packet.topic.split("/")[4:])
        packet = replace(packet, payload=changed(packet.payload, self._quirks))
        if self._reboots(_UP, level):
            return ()
        if self._hits("cut", _UP, level):
            self._bottleneck.cut_next()
        if self._is_too_large(packet.payload) or self._hits("drop", _UP, level):
            return ()
        packet = replace(packet, payload=self._changed(packet.payload, _UP, level))
        delay_s = float(self._active.get("delay", {}).get("seconds", 0.0))  # read first: the last hit switches it off
        if self._hits("delay", _UP, level):
            packet = replace(packet, after_s=delay_s)
        return self._arranged(packet, _UP, level)

    def incoming(self, message: Published) -> Sequence[Published]:
        """Return what the watch receives instead of a message."""
        level = "/".join(message.topic.split("/")[4:])
        if self._reboots(_DOWN, level):
            self._bottleneck.abort()
            return ()
        lost = level == "receipt" and self._hits("lost_receipts", _DOWN, level)
        if lost or self._is_too_large(message.payload) or self._hits("drop", _DOWN, level):
            return ()
        if self._hits("cut", _DOWN, level):
            self._bottleneck.abort()
            return ()
        return self._arranged(replace(message, payload=self._changed(message.payload, _DOWN, level)), _DOWN, level)

    def _reboots(self, direction: str, level: str) -> bool:
        """Restart the watch where `reboot` hits; return whether the message is lost with it."""
        is_after = bool(self._active.get("reboot", {}).get("after"))  # read first: the last hit switches it off
        if not self._hits("reboot", direction, level):
            return False
        loop = asyncio.get_running_loop()
        # What passes first needs a moment on its way; a message that came is handled in the same turn of the loop.
        loop.call_later(_AFTER_S if is_after else 0, self.on_reboot)
        return not is_after

    def _is_too_large(self, payload: bytes) -> bool:
        limits = [self._active["modem"]["bytes"]] if "modem" in self._active else []
        if self._modem is not None and self._modem.drops_above_bytes:
            limits.append(self._modem.drops_above_bytes)
        if not limits or len(payload) <= min(limits):
            return False
        self.trace.append(f"modem dropped {len(payload)} bytes")
        return True

    def _changed(self, payload: bytes, direction: str, level: str) -> bytes:
        if self._hits("corrupt", direction, level) and payload:
            place = self._random.randrange(len(payload))
            payload = payload[:place] + bytes([payload[place] ^ 0x20]) + payload[place + 1 :]
        if self._hits("mangle", direction, level):
            payload = mangled(payload, self._random)
        if direction == _UP:
            payload = self._renamed(payload, level)
        return payload

    def _renamed(self, payload: bytes, level: str) -> bytes:
        if "protocol" in self._active and level == "hello":
            return _with(payload, lambda fields: {**fields, "protocol": self._active["protocol"]["version"]})
        if "same_id" in self._active and b'"id"' in payload:
            return _with(payload, self._with_first_id)
        return payload

    def _with_first_id(self, fields: dict[str, Any]) -> dict[str, Any]:
        self._first_id = self._first_id or str(fields.get("id"))
        return {**fields, "id": self._first_id}

    def _arranged(self, packet: Any, direction: str, level: str) -> Sequence[Any]:  # noqa: ANN401 - of either direction
        waiting = self._waiting[direction]
        if not waiting and self._hits("reorder", direction, level):
            waiting.append(packet)
            return ()
        packets = [packet, packet] if self._hits("duplicate", direction, level) else [packet]
        arranged, self._waiting[direction] = [*packets, *waiting], []
        return arranged

    # ---------------------------------------------------------------- bytes

    def connected(self, reader: ByteReader, writer: ByteWriter) -> tuple[ByteReader, ByteWriter]:
        """Return the streams through the bottleneck."""
        return self._bottleneck.through(reader, writer)


def _with(payload: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    try:
        fields = json.loads(payload)
    except ValueError:
        return payload
    return json.dumps(change(fields)).encode() if isinstance(fields, dict) else payload


def parsed_values(words: Sequence[str]) -> dict[str, Any]:
    """Return `name=value` words as values: numbers where they read as such; raises FaultRefusedError."""
    values: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise FaultRefusedError(f"{word!r} is no name=value")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values
