"""The backend's part against one watch: answers by itself what a step does not take in hand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from services.device_sim.conformance.endpoint import CheckEndpoint, Endpoint
from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.conformance.verdicts import Verdicts
from services.protocol import limits
from services.protocol.codec import encode_chunk
from services.protocol.topics import factory_user

_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# A watch with a wrong clock must take ours: a time that no computer of a tester shows.
SERVER_BEGAN_TST = 1_900_000_000
CODE = "482913"
_AMR_HEADER, _AMR_FRAME = b"#!AMR\n", 32
_ANSWERED = frozenset({"text", "location", "usage", "alert"})


@dataclass(frozen=True)
class Pace:
    """Durations. `contract` multiplies the seconds of the contract: 1 for every watch of the field.

    `patience_s` bounds the wait for a press of the tester, `network_s` that for an answer of the watch.
    """

    contract: float = 1.0
    patience_s: float = 180.0
    network_s: float = 15.0
    quiet_s: float = 3.0  # how long silence is listened to


@dataclass
class Clip:
    """A clip that waits for the watch."""

    sound: bytes
    chunk_bytes: int
    withheld: set[int] = field(default_factory=set)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as `down/item` carries it."""
        return {
            "codec": "amr-nb",
            "bytes": len(self.sound),
            "chunk_bytes": self.chunk_bytes,
            "chunks": -(-len(self.sound) // self.chunk_bytes),
            "sha256": hashlib.sha256(self.sound).hexdigest(),
            "duration_ms": (len(self.sound) - len(_AMR_HEADER)) // _AMR_FRAME * 20,
        }


def amr_clip(seconds: float, chunk_bytes: int, seed: int) -> Clip:
    """Return an AMR-NB file of noise (12.2 kbit/s, 32 bytes a frame of 20 ms)."""
    frames = [
        bytes([0x3C]) + hashlib.sha256(f"{seed}/{number}".encode()).digest()[: _AMR_FRAME - 1]
        for number in range(int(seconds * 50))
    ]
    return Clip(_AMR_HEADER + b"".join(frames), chunk_bytes)


class WatchBench:
    """The tools of a step: it waits for frames, says things, and records verdicts."""

    def __init__(
        self, serial: str, verdicts: Verdicts, pace: Pace,
        place: Callable[[Callable[[Frame], None]], CheckEndpoint] = Endpoint,
    ) -> None:  # fmt: skip
        self.verdicts = verdicts
        self.pace = pace
        self.factory = factory_user(serial).name
        self.endpoint = place(self._take)
        # User name and password that a broker knows already; else each pairing has new ones.
        self.paired_login: tuple[str, str] | None = None
        self.trace: list[Frame] = []
        self.judge: Callable[[Frame], None] = lambda _frame: None
        self.address = "127.0.0.1"  # under which the watch reaches the endpoint
        self.port = 0  # where it is not the endpoint's own
        self.credentials: dict[str, Any] = {}
        self.is_confirmed = False
        self.unpaired: str | None = None
        self.hello: dict[str, Any] = {}
        self.contacts: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.acked: dict[str, int] = {}
        self.clips: dict[str, Clip] = {}
        self._held: set[str] = set()
        self._tick = asyncio.Event()
        self._began_s = time.monotonic()
        self._sequence = 0
        self._mark = 0

    # ---------------------------------------------------------------- time and names

    @property
    def user(self) -> str:
        """The paired user name; the factory's before the pairing."""
        return str(self.credentials.get("username", self.factory))

    @property
    def server_tst(self) -> int:
        """Server time as this bench tells it."""
        return SERVER_BEGAN_TST + int(time.monotonic() - self._began_s)

    def contract_s(self, seconds: float) -> float:
        """Return seconds of the contract at this pace."""
        return seconds * self.pace.contract

    def next_seq(self) -> int:
        """Return the next `seq` of an item; there are holes."""
        self._sequence += 2
        return self._sequence

    # ---------------------------------------------------------------- waiting

    def begin_step(self, name: str) -> None:
        """Begin a step: earlier frames are behind it, and everything is answered again."""
        self.verdicts.step = name
        self._held.clear()
        self._mark = len(self.trace)

    def mark(self) -> int:
        """Return the place in the trace, for `after`."""
        return len(self.trace)

    async def next(
        self,
        level: str,
        *,
        user: str | None = None,
        after: int | None = None,
        within_s: float | None = None,
        kind: FrameKind = FrameKind.PUBLISH,
        **fields: Any,  # noqa: ANN401 - values of JSON
    ) -> Frame | None:
        """Return the first frame of this level with these fields since `after` (the step's begin); None in vain."""

        def fits(frame: Frame) -> bool:
            return (
                frame.kind is kind
                and (user is None or frame.user == user)
                and _level_fits(level, frame.level)
                and all(frame.fields.get(name) == value for name, value in fields.items())
            )

        return await self.find(fits, after=after, within_s=within_s)

    async def find(
        self, fits: Callable[[Frame], bool], *, after: int | None = None, within_s: float | None = None
    ) -> Frame | None:
        """Return the first frame since `after` that fits; None when none comes in time."""
        place = self._mark if after is None else after
        try:
            async with asyncio.timeout(self.pace.network_s if within_s is None else within_s):
                while True:
                    while place < len(self.trace):
                        frame = self.trace[place]
                        place += 1
                        if fits(frame):
                            return frame
                    self._tick.clear()
                    await self._tick.wait()
        except TimeoutError:
            return None

    def seen(self, level: str, *, after: int, **fields: Any) -> list[Frame]:  # noqa: ANN401 - values of JSON
        """Return the publishes of this level with these fields since a mark."""
        return [
            frame
            for frame in self.trace[after:]
            if frame.kind is FrameKind.PUBLISH
            and _level_fits(level, frame.level)
            and all(frame.fields.get(name) == value for name, value in fields.items())
        ]

    async def listen(self, seconds: float | None = None) -> None:
        """Let this time pass, so that what should not come could have come."""
        await asyncio.sleep(self.pace.quiet_s if seconds is None else seconds)

    # ---------------------------------------------------------------- saying

    @contextmanager
    def holding(self, *levels: str) -> Iterator[None]:
        """Answer nothing of these levels for the block: `text`, `voice`, `receipt`, `hello`, `fetch` ..."""
        self._held.update(levels)
        try:
            yield
        finally:
            self._held.difference_update(levels)

    def say(self, level: str, fields: dict[str, Any], *, user: str | None = None) -> bool:
        """Publish a JSON object to the watch; return whether it was connected."""
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return self.endpoint.send(user or self.user, level, text.encode())

    def receipt(self, ref: str, code: str, **fields: Any) -> bool:  # noqa: ANN401 - values of JSON
        """Send a `down/receipt`."""
        return self.say("receipt", {"ref": ref, "code": code, **fields})

    def announce_text(self, ref: str, text: str, **fields: Any) -> None:  # noqa: ANN401 - values of JSON
        """Announce a text."""
        self.say(f"item/{ref}", {"seq": self.next_seq(), "kind": "text", "from": "g-1", "tst": self.server_tst,
                                 "text": text, **fields})  # fmt: skip

    def announce_clip(self, ref: str, clip: Clip) -> None:
        """Announce a clip, which the bench serves from now on."""
        self.clips[ref] = clip
        self.say(f"item/{ref}", {"seq": self.next_seq(), "kind": "voice", "from": "g-1", "tst": self.server_tst,
                                 "voice": clip.manifest})  # fmt: skip

    def send_contacts(self, version: int, **changes: Any) -> None:  # noqa: ANN401 - values of JSON
        """Set and send the contacts, in one part."""
        self.contacts = {"version": version, "part": 1, "parts": 1, "contacts": [
            {"id": "g-1", "name": "Mama", "relation": "mother", "number": "+8613800138000", "may_message": True,
             "may_call": True, "position": 1, "emergency": True, **changes},
            {"id": "g-2", "name": "奶奶", "relation": "grandmother", "may_message": True, "position": 2},
        ]}  # fmt: skip
        self.say("contacts", self.contacts)

    def send_config(self, version: int, **changes: Any) -> None:  # noqa: ANN401 - values of JSON
        """Set and send the settings, in one part."""
        self.config = {"version": version, "part": 1, "parts": 1, "checkin_interval_s": 3600, "location": False,
                       "quiet": [], "timezone": "Asia/Shanghai", "utc_offset_s": 28800, "language": "en",
                       "volume_pct": 70, **changes}  # fmt: skip
        self.say("config", self.config)

    # ---------------------------------------------------------------- pairing

    def new_credentials(self) -> dict[str, Any]:
        """Make the credentials of a new pairing; the endpoint refuses another password for them."""
        fresh = "w-" + "".join(secrets.choice(_NAME_LETTERS) for _ in range(16))
        username, password = self.paired_login or (fresh, secrets.token_urlsafe(24))
        self.credentials = {
            "username": username, "password": password, "client_id": username,
            "prefix": f"sw/v1/{username}", "host": self.address, "port": self.port or self.endpoint.port,
        }  # fmt: skip
        self.endpoint.passwords[username] = str(self.credentials["password"])
        self.is_confirmed, self.unpaired, self.acked = False, None, {}
        return self.credentials

    # ---------------------------------------------------------------- what comes

    def _take(self, frame: Frame) -> None:
        self.trace.append(frame)
        self.judge(frame)
        self._tick.set()
        if frame.kind is FrameKind.PUBLISH:
            self._answer(frame)

    def _answer(self, frame: Frame) -> None:
        level, fields = frame.level, frame.fields
        if level.split("/", maxsplit=1)[0] in self._held:
            return
        if frame.user == self.factory:
            if level == "pairing":
                self.say("pairing", self._pairing_answer(str(fields.get("ask"))), user=self.factory)
            return
        if level == "hello":
            self._answer_hello(fields)
        elif level in _ANSWERED:
            self._answer_stored(frame)
        elif level.endswith("/end"):
            self.receipt(level.split("/")[1], "stored")
        elif level == "receipt":
            repeated = {name: fields[name] for name in ("state", "of") if name in fields}
            self.receipt(str(fields.get("ref")), "stored", **repeated)
        elif level == "fetch":
            self._serve(fields)
        elif level == "ack" and fields.get("ref") in {"contacts", "config"}:
            self.acked[str(fields["ref"])] = int(fields.get("version", 0))

    def _pairing_answer(self, ask: str) -> dict[str, Any]:
        if self.unpaired is not None and ask == "status":
            return {"unpaired": True, "username": self.unpaired}
        if self.credentials and ask == "status":
            if self.is_confirmed:
                return {"paired": True, "username": self.user}
            return {"paired": True, "child_name": "Mei", "credentials": self.credentials}
        if ask == "status":
            return {"paired": False}
        return {"code": CODE, "qr": f"https://example.org/pair#{CODE}", "expires_tst": self.server_tst + 600}

    def _answer_hello(self, fields: dict[str, Any]) -> None:
        self.hello, self.is_confirmed = fields, True
        self.say("time", {"tst": self.server_tst})
        for name, current in (("contacts", self.contacts), ("config", self.config)):
            if current and fields.get(f"{name}_version", 0) != current["version"]:
                self.say(name, current)

    def _answer_stored(self, frame: Frame) -> None:
        refs = [str(entry["id"]) for entry in frame.entries if "id" in entry]
        if frame.payload.lstrip().startswith(b"["):
            self.say("receipt", {"refs": refs, "code": "stored"})
        elif refs:
            self.receipt(refs[0], "stored")

    def _serve(self, fields: dict[str, Any]) -> None:
        ref = str(fields.get("ref"))
        clip = self.clips.get(ref)
        if clip is None:
            self.say(f"item/{ref}", {"seq": self.next_seq(), "kind": "removed", "ref": ref})
            return
        first, count = int(fields.get("from", 0)), int(fields.get("count", 1))
        for number in range(first, min(first + count, clip.manifest["chunks"])):
            if number not in clip.withheld:
                chunk = clip.sound[number * clip.chunk_bytes : (number + 1) * clip.chunk_bytes]
                payload = encode_chunk(chunk, binary=self.hello.get("binary") is not False)
                self.endpoint.send(self.user, f"item/{ref}/{number}", payload)


def room_chunk_bytes(hello: dict[str, Any]) -> int:
    """Return the chunk size that a hello allows."""
    chunk = int(hello.get("chunk_bytes", limits.CHUNK_DEFAULT_BYTES))
    return max(
        limits.CHUNK_MIN_BYTES, min(chunk, int(hello.get("max_payload_bytes", limits.MAX_PAYLOAD_DEFAULT_BYTES)))
    )


def _level_fits(pattern: str, level: str) -> bool:
    """Return whether a level fits; `*` stands for one level."""
    wanted, given = pattern.split("/"), level.split("/")
    return len(wanted) == len(given) and all(part in {"*", other} for part, other in zip(wanted, given, strict=True))
