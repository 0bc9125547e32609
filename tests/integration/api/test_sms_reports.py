"""Delivery reports: only the provider that was told the address, and signed where it can; each counts once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
import structlog
from pydantic import SecretStr
from sqlmodel import select

from services.core.people.accounts.sms_texts import go_and_look_text
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms import WaitingSms
from services.core.platform.outbox.sms_outcomes import TAKEN, ProviderOutcome, count_outcomes, record_outcomes
from services.core.platform.outbox.sms_reports import report_address, report_secret, twilio_signature
from services.core.platform.outbox.tables import SmsOutcome
from services.core.platform.settings import Settings
from tests.support.clock import FakeClock

TOKEN, SECRET = "twilio-auth-token", "a secret of the webhook, of 32 bytes or more"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """A site with every provider that reports."""
    secrets = {"sms_twilio_auth_token": SecretStr(TOKEN), "sms_webhook_secret": SecretStr(SECRET)}
    return settings.model_copy(update=secrets)


def path_of(database: Database, provider: str) -> str:
    return report_address("", database.vault, provider)


async def sent(database: Database, provider: str) -> str:
    """Record a message that the provider took; return its id."""
    message_id = new_ref(26)
    async with database.begin() as work:
        waiting = WaitingSms("+8613800138000", go_and_look_text("en"), message_id)
        await record_outcomes(work, waiting, Urgency.SOS, [ProviderOutcome(provider, TAKEN)])
    return message_id


async def outcome_of(database: Database, message_id: str) -> str:
    async with database.begin() as work:
        return (await work.session.exec(select(SmsOutcome.outcome).where(SmsOutcome.message_id == message_id))).one()


def signed_form(settings: Settings, path: str, form: Mapping[str, str], token: str = TOKEN) -> dict[str, str]:
    address = f"{settings.public_url.rstrip('/')}{path}"
    return {**FORM, "X-Twilio-Signature": twilio_signature(token, address, form.items())}


def signed_body(
    clock: FakeClock, body: bytes, *, age: timedelta = timedelta(0), secret: str = SECRET
) -> dict[str, str]:
    stamp = str(int((clock() - age).timestamp()))
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json", "SmartWatch-Timestamp": stamp, "SmartWatch-Signature": f"v1={signature}",
    }  # fmt: skip


def test_the_signature_of_twilio_is_that_of_its_own_example() -> None:
    # The example of twilio.com/docs/usage/security, "Validating requests", that its client libraries test with.
    form = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+12349013030", "Digits": "1234", "From": "+12349013030",
        "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, form.items()) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


async def counted(database: Database) -> tuple[int, int, int]:
    """Return how many texts of the last quarter of an hour were offered, failed, and failed for an SOS."""
    async with database.begin() as work:
        counts = await count_outcomes(work, work.now - timedelta(minutes=15))
    return counts.offered, counts.failed, counts.sos_failed


async def test_each_provider_reports_in_its_own_form_and_each_report_counts_once(
    client: httpx.AsyncClient, database: Database, settings: Settings, clock: FakeClock
) -> None:
    before = await counted(database)
    ids = {name: await sent(database, name) for name in ("aliyun", "esms", "twilio", "webhook")}
    failed = await sent(database, "aliyun")
    aliyun = [
        {"phone_number": "13800138000", "success": True, "err_code": "DELIVERED", "out_id": ids["aliyun"]},
        {"phone_number": "13800138000", "success": False, "err_code": "MK:0001", "out_id": failed, "sms_size": "1"},
        {"phone_number": "13800138000", "success": True, "out_id": "never-sent\x00"},
    ]  # fmt: skip
    esms = {"SMSID": "x", "SendStatus": "5", "SendSuccess": "1", "RequestId": ids["esms"], "phonenumber": "0901888484"}
    for _ in range(2):
        answer = await client.post(path_of(database, "aliyun"), json=aliyun)
        assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
        answer = await client.get(path_of(database, "esms"), params={**esms, "SendStatus": "2"})
        assert (answer.status_code, await outcome_of(database, ids["esms"])) in [(200, "taken"), (200, "delivered")]
        assert (await client.get(path_of(database, "esms"), params=esms)).status_code == 200
        path = f"{path_of(database, 'twilio')}?message_id={ids['twilio']}"
        for status in ("sent", "delivered"):
            form = {"MessageSid": "SM1", "MessageStatus": status, "To": "+14155550123"}
            signed = signed_form(settings, path, form)
            assert (await client.post(path, content=urlencode(form), headers=signed)).status_code == 200
        body = json.dumps({"id": ids["webhook"], "delivered": True}).encode()
        answer = await client.post(path_of(database, "webhook"), content=body, headers=signed_body(clock, body))
        assert answer.status_code == 200
    assert [await outcome_of(database, id_) for id_ in ids.values()] == ["delivered"] * 4
    assert await outcome_of(database, failed) == "undelivered"
    after = await counted(database)
    assert [now - then for now, then in zip(after, before, strict=True)] == [5, 1, 1]


async def test_a_stranger_reports_nothing(
    client: httpx.AsyncClient, database: Database, settings: Settings, clock: FakeClock
) -> None:
    message_id = await sent(database, "twilio")
    path = f"{path_of(database, 'twilio')}?message_id={message_id}"
    form = {"MessageStatus": "undelivered"}
    body = json.dumps({"id": message_id, "delivered": False}).encode()
    webhook = path_of(database, "webhook")
    with structlog.testing.capture_logs() as lines:
        refused = [
            # The address of another provider, or none.
            await client.post(f"/v1/sms-reports/aliyun/{report_secret(database.vault, 'esms')}", json=[]),
            await client.get("/v1/sms-reports/esms/guessed"),
            # The address alone, another key, another message under the same signature.
            await client.post(path, content=urlencode(form), headers=FORM),
            await client.post(path, content=urlencode(form), headers=signed_form(settings, path, form, "other")),
            await client.post(f"{path}x", content=urlencode(form), headers=signed_form(settings, path, form)),
            await client.post(path, content=urlencode({**form, "a": "b"}), headers=signed_form(settings, path, form)),
            # A replay of yesterday, another secret, another body.
            await client.post(webhook, content=body, headers=signed_body(clock, body, age=timedelta(minutes=6))),
            await client.post(webhook, content=body, headers=signed_body(clock, body, age=timedelta(minutes=-6))),
            await client.post(webhook, content=body, headers=signed_body(clock, body, secret="x" * 32)),
            await client.post(webhook, content=body + b" ", headers=signed_body(clock, body)),
            await client.post(webhook, content=body, headers={"content-type": "application/json"}),
        ]  # fmt: skip
    # The address is a secret, also in the log of the API.
    assert len([line for line in lines if line["event"] == "request"]) == len(refused)
    for provider in ("aliyun", "esms", "twilio", "webhook"):
        assert report_secret(database.vault, provider) not in str(lines)
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(401, "access_token_invalid")] * len(
        refused
    )
    assert await outcome_of(database, message_id) == "taken"
    # Any other body is rejected with a problem, never with a 5xx.
    aliyun = path_of(database, "aliyun")
    assert (await client.post(aliyun, json={"a": 1})).status_code == 422
    assert (await client.post(aliyun, json=[{"success": True, "out_id": "x" * 65}])).status_code == 422
    assert (await client.post(aliyun, content=b"a=b", headers=FORM)).status_code == 415
