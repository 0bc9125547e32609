"""A run of the watchdog on a real database, with a mail server, a webhook and a text message route on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.core.people.accounts.sms_texts import go_and_look_text
from services.core.platform.backup_state import update_backup_state
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.log.health import HealthServer
from services.core.platform.outbox.actions import send_sms
from services.core.platform.outbox.rules import Urgency
from services.core.platform.settings import Settings
from services.devstack.ports import free_port
from services.devstack.watchdog.main import run_watchdog
from tests.support.clock import FakeClock
from tests.support.sms_gateway import Gateway

PHONE, OPERATOR = "+8613800138000", "+8613900139000"
SECRET = "a secret of the webhook, of 32 bytes or more"


@dataclass
class MailServer:
    """Takes mail by SMTP on loopback, without TLS."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    is_away: bool = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_away:
            writer.close()
            return
        writer.write(b"220 mail.test\r\n")
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if line.upper().startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
                elif line.upper().startswith(b"QUIT"):
                    writer.write(b"221 bye\r\n")
                    break
                writer.write(b"250 ok\r\n")
                await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[MailServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def mail() -> AsyncIterator[MailServer]:
    async with MailServer().running() as mail:
        yield mail


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway().running() as gateway:
        yield gateway


@pytest.fixture
def watched(settings: Settings, tmp_path: Path, mail: MailServer, gateway: Gateway) -> Settings:
    backups = tmp_path / "backups"
    backups.mkdir()
    return settings.model_copy(
        update={
            "watchdog_state": tmp_path / "watchdog.json",
            "watchdog_mail_to": "operator@example.org",
            "watchdog_mail_from": "smartwatch@example.org",
            "watchdog_smtp_host": "127.0.0.1",
            "watchdog_smtp_port": mail.port,
            "watchdog_webhook_url": f"{gateway.url}/watchdog",
            "watchdog_webhook_secret": SecretStr(SECRET),
            "watchdog_sms_to": OPERATOR,
            "sms_file": tmp_path / "sms.jsonl",
            "backup_dir": backups,
        }
    )


async def test_an_operator_hears_of_each_trouble_once_an_hour_by_every_way(
    watched: Settings, mail: MailServer, gateway: Gateway, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock()
    clock.now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)  # a Sunday
    vault = Vault(watched.master_key.get_secret_value())
    state = {"postgres": "ok"}

    async def postgres() -> str | None:
        return None if state["postgres"] == "ok" else state["postgres"]

    port = free_port(())
    page = HealthServer(port, {"postgres": postgres, "blobs": postgres})
    await page.start()
    watched = watched.model_copy(update={"watchdog_pages": f"http://127.0.0.1:{port}/readyz"})
    assert watched.backup_dir is not None
    update_backup_state(watched.backup_dir, {"newest_at": clock(), "verified_at": clock()})

    async def run() -> int:
        # As the timer does, in a process of its own kind of time.
        return await asyncio.to_thread(run_watchdog, watched, clock=clock)

    assert await run() == 0
    assert (mail.mails, gateway.requests) == ([], [])
    state["postgres"] = f"refuses {PHONE}"
    assert await run() == 0
    clock.advance(minutes=4)
    assert await run() == 0
    assert mail.mails == []
    clock.advance(minutes=1)
    # The mail server is away: the other ways still work, and the line counts as sent.
    mail.is_away = True
    assert await run() == 0
    assert [request.json["kind"] for request in gateway.requests] == ["not_ready"]
    mail.is_away = False
    clock.advance(minutes=59)
    assert await run() == 0
    assert mail.mails == []
    clock.advance(minutes=1)
    assert await run() == 0
    (first,) = [message_from_bytes(raw) for raw in mail.mails]
    assert first["To"] == "operator@example.org"
    assert "a process is not ready" in first["Subject"]
    assert f"127.0.0.1:{port}: blobs, postgres" in str(first.get_payload())
    # An SOS that has waited for a long time.
    database = Database(watched.database_url, vault=vault, clock=clock)
    async with database.begin() as work:
        await send_sms(work, PHONE, go_and_look_text("en"), urgency=Urgency.SOS)
    await database.close()
    state["postgres"] = "ok"
    assert await run() == 0
    assert [request.json["kind"] for request in gateway.requests] == ["not_ready", "not_ready", "sos_unsent"]
    assert gateway.requests[-1].headers["smartwatch-signature"].startswith("v1=")
    texts = (tmp_path / "sms.jsonl").read_text().splitlines()
    assert len(texts) == 3
    assert OPERATOR in texts[-1]
    assert "1 SOS text reached nobody" in texts[-1]
    # Nobody's number is told or printed, whatever a page says.
    output = capfd.readouterr()
    for canary in (PHONE, OPERATOR, "operator@example.org"):
        assert canary not in output.out + output.err
        assert canary not in "".join(str(request.json) for request in gateway.requests)
    assert b"13800138000" not in b"".join(mail.mails)
    await page.stop()


async def test_a_line_that_reaches_nobody_fails_the_run_and_is_due_again(
    watched: Settings, mail: MailServer, gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock()
    only_mail = watched.model_copy(
        update={"watchdog_webhook_url": "", "watchdog_sms_to": "", "watchdog_pages": f"{gateway.url}/readyz"}
    )  # fmt: skip
    mail.is_away = True
    assert await asyncio.to_thread(run_watchdog, only_mail, clock=clock) == 1
    assert "watchdog: not sent by mail: SMTPServerDisconnected" in capfd.readouterr().err
    mail.is_away = False
    assert await asyncio.to_thread(run_watchdog, only_mail, clock=clock) == 0
    assert any(b"there is no backup" in raw for raw in mail.mails)
    nobody = only_mail.model_copy(update={"watchdog_mail_to": ""})
    assert await asyncio.to_thread(run_watchdog, nobody, clock=clock) == 1
    assert "nobody is told: set SMARTWATCH_WATCHDOG_MAIL_TO" in capfd.readouterr().err
