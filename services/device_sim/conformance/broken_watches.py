"""Deliberately broken watches: our simulator behind a line that makes one mistake of the field.

Each is a mistake that a check of a watch has to find, and the number of the sentence that it breaks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.device_sim.conformance.sim_hand import SIM_PACE, timings_at
from services.device_sim.watch.line import Line, LoginPacket, PublishPacket
from services.device_sim.watch.mqtt_packets import Published
from services.device_sim.watch.timings import Timings


def _fields(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _level(topic: str) -> str:
    return "/".join(topic.split("/")[4:])


class KeepsSessions(Line):
    """Connects with clean_session 0, as a library's default does."""

    def login(self, packet: LoginPacket) -> LoginPacket:
        """Return CONNECT without a clean session."""
        return replace(packet, clean_session=False)


class NamedByImei(Line):
    """Uses its IMEI as client id."""

    def login(self, packet: LoginPacket) -> LoginPacket:
        """Return CONNECT with another client id."""
        return replace(packet, client_id="860000000000017")


class HastyHello(Line):
    """Publishes without waiting for SUBACK."""

    waits_for_suback = False


class Retaining(Line):
    """Publishes its status and texts with the retain flag."""

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Return the publish with the retain flag."""
        return (replace(packet, retain=True),)


class Counting(Line):
    """Uses counters as ids, and counts from 1 after every connection."""

    def __init__(self) -> None:
        super().__init__()
        self._counter = 0
        self._counted: dict[str, str] = {}

    def login(self, packet: LoginPacket) -> LoginPacket:
        """Begin to count again."""
        self._counter = 0
        return packet

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Return the publish under a counted id."""
        fields = _fields(packet.payload)
        if "id" not in fields:
            return (packet,)
        if fields["id"] not in self._counted:
            self._counter += 1
            self._counted[fields["id"]] = f"{self._counter:014}"
        return (replace(packet, payload=json.dumps({**fields, "id": self._counted[fields["id"]]}).encode()),)

    def incoming(self, message: Published) -> Sequence[Published]:
        """Return a receipt under the id that the watch knows."""
        fields = _fields(message.payload)
        for wire_id, counted in self._counted.items():
            if fields.get("ref") == counted:
                return (replace(message, payload=json.dumps({**fields, "ref": wire_id}).encode()),)
        return (message,)


class TrustsPuback(Line):
    """Takes PUBACK for a receipt: what was published once is never sent again."""

    def __init__(self, level: str = "text") -> None:
        super().__init__()
        self._level = level
        self._sent: set[bytes] = set()

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Drop every repeat."""
        if _level(packet.topic) != self._level:
            return (packet,)
        fields = _fields(packet.payload)
        key = json.dumps([fields.get(name) for name in ("id", "ref", "state", "of")]).encode()
        if key in self._sent:
            return ()
        self._sent.add(key)
        return (packet,)


class AnswersOnce(TrustsPuback):
    """Sends a receipt once and never again."""

    def __init__(self) -> None:
        super().__init__("receipt")


class SilentOnUnknown(Line):
    """Answers an unknown kind of item with silence."""

    def incoming(self, message: Published) -> Sequence[Published]:
        """Drop items of unknown kinds."""
        fields = _fields(message.payload)
        known = fields.get("kind") in {"text", "emoji", "voice", "removed", None}
        return (message,) if known or not _level(message.topic).startswith("item/") else ()


class ClimbsOnly(Line):
    """Takes a list only when its version is higher than the one held."""

    def __init__(self) -> None:
        super().__init__()
        self._highest: dict[str, int] = {}

    def incoming(self, message: Published) -> Sequence[Published]:
        """Drop lists of lower versions."""
        level, version = _level(message.topic), _fields(message.payload).get("version")
        if level not in {"contacts", "config"} or version is None:
            return (message,)
        if version < self._highest.get(level, 0):
            return ()
        self._highest[level] = version
        return (message,)


class BelievesAnyUnpaired(Line):
    """Wipes on every `unpaired`, whoever is named."""

    def __init__(self) -> None:
        super().__init__()
        self._username = ""

    def login(self, packet: LoginPacket) -> LoginPacket:
        """Remember the paired name."""
        if packet.username.startswith("w-"):
            self._username = packet.username
        return packet

    def incoming(self, message: Published) -> Sequence[Published]:
        """Return an `unpaired` that names this watch."""
        fields = _fields(message.payload)
        if not fields.get("unpaired"):
            return (message,)
        return (replace(message, payload=json.dumps({**fields, "username": self._username}).encode()),)


class AlwaysLocating(Line):
    """Takes fixes although the family has turned location off."""

    def incoming(self, message: Published) -> Sequence[Published]:
        """Return settings with location on."""
        fields = _fields(message.payload)
        if _level(message.topic) != "config" or "location" not in fields:
            return (message,)
        return (replace(message, payload=json.dumps({**fields, "location": True}).encode()),)


class PaddedChunks(Line):
    """Numbers chunks 000, 001, ..."""

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Return a chunk under a padded number."""
        head, _, last = packet.topic.rpartition("/")
        padded = last.isdecimal() and "/voice/" in packet.topic
        return (replace(packet, topic=f"{head}/{last:0>3}") if padded else packet,)


class OneNonce(Line):
    """Uses one `conn` for ever, in its will and in hello."""

    def login(self, packet: LoginPacket) -> LoginPacket:
        """Return CONNECT with the same nonce in the will."""
        if packet.will is None:
            return packet
        will = replace(packet.will, payload=json.dumps({"state": "offline", "conn": "abcd"}).encode())
        return replace(packet, will=will)

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Return hello with the same nonce."""
        if _level(packet.topic) != "hello":
            return (packet,)
        return (replace(packet, payload=json.dumps({**_fields(packet.payload), "conn": "abcd"}).encode()),)


class ForgetsFetched(Line):
    """Fetches a clip from its first chunk again after every loss of connection."""

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Return a fetch from 0."""
        if _level(packet.topic) != "fetch":
            return (packet,)
        fields = _fields(packet.payload)
        whole = {**fields, "from": 0, "count": fields.get("from", 0) + fields.get("count", 1)}
        return (replace(packet, payload=json.dumps(whole).encode()),)


@dataclass(frozen=True)
class BrokenWatch:
    """A mistake of the field: the line that makes it, the sentence it breaks, the steps that show it."""

    breaks: str
    steps: tuple[str, ...]
    line: Callable[[], Line] = Line
    timings: Timings | None = None
    wipes_on_refusal: bool = False

    @property
    def about(self) -> str:
        """One line for people."""
        if self.wipes_on_refusal:
            return "Wipes itself when its log-in is refused."
        if self.timings is not None:
            return "Repeats after a fifth of the wait."
        return (self.line.__doc__ or "").strip()


_TEXT = "A text without its receipt"
BROKEN_WATCHES: Final[Mapping[str, BrokenWatch]] = {
    "keeps-sessions": BrokenWatch("C2", (), KeepsSessions),
    "named-by-imei": BrokenWatch("C3", (), NamedByImei),
    "hasty-hello": BrokenWatch("C8", (), HastyHello),
    "retaining": BrokenWatch("C6", (), Retaining),
    "one-nonce": BrokenWatch("C13", (_TEXT,), OneNonce),
    "counting": BrokenWatch("R2", (_TEXT, "Receipt: duplicate"), Counting),
    "trusts-puback": BrokenWatch("R3", (_TEXT,), TrustsPuback),
    "impatient": BrokenWatch(
        "R4", (_TEXT,), timings=replace(timings_at(SIM_PACE), receipt_first_s=30 * SIM_PACE.contract / 5)
    ),
    "answers-once": BrokenWatch("A1", ("A text to the child",), AnswersOnce),
    "silent-on-unknown": BrokenWatch("N7", ("Unknown fields, words and kinds",), SilentOnUnknown),
    "climbs-only": BrokenWatch("L1", ("Contacts and settings",), ClimbsOnly),
    "wipes-on-refusal": BrokenWatch("I2", ("A refused log-in",), wipes_on_refusal=True),
    "believes-any-unpaired": BrokenWatch("I4", ("A refused log-in, another watch unpaired",), BelievesAnyUnpaired),
    "always-locating": BrokenWatch("L4", ("Places on and off",), AlwaysLocating),
    "padded-chunks": BrokenWatch("V1", ("A recording, one chunk of it lost",), PaddedChunks),
    "forgets-fetched": BrokenWatch("N4", ("A recording to the child, with a loss in between",), ForgetsFetched),
}
