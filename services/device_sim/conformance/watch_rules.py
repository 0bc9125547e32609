"""Rules that hold for every frame of a watch, whatever the step: judged as the frame comes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from services.device_sim.conformance.bench import WatchBench
from services.device_sim.conformance.clip_rules import ClipRules
from services.device_sim.conformance.frames import Connect, Frame, FrameKind
from services.protocol import codec, limits
from services.protocol.errors import ProtocolError
from services.protocol.fields import WireMessage
from services.protocol.frames import UPLINK_MODELS, read_uplink
from services.protocol.topics import Uplink, UplinkKind, is_watch_id, parse_uplink

# An uplink counts as repeated too early before this share of the wait.
_EARLY: Final = 0.8
_MILLISECONDS_TST: Final = 100_000_000_000
# 48 bits need 8 characters of base64 and more of every smaller alphabet.
_RANDOM_CHARS_MIN: Final = 8
_IDS_TO_JUDGE: Final = 4
_AHEAD_S: Final = 5
_ARRAYS: Final = frozenset({UplinkKind.LOCATION, UplinkKind.USAGE})
# Fields that make two messages different; the others may be written anew in a repeat without harm.
_CONTENT: Final = ("to", "text", "emoji", "kind", "lat", "lon", "from_tst", "to_tst", "sha256", "codec")
_ANSWER_GRACE_S: Final = 1.0


@dataclass
class _Connection:
    """One connection of the watch, as far as rules need it."""

    user: str
    connect: Connect | None  # None where a broker stands between
    is_subscribed: bool = False
    has_published: bool = False
    last_sent_s: dict[str, float] = field(default_factory=dict)


@dataclass
class _Known:
    """An id that was seen, and with which content."""

    kind: str
    fields: dict[str, Any]


class WatchRules:
    """Judges every frame. Steps judge what needs a question."""

    def __init__(self, bench: WatchBench) -> None:
        self._bench = bench
        self._verdicts = bench.verdicts
        self._connections: dict[int, _Connection] = {}
        self._nonces: set[str] = set()
        self._ids: dict[str, _Known] = {}
        self._settled: dict[str, float] = {}
        self._excused: set[str] = set()
        self._clips = ClipRules(bench)

    def judge(self, frame: Frame) -> None:
        """Judge one frame."""
        if frame.kind is FrameKind.CONNECT and frame.connect is not None:
            self._judge_connect(frame, frame.connect)
        elif frame.kind is FrameKind.SUBACK:
            self._connections[frame.connection].is_subscribed = True
        elif frame.kind is FrameKind.SENT:
            self._note_answer(frame)
        elif frame.kind is FrameKind.PUBLISH:
            self._judge_publish(frame)

    def finish(self) -> None:
        """Judge what shows only over all frames."""
        ids = list(self._ids)
        if len(ids) >= _IDS_TO_JUDGE:
            varying = _varying_chars(ids)
            self._verdicts.check(
                "R2",
                varying >= _RANDOM_CHARS_MIN,
                came=f"{len(ids)} ids that differ in {varying} characters: {', '.join(ids[:4])}",
                expected=f"at least {_RANDOM_CHARS_MIN} random characters (48 bits)",
            )
        if self._settled:
            self._verdicts.held("R8")

    # ---------------------------------------------------------------- connections

    def _judge_connect(self, frame: Frame, given: Connect) -> None:
        self._connections[frame.connection] = _Connection(given.username, given)
        shown, check = frame.shown(), self._verdicts.check
        check("C1", given.level in {4, 5}, came=f"protocol level {given.level}", expected="4 (or 5)", frame=shown)
        if given.level != 4:  # noqa: PLR2004 - the rest of a CONNECT of MQTT 5 is not read
            return
        check("C2", given.clean_session, came="clean_session 0", expected="clean_session 1", frame=shown)
        check(
            "C3",
            given.client_id == given.username,
            came=f"client id {given.client_id!r}",
            expected=f"{given.username!r}",
            frame=shown,
        )
        check(
            "C4",
            limits.KEEPALIVE_MIN_S <= given.keepalive_s <= limits.KEEPALIVE_MAX_S,
            came=f"keepalive {given.keepalive_s} s",
            expected=f"{limits.KEEPALIVE_MIN_S} to {limits.KEEPALIVE_MAX_S} s",
            frame=shown,
        )
        check(
            "C16",
            given.first_byte_s <= 5 and given.whole_s <= 15,  # noqa: PLR2004 - the numbers of the sentence
            came=f"first byte after {given.first_byte_s:.1f} s, CONNECT after {given.whole_s:.1f} s",
            expected="5 s and 15 s at most",
            frame=shown,
        )
        if given.will_topic is not None:
            check("C6", not given.will_retain, came="a will with retain", expected="a will without", frame=shown)
        if given.username.startswith("w-"):
            check(
                "C12",
                given.will_topic == f"sw/v1/{given.username}/up/status",
                came=f"a will on {given.will_topic or 'no topic'}",
                expected=f"sw/v1/{given.username}/up/status",
                frame=shown,
            )

    # ---------------------------------------------------------------- publishes

    def _judge_publish(self, frame: Frame) -> None:
        connection = self._connections.setdefault(frame.connection, _Connection(frame.user, None))
        shown, check = frame.shown(), self._verdicts.check
        check("C5", frame.qos == 1, came=f"QoS {frame.qos}", expected="QoS 1", frame=shown)
        if connection.connect is not None:
            check("C6", not frame.retain, came="the retain flag", expected="no retain flag", frame=shown)
            check("C8", connection.is_subscribed, came="a publish before SUBACK", expected="SUBACK first", frame=shown)
        if connection.connect is not None and not connection.has_published:
            connection.has_published = True
            first = "pairing" if frame.user == self._bench.factory else "hello"
            check("C9", frame.level == first, came=f"first {frame.level}", expected=f"first {first}", frame=shown)
        if frame.user == self._bench.factory:
            check("I1", frame.level == "pairing", came=frame.topic, expected="pairing only", frame=shown)
        topic = parse_uplink(frame.topic)
        own = frame.topic.startswith(f"sw/v1/{frame.user}/up/") and len(frame.topic.encode()) <= limits.TOPIC_MAX_BYTES
        check("C7", own, came=frame.topic, expected=f"a topic below sw/v1/{frame.user}/up/", frame=shown)
        if not isinstance(topic, Uplink):
            number = "V1" if frame.level.startswith("voice/") else "C7"
            self._verdicts.broken(number, came=frame.topic, expected="a topic of the contract", frame=shown)
            return
        if topic.kind is UplinkKind.VOICE_CHUNK:
            self._clips.take_chunk(topic, frame)
            return
        if self._is_readable(topic, frame):
            self._judge_message(topic, frame, connection)

    def _is_readable(self, topic: Uplink, frame: Frame) -> bool:
        """Judge P1 and P2; return whether the message can be judged further."""
        shown = frame.shown()
        entries = frame.entries
        readable = bool(entries) and len(frame.payload) <= limits.JSON_MAX_BYTES
        is_array = codec.is_array(frame.payload)
        if is_array:
            readable = readable and topic.kind in _ARRAYS and len(entries) <= limits.ARRAY_MAX_ITEMS
        came = frame.payload[:80].decode(errors="replace")
        if not self._verdicts.check("P1", readable, came=came, expected="one JSON object (or an array)", frame=shown):
            return False
        try:
            read_uplink(topic, frame.payload)
        except ProtocolError as error:
            self._verdicts.broken("P2", came=f"{error.detail.value}: {came}", expected="the schema", frame=shown)
            return False
        model = UPLINK_MODELS[topic.kind][0]
        faults = [fault for entry in entries for fault in _faults(model, entry)]
        self._verdicts.check("P2", not faults, came="; ".join(faults), expected="fields of the schema", frame=shown)
        return True

    def _judge_message(self, topic: Uplink, frame: Frame, connection: _Connection) -> None:
        if topic.kind is UplinkKind.HELLO:
            self._judge_hello(frame, connection)
        if topic.kind is UplinkKind.VOICE_END:
            self._clips.take_end(topic, frame)
            self._judge_id(str(topic.ref), topic, {**frame.fields, "id": topic.ref}, frame, connection)
        for entry in frame.entries:
            if "id" in entry:
                self._judge_id(str(entry["id"]), topic, entry, frame, connection)
            if topic.kind is UplinkKind.TEXT:
                self._clips.judge_recipient(entry, frame)
            self._judge_time(entry, frame)

    def _judge_hello(self, frame: Frame, connection: _Connection) -> None:
        fields, shown, check = frame.fields, frame.shown(), self._verdicts.check
        nonce = str(fields.get("conn"))
        if connection.connect is not None:
            will = Frame(FrameKind.PUBLISH, 0, 0, frame.user, payload=connection.connect.will_payload).fields
            check(
                "C12",
                will.get("state") == "offline" and will.get("conn") == nonce,
                came=f"a will of conn {will.get('conn')!r}",
                expected=f"state offline, conn {nonce!r}",
                frame=shown,
            )
        is_first = frame.level not in connection.last_sent_s
        if is_first:
            fresh = nonce not in self._nonces
            check("C13", fresh, came=f"conn {nonce!r} again", expected="a fresh conn", frame=shown)
            self._nonces.add(nonce)
        connection.last_sent_s[frame.level] = frame.at_s
        for name in ("contacts", "config"):
            if name in self._bench.acked:
                held, acked = fields.get(f"{name}_version", 0), self._bench.acked[name]
                check("L3", held == acked, came=f"{name}_version {held}", expected=f"{acked}, as acked", frame=shown)

    # ---------------------------------------------------------------- ids and repeats

    def _judge_id(self, wire_id: str, topic: Uplink, entry: dict[str, Any], frame: Frame, at: _Connection) -> None:
        shown, check = frame.shown(), self._verdicts.check
        check("R1", is_watch_id(wire_id), came=f"id {wire_id!r}", expected="12 to 36 of A-Za-z0-9-", frame=shown)
        if not is_watch_id(wire_id):
            return
        known = self._ids.get(wire_id)
        if known is None:
            self._ids[wire_id] = _Known(topic.kind.value, entry)
        elif self._is_another(known, topic, wire_id, entry):
            self._verdicts.broken(
                "R2",
                came=f"another message under the used id {wire_id}",
                expected="a fresh random id",
                frame=shown,
            )
        else:
            changed = sorted(name for name in {*known.fields, *entry} if known.fields.get(name) != entry.get(name))
            check("R7", not changed, came=f"a repeat with other {', '.join(changed)}", expected="the same", frame=shown)
            self._judge_repeat(wire_id, frame, at)
        at.last_sent_s[wire_id] = frame.at_s
        self._excused.discard(wire_id)

    def _is_another(self, known: _Known, topic: Uplink, wire_id: str, entry: dict[str, Any]) -> bool:
        """Return whether a used id stands for another message now: other content, or another time after its receipt."""
        if known.kind != topic.kind.value or any(known.fields.get(name) != entry.get(name) for name in _CONTENT):
            return True
        return wire_id in self._settled and known.fields != entry

    def _judge_repeat(self, wire_id: str, frame: Frame, at: _Connection) -> None:
        settled_s, shown = self._settled.get(wire_id), frame.shown()
        if settled_s is not None and frame.at_s > settled_s + _ANSWER_GRACE_S:
            self._verdicts.broken("R8", came="sent again after its receipt", expected="nothing more", frame=shown)
        last_s = at.last_sent_s.get(wire_id)
        if last_s is None or wire_id in self._excused:
            return
        waited_s, wait_s = frame.at_s - last_s, self._bench.contract_s(limits.RECEIPT_TIMEOUT_S)
        self._verdicts.check(
            "R4",
            waited_s >= wait_s * _EARLY,
            came=f"again after {waited_s:.2f} s",
            expected=f"not before {wait_s:.2f} s",
            frame=shown,
        )

    def _note_answer(self, frame: Frame) -> None:
        """Note receipts that settle an uplink, or ask for it at once."""
        fields = frame.fields
        if frame.level != "receipt" or "state" in fields:
            return
        refs = [*fields.get("refs", []), *([fields["ref"]] if fields.get("ref") else [])]
        for ref in refs:
            if fields.get("code") in {"stored", "duplicate", "rejected"}:
                self._settled[str(ref)] = frame.at_s
            else:
                self._excused.add(str(ref))

    # ---------------------------------------------------------------- time

    def _judge_time(self, entry: dict[str, Any], frame: Frame) -> None:
        tst = entry.get("tst", 0)
        if "tst" not in entry or isinstance(tst, bool) or not isinstance(tst, int | float):
            return
        shown = frame.shown()
        if tst == 0:
            known = "mono_s" in entry
            self._verdicts.check("T1", known, came="tst 0 alone", expected="boot and mono_s", frame=shown)
        else:
            seconds = tst < _MILLISECONDS_TST
            self._verdicts.check("T1", seconds, came=f"tst {tst}", expected="Unix seconds", frame=shown)
            if tst > self._bench.server_tst + _AHEAD_S and self._bench.hello:
                self._verdicts.broken(
                    "T2", came=f"tst {tst}", expected=f"at most server time {self._bench.server_tst}", frame=shown
                )


def _varying_chars(ids: list[str]) -> int:
    """Return in how many places the ids differ, counted from the left; a counter differs in the last few."""
    shortest = min(len(wire_id) for wire_id in ids)
    plain = [re.sub(r"-", "", wire_id) if len(wire_id) == limits.ID_MAX_CHARS else wire_id for wire_id in ids]
    return sum(len({wire_id[place] for wire_id in plain}) > 1 for place in range(min(shortest, *map(len, plain))))


def _faults(model: type[WireMessage], entry: dict[str, Any]) -> list[str]:
    """Return the known fields of an entry that count as absent because they cannot be read."""
    try:
        read = model.model_validate_json(json.dumps(entry))
    except ValueError:
        return []
    written = {info.alias or name: name for name, info in model.model_fields.items()}
    return [
        f"{given} {entry[given]!r}"
        for given, name in written.items()
        if entry.get(given) not in (None, 0, "", []) and getattr(read, name) in (None, 0, "", [])
    ]
