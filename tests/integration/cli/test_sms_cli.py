"""`smartwatch sms` and the worker in production, with a signed webhook on loopback as the provider."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.core.people.accounts.sms_texts import login_code_text
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.outbox.actions import send_sms
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms_texts import trial_text
from services.devstack.ports import free_port
from tests.integration.cli.conftest import Smartwatch
from tests.support.sms_gateway import Gateway

PHONE, SECRET = "+8613800138000", "a secret of the webhook, of 32 bytes or more"
KEY = base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway in a thread of its own: commands run an event loop of theirs."""
    gateway, is_up, is_over = Gateway(status=202), threading.Event(), threading.Event()

    async def serve() -> None:
        async with gateway.running():
            is_up.set()
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    is_up.wait()
    yield gateway
    is_over.set()
    thread.join()


@pytest.fixture
def production(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a process in production."""
    settings = {
        "ENVIRONMENT": "production", "MASTER_KEY": KEY, "TOKEN_KEYS": f"k:{secrets.token_urlsafe(32)}",
        "MQTT_BACKEND_PASSWORD": secrets.token_urlsafe(24), "MOSQUITTO_PLAIN_PORT": "0",
        "PUBLIC_URL": "https://app.example.org", "BLOB_URL": f"file:{tmp_path}/blobs",
        "ERASURE_LEDGER": f"{tmp_path}/erasures.jsonl", "SMS_ROUTES": "+86=webhook",
        "SMS_WEBHOOK_URL": f"{gateway.url}/sms", "SMS_WEBHOOK_SECRET": SECRET, "SMS_WEBHOOK_COUNTRY": "CN",
        "WORKER_HEALTH_PORT": str(free_port(())),
    }  # fmt: skip
    environment = {f"SMARTWATCH_{name}": value for name, value in settings.items()}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


def signed_texts(gateway: Gateway) -> list[str]:
    """Return the texts that came, each with a sound signature."""
    texts = []
    for request in gateway.requests:
        stamp = request.headers["smartwatch-timestamp"]
        signature = hmac.new(SECRET.encode(), f"{stamp}.".encode() + request.body, hashlib.sha256).hexdigest()
        assert request.headers["smartwatch-signature"] == f"v1={signature}"
        assert request.json["to"] == PHONE
        texts.append(request.json["text"])
    return texts


@pytest.mark.usefixtures("production")
def test_an_operator_tries_a_route_and_hears_what_the_provider_said(
    smartwatch: Smartwatch, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = smartwatch("sms", "try", PHONE, "--locale", "zh-Hans")
    assert (result.code, result.out) == (0, "webhook: taken\n")
    assert signed_texts(gateway) == [trial_text("zh-Hans").text]
    gateway.status = 403
    result = smartwatch("sms", "try", PHONE)
    assert (result.code, result.out) == (1, "webhook: refused: 403\n")
    assert result.err.splitlines()[-1].startswith("smartwatch: sms_not_taken: No provider took the message")
    assert PHONE not in result.out + result.err
    result = smartwatch("sms", "try", "+84901888484")
    assert result.err == "smartwatch: sms_no_route: SMARTWATCH_SMS_ROUTES has no route for this number.\n"
    result = smartwatch("sms", "routes")
    assert result.out.splitlines()[1].startswith("+86\twebhook\tCN\thttps://app.example.org/v1/sms-reports/webhook/")
    templates = tmp_path / "templates.toml"
    templates.write_text("[aliyun")
    for name, value in (("ROUTES", "+86=aliyun"), ("TEMPLATES_FILE", str(templates)), ("ALIYUN_SIGN_NAME", "x"),
                        ("ALIYUN_ACCESS_KEY_ID", "x"), ("ALIYUN_ACCESS_KEY_SECRET", "x")):  # fmt: skip
        monkeypatch.setenv(f"SMARTWATCH_SMS_{name}", value)
    result = smartwatch("sms", "try", PHONE)
    assert result.code == 1
    assert result.err.startswith(f"smartwatch: sms_templates_wrong: {templates} is no TOML")


def test_a_worker_in_production_sends_by_a_webhook_on_loopback_and_not_without_a_route(
    production: dict[str, str], database_url: str, gateway: Gateway
) -> None:
    environment = {**os.environ, **production, "SMARTWATCH_DATABASE_URL": database_url}

    async def queue() -> None:
        database = Database(database_url, vault=Vault(KEY))
        async with database.begin() as work:
            await send_sms(work, PHONE, login_code_text("zh-Hans", "482913"), urgency=Urgency.LOG_IN_CODE)
        await database.close()

    without = subprocess.run(
        [sys.executable, "-m", "services.cli", "worker"], env={**environment, "SMARTWATCH_SMS_ROUTES": "*=file"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert without.returncode == 1
    assert "sms_routes: file writes one-time codes into a file and is for development only" in without.stderr
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, queue()).result()
    worker = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "worker"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert gateway.came_in_thread.wait(60.0)
        assert signed_texts(gateway) == [login_code_text("zh-Hans", "482913").text]
    finally:
        worker.send_signal(signal.SIGTERM)
        _, output = worker.communicate(timeout=90)
    assert worker.returncode == 0
    assert "482913" not in output
    assert PHONE.removeprefix("+86") not in output
