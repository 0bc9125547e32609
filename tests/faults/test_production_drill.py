"""In service: production on this machine, behind nginx with TLS; backed up, destroyed, restored, and still talking."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from services.core.devices.push.webhook import signed_headers
from services.core.platform.backup_state import read_backup_state
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.device_sim.parent.parent import SimParent
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from tests.support.backups import open_folder, until
from tests.support.http import code_in
from tests.support.own_server import OwnServer
from tests.support.production import WEBHOOK_SECRET, Production
from tests.support.proxies import Proxy, running_proxy
from tests.support.sms_gateway import Gateway
from tests.support.sounds import duration_ms, wav
from tests.support.world import Home, make_home

RESTORED_WITHIN_S = 600.0


@dataclass(frozen=True)
class Stage:
    """The machine, who reaches it, and a folder for what watch and phone remember."""

    production: Production
    proxy: Proxy
    gateway: Gateway
    home: Home
    memories: Path

    @asynccontextmanager
    async def parent(self) -> AsyncIterator[SimParent]:
        transport = httpx.AsyncHTTPTransport(verify=self.proxy.trust)
        async with SimParent(self.proxy.url, self.memories / "phone", transport=transport) as parent:
            yield parent

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[SimWatch]:
        watch = SimWatch(
            self.memories / "watch", "127.0.0.1", self.production.ports["mosquitto_tls_port"],
            str(self.production.ca_file), serial=self.home.serial, secret=self.home.secret, timings=Timings.quick(),
        )  # fmt: skip
        async with watch:
            yield watch

    async def code(self) -> str:
        """Return the one-time code that came by the webhook; its signature holds."""
        await until(lambda: bool(self.gateway.requests), "a text message", wait_s=120)
        request = self.gateway.requests[-1]
        signed = signed_headers(WEBHOOK_SECRET, request.body, int(request.headers["smartwatch-timestamp"]))
        assert request.headers["smartwatch-signature"] == signed["SmartWatch-Signature"]
        assert request.json["to"] == self.home.phone
        return code_in(request.json["text"])


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def server(folder: Path, claim_port: Callable[[], int]) -> Iterator[OwnServer]:
    server = OwnServer(folder / "server", claim_port())
    server.make()
    yield server
    server.stop()


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_production_is_backed_up_destroyed_restored_and_still_talks(
    folder: Path, server: OwnServer, claim_port: Callable[[], int]
) -> None:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(Gateway().running())
        production = Production(folder, server, gateway.url, claim_port)
        stack.push_async_callback(production.stop)
        proxy_folder = folder / "nginx"
        proxy_folder.mkdir()
        proxy = await stack.enter_async_context(
            running_proxy("nginx", proxy_folder, production.ports["api_port"])
        )  # fmt: skip
        begun_s = time.monotonic()
        await production.start(proxy.url)
        announce(f"production is ready after {time.monotonic() - begun_s:.0f} s: broker, API, worker, bridge, backups")
        settings = production.all_settings(proxy.url)
        told_by_doctor = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", "doctor", env=settings, stdout=asyncio.subprocess.PIPE
        )
        doctored = (await told_by_doctor.communicate())[0].decode()
        wrong = [line for line in doctored.splitlines() if not line.startswith("ok   ")]
        announce("doctor: " + ("\n".join(wrong) or "nothing wrong"))
        async with database_of(settings) as database:
            home = await make_home(database)
            async with database.begin() as work:
                work.notify("broker_users")
        memories = folder / "memories"
        memories.mkdir()
        stage = Stage(production, proxy, gateway, home, memories)
        await until(lambda: is_verified(production.backups), "the first backup is verified", wait_s=600)

        first, last = await live(stage)
        spoken_at = datetime.now(UTC)
        announce(last_line(await production.run("backup", "incremental", environment=settings)))
        await until(lambda: is_received(production.backups, spoken_at), "everything is received", wait_s=120)
        announce(last_line(await production.run("backup", "verify", environment=settings)))

        await production.destroy()
        async with stage.parent() as parent:
            with pytest.raises(Exception, match=r"502|away|not"):
                await parent.me()
        announce("destroyed: processes, database, sound, ledger; kept: the backup folder, keys, certificates")

        begun_s = time.monotonic()
        for name in ("smartwatch-blobs", "smartwatch-ledger"):
            (production.machine / name).mkdir(mode=0o700)
        where = ["--data-dir", str(server.data), *server.user_option]
        announce(last_line(await production.run("restore", "--to", "latest", *where, environment=settings)))
        await asyncio.to_thread(server.start)
        await production.start(proxy.url)
        restored_s = time.monotonic() - begun_s
        announce(f"restored and ready again after {restored_s:.0f} s")
        await talk_again(stage, first, last)
        check_silence(production, home)
        assert restored_s < RESTORED_WITHIN_S


async def live(stage: Stage) -> tuple[str, str]:
    """Log in by a texted code, pair, and let both speak; return the child's and the parent's message."""
    async with stage.parent() as parent, stage.watch() as watch:
        await parent.request_code(stage.home.phone, "en")
        await parent.log_in(stage.home.phone, await stage.code())
        child = str(stage.home.child_id)
        shown = await watch.pair()
        await parent.family.pair(child, shown.code)
        paired = await watch.wait_for("paired", timeout_s=60)
        await watch.wait_for("online", username=paired["username"], timeout_s=60)
        announce("a parent has logged in by the code of the signed webhook and paired a watch")
        first = await say(watch, parent, child, 2.0)
        sent = await parent.voice.speak(child, wav(2.5), "audio/wav")
        await until(lambda: any(item.kind == "voice" for item in watch.inbox()), "the watch has the voice", wait_s=120)
        announce("the parent has heard the child, the watch has the parent's voice")
        return first, sent.message_id


async def talk_again(stage: Stage, first: str, last: str) -> None:
    """Speak and hear with the session and the identity of before, and hear what was said before."""
    child, texts = str(stage.home.child_id), len(stage.gateway.requests)
    async with stage.parent() as parent, stage.watch() as watch:
        assert parent.is_logged_in
        assert watch.is_paired
        assert [message.message_id for message in await parent.history(child)] == [first, last]
        assert duration_ms(await parent.voice.hear(child, first)) > 1500
        announce("after the restore: the phone's session holds, and what the child said before is heard")
        before = len(watch.inbox())
        await watch.wait_online(timeout_s=120)
        await say(watch, parent, child, 3.0)
        await parent.voice.speak(child, wav(1.5), "audio/wav")
        await until(lambda: len(watch.inbox()) > before, "the watch has another voice", wait_s=120)
        announce("watch and parent have exchanged voice again, with the same tokens")
    assert len(stage.gateway.requests) == texts


async def say(watch: SimWatch, parent: SimParent, child: str, seconds: float) -> str:
    """Have the child speak and the parent hear it; return the message's id."""
    known = {message.message_id for message in await parent.history(child)}
    recorded = watch.voice.record("family", seconds=seconds)
    await watch.wait_stored(recorded, timeout_s=120)
    heard = await parent.wait_for_message(child, lambda message: message.message_id not in known, timeout_s=120)
    assert heard.direction == "to_family"
    assert duration_ms(await parent.voice.hear(child, heard.message_id)) > 1000 * (seconds - 0.5)
    return heard.message_id


@asynccontextmanager
async def database_of(environment: dict[str, str]) -> AsyncIterator[Database]:
    """The database with the keys of these settings, for what the programme office would have done."""
    kept = dict(os.environ)
    os.environ.update({name: value for name, value in environment.items() if name.startswith("SMARTWATCH_")})
    try:
        settings = Settings()
    finally:
        os.environ.clear()
        os.environ.update(kept)
    database = Database(settings.database_url, vault=Vault.of(settings))
    yield database
    await database.close()


def check_silence(production: Production, home: Home) -> None:
    """No log of any process has a number, a name or a secret."""
    hidden = [home.phone, home.secret, "Mei", *production.server.passwords.values()]
    assert not [secret for secret in hidden if any(secret in log for log in production.logs())]


def is_verified(folder: Path) -> bool:
    state = read_backup_state(folder)
    return state is not None and state.verified_backup == state.newest_backup != ""


def is_received(folder: Path, since: datetime) -> bool:
    state = read_backup_state(folder)
    return state is not None and state.received_until is not None and state.received_until >= since


def last_line(printed: str) -> str:
    return printed.strip().splitlines()[-1]


def announce(line: str) -> None:
    """Show a step: seen with -s, or in the report of a failure."""
    sys.stderr.write(line.strip() + "\n")
