"""The backend's part of the watch protocol, said by hand: every answer in a test stands in the test."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiomqtt

from services.broker.configuration import BrokerConfiguration
from services.broker.passwords import BrokerLogin
from services.broker.process import MosquittoProcess
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch

HEARD_WITHIN_S = 30.0
SERIAL = "SIM00001"
FACTORY = f"f-{SERIAL}"
_BACKEND_PASSWORD = "backend-password-of-a-test"
FACTORY_SECRET = "factory-secret-of-a-test"
QUICK = Timings(
    connect_timeout_s=5.0,
    puback_timeout_s=5.0,
    hello_answer_s=1.0,
    reconnect_first_s=0.02,
    reconnect_max_s=0.2,
    refused_ask_status_s=0.1,
    receipt_first_s=0.3,
    receipt_max_s=1.0,
    pairing_answer_s=10.0,
)
# For tests that count: on a slow machine nothing may be said again before its answer could come.
PATIENT = replace(QUICK, hello_answer_s=20.0, receipt_first_s=30.0, receipt_max_s=60.0)


@dataclass(frozen=True)
class Heard:
    """One uplink, as it arrived."""

    user: str
    level: str
    fields: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


class ScriptedBackend:
    """Hears every watch in order and says what the test tells it to say."""

    def __init__(self, broker: MosquittoProcess, port: int, password: str) -> None:
        self._broker = broker
        self._port = port
        self._password = password
        self._connection = contextlib.AsyncExitStack()
        self._listening: asyncio.Task[None] | None = None
        self._logins: dict[str, BrokerLogin] = {}
        self._locked_out: dict[str, BrokerLogin] = {}
        self._unclaimed: list[Heard] = []
        self._news = asyncio.Event()
        self.heard: list[Heard] = []
        self.chunks: dict[tuple[str, str], dict[int, bytes]] = {}
        self.server_tst = 1_800_000_000

    async def connect(self) -> None:
        """Connect and listen."""
        self._client = await self._connection.enter_async_context(
            aiomqtt.Client(
                "127.0.0.1", self._port, username="sw-backend", password=self._password, identifier="sw-uplink-test"
            )
        )
        await self._client.subscribe("sw/v1/+/up/#", qos=1)
        self._listening = asyncio.create_task(self._listen())

    async def disconnect(self) -> None:
        """Stop listening, whatever became of the connection."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        with contextlib.suppress(aiomqtt.MqttError):
            await self._connection.aclose()

    async def comes_back(self) -> None:
        """Connect again to a broker that was started again."""
        await self.disconnect()
        async with asyncio.timeout(HEARD_WITHIN_S):
            while True:
                with contextlib.suppress(aiomqtt.MqttError):
                    await self.connect()
                    return
                await asyncio.sleep(0.02)

    async def _listen(self) -> None:
        async for message in self._client.messages:
            levels = str(message.topic).split("/")
            payload = message.payload
            assert isinstance(payload, bytes)
            heard = self._heard(levels[2], levels[4:], payload)
            self.heard.append(heard)
            self._unclaimed.append(heard)
            self._news.set()
            await self.reacts(heard)

    def _heard(self, user: str, levels: list[str], payload: bytes) -> Heard:
        """Name chunks and ends by what they are, for their topics hold ids; chunks are kept as they came."""
        if levels[0] == "voice" and levels[2] != "end":
            self.chunks.setdefault((user, levels[1]), {})[int(levels[2])] = payload
            return Heard(user, "chunk_of_voice", {"ref": levels[1], "chunk": int(levels[2])})
        # An array is heard as what is `together` in it.
        fields = {"together": json.loads(payload)} if payload.startswith(b"[") else {}
        fields = json.loads(payload) if payload.startswith(b"{") else fields
        if levels[0] == "voice":
            return Heard(user, "end_of_voice", {"ref": levels[1], **fields})
        return Heard(user, "/".join(levels), fields)

    async def reacts(self, heard: Heard) -> None:
        """Answer by itself; a scripted backend does not."""

    async def hears(self, level: str, user: str | None = None, **fields: Any) -> Heard:
        """Return the oldest uplink of this level with these fields that no test step has taken yet."""
        async with asyncio.timeout(HEARD_WITHIN_S):
            while True:
                for heard in self._unclaimed:
                    fits = heard.level == level and user in {None, heard.user}
                    if fits and all(heard.fields.get(name) == value for name, value in fields.items()):
                        self._unclaimed.remove(heard)
                        return heard
                self._news.clear()
                await self._news.wait()

    def count(self, level: str, **fields: Any) -> int:
        """Return how many such uplinks arrived so far, taken or not."""
        return sum(
            heard.level == level and all(heard.fields.get(name) == value for name, value in fields.items())
            for heard in self.heard
        )

    def forget(self) -> None:
        """Leave out of later steps what came so far."""
        self._unclaimed.clear()

    async def says(self, user: str, level: str, **fields: Any) -> None:
        """Say something to a watch; `from_` stands for the field `from`."""
        payload = {name.removesuffix("_"): value for name, value in fields.items()}
        await self.says_raw(user, level, json.dumps(payload).encode())

    async def says_raw(self, user: str, level: str, payload: bytes) -> None:
        """Say any bytes to a watch."""
        await self._client.publish(f"sw/v1/{user}/down/{level}", payload, qos=1)

    async def announces_clip(self, user: str, ref: str, sound: bytes, chunk_bytes: int = 1024, **voice: Any) -> None:
        """Announce a clip; `voice` changes its manifest."""
        manifest = {
            "codec": "amr-nb", "bytes": len(sound), "chunk_bytes": chunk_bytes, "chunks": -(-len(sound) // chunk_bytes),
            "sha256": hashlib.sha256(sound).hexdigest(), "duration_ms": 3000, **voice,
        }  # fmt: skip
        await self.says(user, f"item/{ref}", seq=1, kind="voice", from_="g-1", tst=1, voice=manifest)

    async def serves_fetch(
        self, user: str, ref: str, sound: bytes, chunk_bytes: int = 1024, leaving_out: Collection[int] = ()
    ) -> tuple[int, int]:
        """Answer the next fetch of an item, all but some chunks; return where it began and for how many it asked."""
        fetch = await self.hears("fetch", user, ref=ref)
        for number in range(fetch["from"], fetch["from"] + fetch["count"]):
            chunk = sound[number * chunk_bytes : (number + 1) * chunk_bytes]
            if chunk and number not in leaving_out:
                await self.says_raw(user, f"item/{ref}/{number}", chunk)
        return fetch["from"], fetch["count"]

    async def lets_in(self, username: str, password: str) -> None:
        """Give somebody a login."""
        self._logins[username] = BrokerLogin(username, mosquitto_hash(password))
        await self._broker.set_logins(list(self._logins.values()))

    async def lets_all_in(self, passwords: dict[str, str]) -> None:
        """Give many a login at once."""
        self._logins |= {name: BrokerLogin(name, mosquitto_hash(password)) for name, password in passwords.items()}
        await self._broker.set_logins(list(self._logins.values()))

    async def locks_out(self, username: str) -> None:
        """Take a login away; whoever is connected is thrown out."""
        self._locked_out[username] = self._logins.pop(username)
        await self._broker.set_logins(list(self._logins.values()))

    async def lets_back_in(self, username: str) -> None:
        """Give a login back that was taken away, with its old password."""
        self._logins[username] = self._locked_out.pop(username)
        await self._broker.set_logins(list(self._logins.values()))

    # ---------------------------------------------------------------- the usual steps

    async def new_credentials(self, watch_port: int) -> dict[str, Any]:
        """Return credentials that work from now on."""
        username = "w-" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(12))
        password = secrets.token_urlsafe(24)
        await self.lets_in(username, password)
        return {
            "username": username,
            "password": password,
            "client_id": username,
            "prefix": f"sw/v1/{username}",
            "host": "127.0.0.1",
            "port": watch_port,
        }

    async def shows_code(self, code: str = "482913") -> None:
        """Answer a watch that nobody has paired."""
        await self.hears("pairing", FACTORY, ask="status")
        await self.says(FACTORY, "pairing", paired=False)
        await self.hears("pairing", FACTORY, ask="code")
        await self.says_code(code)

    async def says_code(self, code: str = "482913") -> None:
        """Give a code."""
        qr = f"https://example.org/pair#{code}"
        await self.says(FACTORY, "pairing", code=code, qr=qr, expires_tst=self.server_tst + 600)

    async def says_credentials(self, credentials: dict[str, Any], child_name: str = "Mei") -> None:
        """Give what an entered code brings."""
        await self.says(FACTORY, "pairing", paired=True, child_name=child_name, credentials=credentials)

    async def greets(self, user: str) -> Heard:
        """Answer a hello and return it."""
        hello = await self.hears("hello", user)
        await self.says(user, "time", tst=self.server_tst)
        return hello

    async def pairs(self, watch: SimWatch, watch_port: int) -> str:
        """Pair a watch from its first question to the hello that confirms, and return its user name."""
        asking = asyncio.create_task(watch.pair())
        await self.shows_code()
        await asking
        credentials = await self.new_credentials(watch_port)
        await self.says_credentials(credentials)
        username = str(credentials["username"])
        await self.greets(username)
        await watch.wait_online()
        return username

    async def stores(self, user: str, text: str) -> Heard:
        """Take a text of the watch and send its receipt."""
        heard = await self.hears("text", user, text=text)
        await self.says(user, "receipt", ref=heard["id"], code="stored")
        return heard

    async def answers(self, user: str, ref: str, state: str, **fields: Any) -> Heard:
        """Take a receipt of the watch and answer it."""
        heard = await self.hears("receipt", user, ref=ref, state=state, **fields)
        await self.says(user, "receipt", ref=ref, state=state, code="stored", **fields)
        return heard


@dataclass(frozen=True)
class Bench:
    """A broker, the backend at it, and how watches reach it."""

    backend: ScriptedBackend
    broker: MosquittoProcess
    watch_port: int

    def watch(self, folder: Path, *, port: int | None = None, **options: Any) -> SimWatch:
        """Return the watch of a folder; it takes what else SimWatch takes."""
        options = {"serial": SERIAL, "secret": FACTORY_SECRET, "timings": QUICK, **options}
        return SimWatch(folder, "127.0.0.1", port or self.watch_port, **options)


@contextlib.asynccontextmanager
async def at_broker(
    configuration: BrokerConfiguration, mosquitto: Path, kind: type[ScriptedBackend] = ScriptedBackend
) -> AsyncIterator[Bench]:
    """Run a broker and a backend at it for the block; the factory identity may log in."""
    process = MosquittoProcess(configuration, mosquitto, _BACKEND_PASSWORD)
    await process.start()
    backend = kind(process, configuration.backend_port, _BACKEND_PASSWORD)
    try:
        await backend.connect()
        await backend.lets_in(FACTORY, FACTORY_SECRET)
        yield Bench(backend, process, configuration.plain_port or configuration.tls_port)
    finally:
        await backend.disconnect()
        await process.stop()
