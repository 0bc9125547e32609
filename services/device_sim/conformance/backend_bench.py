"""The tools of a step that checks a backend: two identities on the wire, a parent, the verdicts."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.conformance.parent_hands import ParentHand
from services.device_sim.conformance.verdicts import Verdicts
from services.device_sim.conformance.wire import Wire
from services.device_sim.watch.mqtt_connection import BrokerAddress
from services.protocol import limits
from services.protocol.errors import ProtocolError
from services.protocol.frames import read_downlink
from services.protocol.topics import Downlink, factory_user, parse_downlink

SILENCE_S: Final = 0.8


@dataclass(frozen=True)
class BackendStep:
    """A step of a check of a backend."""

    name: str
    run: Callable[[BackendBench], Awaitable[None]]


class BackendBench:
    """The watch's part against a backend. `factory` and `paired` are its two identities."""

    def __init__(
        self, address: BrokerAddress, serial: str, secret: str, parent: ParentHand, verdicts: Verdicts,
        patience_s: float,
    ) -> None:  # fmt: skip
        self._address = address
        self.trace: list[Frame] = []
        self.factory = Wire(address, factory_user(serial).name, secret, self.trace)
        self.paired: Wire | None = None
        self.parent = parent
        self.verdicts = verdicts
        self.patience_s = patience_s
        self.max_payload_bytes = limits.MAX_PAYLOAD_FLOOR_BYTES

    @property
    def watch(self) -> Wire:
        """The paired identity; only steps after the pairing use it."""
        if self.paired is None:
            raise RuntimeError("not paired")
        return self.paired

    def pair_with(self, username: str, password: str) -> Wire:
        """Use these credentials from now on."""
        self.paired = Wire(self._address, username, password, self.trace)
        return self.paired

    async def hello(self, **fields: Any) -> int:  # noqa: ANN401 - values of JSON
        """Say hello on the open connection; return the place from which answers stand."""
        given = {"conn": secrets.token_hex(4), "protocol": 1, "tst": int(time.time()), "boot": 1, "mono_s": 5,
                 "max_payload_bytes": self.max_payload_bytes, "alert_states": True, **fields}  # fmt: skip
        return await self.watch.say("hello", {name: value for name, value in given.items() if value is not None})

    async def again(self, **fields: Any) -> int:  # noqa: ANN401 - values of JSON
        """Connect anew and say hello; return the place from which answers stand."""
        await self.watch.close()
        await self.watch.connect()
        return await self.hello(**fields)

    async def receipt(self, place: int, ref: str | None, **fields: Any) -> Frame | None:  # noqa: ANN401
        """Return the receipt of a ref since a place."""
        return await self.watch.next("receipt", after=place, ref=ref, **fields)

    async def expect(
        self, number: str, level: str, content: dict[str, Any] | list[Any] | bytes, ref: str | None, code: str,
        **fields: Any,  # noqa: ANN401 - values of JSON
    ) -> Frame | None:  # fmt: skip
        """Say something and judge its receipt by code and fields; return it."""
        place = await self.watch.say(level, content)
        sent = self.trace[place - 1].shown()
        receipt = await self.watch.find(
            lambda frame: frame.kind is FrameKind.SENT and frame.level == "receipt" and _names(frame.fields, ref),
            after=place,
        )
        wanted = {"code": code, **fields}
        fits = receipt is not None and all(receipt.fields.get(name) == value for name, value in wanted.items())
        self.verdicts.check(
            number, fits, came="nothing" if receipt is None else receipt.shown(),
            expected=", ".join(f"{name} {value}" for name, value in wanted.items()), frame=sent,
        )  # fmt: skip
        return receipt

    async def silence(self, number: str, level: str, place: int, what: str) -> None:
        """Judge that nothing comes on a level."""
        await asyncio.sleep(SILENCE_S)
        came = self.watch.came(level, after=place)
        self.verdicts.check(number, not came, came=came[0].shown() if came else "", expected=f"no answer to {what}")

    def judge_sizes(self) -> None:
        """Judge every message of the backend: its size and its schema."""
        for frame in self.trace:
            topic = parse_downlink(frame.topic)
            if frame.kind is not FrameKind.SENT or not isinstance(topic, Downlink):
                continue
            self.verdicts.check(
                "P8", len(frame.payload) <= self.max_payload_bytes, came=f"{len(frame.payload)} bytes",
                expected=f"{self.max_payload_bytes} at most", frame=frame.shown(),
            )  # fmt: skip
            try:
                read_downlink(topic, frame.payload)
            except ProtocolError as error:
                self.verdicts.broken("P8", came=error.detail.value, expected="the schema", frame=frame.shown())


def fresh_id() -> str:
    """Return an id as a watch makes it."""
    return secrets.token_hex(8)


def _names(fields: dict[str, Any], ref: str | None) -> bool:
    """Return whether a receipt is the one of a ref; None: the one that names a topic."""
    if ref is None:
        return fields.get("ref") is None and "topic" in fields
    return bool(fields.get("ref") == ref or ref in fields.get("refs", []))
