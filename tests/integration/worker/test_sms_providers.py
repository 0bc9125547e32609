"""Every provider of text messages against a server on loopback that checks signature and fields."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.core.platform.crypto.vault import Vault
from services.core.platform.outbox.sms import SmsText
from services.core.platform.outbox.sms_reports import report_address
from services.core.platform.settings import Environment, Settings
from services.worker.sms_providers.aliyun import AliyunAccount, canonical_query, signed_headers
from services.worker.sms_providers.client import ProviderClient
from services.worker.sms_providers.interface import BalanceUnknownError, Failure, SmsNotTakenError, SmsProvider
from services.worker.sms_providers.opening import open_router
from services.worker.sms_providers.twilio import TwilioAccount, TwilioSms
from tests.support.sms_gateway import Gateway, GivesUp

NOW = datetime(2027, 3, 1, 8, 30, tzinfo=UTC)
CODE = SmsText("login_code", {"code": "482913"}, "tr", "SmartWatch: kodunuz 482913. Şifre değil, paylaşmayın. ıIğ")  # noqa: RUF001 - Turkish
URGENT = SmsText(
    "urgent", {"time": "14:05", "host": "app.example.org"}, "vi", "SmartWatch: đồng hồ lúc 14:05, app.example.org"
)
ID = "h5kq2w7zjx3mnb4c6vd8abcdef"
SECRET = "a secret of the webhook, of 32 bytes or more"
PHONES = {
    "aliyun": "+8613800138000", "esms": "+84901888484", "netgsm": "+905321112233", "twilio": "+14155550123",
    "webhook": "+4915112345678",
}  # fmt: skip
# The answer of each provider to an accepted message.
TAKEN: dict[str, tuple[int, object]] = {
    "aliyun": (200, {"Code": "OK", "BizId": "1", "RequestId": "2"}),
    "esms": (200, {"CodeResult": "100", "SMSID": "d533"}),
    "netgsm": (200, {"code": "00", "jobid": "173", "description": "queued"}),
    "twilio": (201, {"sid": "SM1", "status": "queued"}),
    "webhook": (202, {}),
}


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway().running() as gateway:
        yield gateway


@pytest.fixture
def settings(gateway: Gateway, tmp_path: Path) -> Settings:
    """All providers, each at the server on loopback."""
    templates = tmp_path / "templates.toml"
    templates.write_text(
        '[aliyun]\nlogin_code = { tr = "SMS_100" }\nurgent = { "*" = { id = "SMS_200", params = ["time"] } }\n'
        'test = { "*" = "SMS_300" }\n'
    )
    return Settings(
        environment=Environment.TEST,
        public_url="https://app.example.org",
        sms_routes="+86=aliyun,+84=esms,+90=netgsm,+1=twilio,+49=webhook",
        sms_templates_file=templates,
        sms_aliyun_url=gateway.url,
        sms_aliyun_access_key_id="key-id",
        sms_aliyun_access_key_secret=SecretStr("key-secret"),
        sms_aliyun_sign_name="陪伴手表",
        sms_esms_url=gateway.url,
        sms_esms_api_key="api-key",
        sms_esms_secret_key=SecretStr("secret-key"),
        sms_esms_brandname="WeCare",
        sms_netgsm_url=gateway.url,
        sms_netgsm_usercode="8501112233",
        sms_netgsm_password=SecretStr("pass"),
        sms_netgsm_header="WECARE",
        sms_twilio_url=gateway.url,
        sms_twilio_account_sid="AC1",
        sms_twilio_auth_token=SecretStr("twilio-token"),
        sms_twilio_from="MG1",
        sms_webhook_url=f"{gateway.url}/sms",
        sms_webhook_secret=SecretStr(SECRET),
        sms_webhook_country="DE",
    )


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(settings.master_key.get_secret_value())


@pytest_asyncio.fixture(loop_scope="session")
async def providers(settings: Settings, vault: Vault) -> AsyncIterator[dict[str, SmsProvider]]:
    async with open_router(settings, vault, lambda: NOW) as router:
        yield dict(router.providers)


def test_the_signature_is_that_of_the_published_example() -> None:
    # help.aliyun.com, "V3 request structure and signature", the example of fixed parameters.
    query = canonical_query(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    headers = signed_headers(
        AliyunAccount("YourAccessKeyId", "YourAccessKeySecret"), "ecs.cn-shanghai.aliyuncs.com", query,
        action="RunInstances", version="2014-05-26", now=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )  # fmt: skip
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


async def test_aliyun_gets_the_template_of_kind_and_locale_signed_afresh_at_each_attempt(
    gateway: Gateway, providers: dict[str, SmsProvider]
) -> None:
    gateway.status, gateway.body = TAKEN["aliyun"]
    await providers["aliyun"].send(PHONES["aliyun"], CODE, ID)
    await providers["aliyun"].send("+85291234567", URGENT, ID)
    first, second = gateway.requests
    assert (first.method, first.path) == ("POST", "/")
    assert {name: first.query[name] for name in ("PhoneNumbers", "SignName", "TemplateCode", "OutId")} == {
        "PhoneNumbers": "13800138000", "SignName": "陪伴手表", "TemplateCode": "SMS_100", "OutId": ID,
    }  # fmt: skip
    assert json.loads(first.query["TemplateParam"]) == {"code": "482913"}
    # The template of every locale, and of its parameters only those that it declares.
    assert (second.query["TemplateCode"], json.loads(second.query["TemplateParam"])) == ("SMS_200", {"time": "14:05"})
    assert second.query["PhoneNumbers"] == "85291234567"
    for request in gateway.requests:
        # The verifier, written from the document and not from the signer.
        fields = request.headers["authorization"].removeprefix("ACS3-HMAC-SHA256 ").split(",")
        given = dict(field.split("=", 1) for field in fields)
        assert given["Credential"] == "key-id"
        pairs = sorted(request.query.items())
        query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
        names = given["SignedHeaders"].split(";")
        assert {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce"} <= {*names}
        lines = "".join(f"{name}:{request.headers[name]}\n" for name in names)
        canonical = f"POST\n/\n{query}\n{lines}\n{given['SignedHeaders']}\n{hashlib.sha256(request.body).hexdigest()}"
        to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        assert given["Signature"] == hmac.new(b"key-secret", to_sign.encode(), hashlib.sha256).hexdigest()
        assert (request.headers["x-acs-action"], request.headers["x-acs-version"]) == ("SendSms", "2017-05-25")
        assert request.headers["x-acs-date"] == "2027-03-01T08:30:00Z"
    assert first.headers["x-acs-signature-nonce"] != second.headers["x-acs-signature-nonce"]


async def test_esms_gets_the_text_with_our_id_and_where_to_report(
    gateway: Gateway, providers: dict[str, SmsProvider], vault: Vault
) -> None:
    gateway.status, gateway.body = TAKEN["esms"]
    await providers["esms"].send(PHONES["esms"], URGENT, ID)
    (request,) = gateway.requests
    assert (request.method, request.path) == ("POST", "/MainService.svc/json/SendMultipleMessage_V4_post_json/")
    assert request.json == {
        "ApiKey": "api-key", "SecretKey": "secret-key", "Phone": "0901888484", "Content": URGENT.text,
        "Brandname": "WeCare", "SmsType": "2", "IsUnicode": "1", "RequestId": ID,
        "CallbackUrl": report_address("https://app.example.org", vault, "esms"),
    }  # fmt: skip
    assert len(ID) <= 50


async def test_netgsm_gets_codes_at_the_otp_service_in_ascii_and_other_texts_at_the_standard_one(
    gateway: Gateway, providers: dict[str, SmsProvider]
) -> None:
    gateway.status, gateway.body = TAKEN["netgsm"]
    await providers["netgsm"].send(PHONES["netgsm"], CODE, ID)
    await providers["netgsm"].send(PHONES["netgsm"], URGENT, ID)
    code, other = gateway.requests
    basic = f"Basic {base64.b64encode(b'8501112233:pass').decode()}"
    assert [request.headers["authorization"] for request in gateway.requests] == [basic, basic]
    assert code.path == "/sms/rest/v2/otp"
    assert code.json == {
        "msgheader": "WECARE", "no": "5321112233",
        "msg": "SmartWatch: kodunuz 482913. Sifre degil, paylasmayin. iIg",
    }  # fmt: skip
    assert other.path == "/sms/rest/v2/send"
    assert other.json == {
        "msgheader": "WECARE", "encoding": "TR", "iysfilter": "0",
        "messages": [{"msg": URGENT.text, "no": "5321112233"}],
    }  # fmt: skip
    with pytest.raises(SmsNotTakenError, match="refused: not_turkey"):
        await providers["netgsm"].send(PHONES["esms"], CODE, ID)


async def test_twilio_gets_the_text_and_where_to_report_this_message(
    gateway: Gateway, providers: dict[str, SmsProvider], vault: Vault
) -> None:
    gateway.status, gateway.body = TAKEN["twilio"]
    await providers["twilio"].send(PHONES["twilio"], URGENT, ID)
    (request,) = gateway.requests
    assert (request.method, request.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert request.headers["authorization"] == f"Basic {base64.b64encode(b'AC1:twilio-token').decode()}"
    report = f"{report_address('https://app.example.org', vault, 'twilio')}?message_id={ID}"
    assert request.form == {
        "To": PHONES["twilio"], "MessagingServiceSid": "MG1", "Body": URGENT.text, "StatusCallback": report,
    }  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as client:
        numbered = TwilioSms(ProviderClient(client), gateway.url, TwilioAccount("AC1", "t", "+15005550006"))
        await numbered.send(PHONES["twilio"], URGENT, ID)
    assert gateway.requests[-1].form == {"To": PHONES["twilio"], "From": "+15005550006", "Body": URGENT.text}


async def test_the_webhook_gets_everything_signed_with_the_time_and_the_same_id_at_each_attempt(
    gateway: Gateway, providers: dict[str, SmsProvider]
) -> None:
    gateway.answers.extend([(502, {}), (409, {})])
    with pytest.raises(SmsNotTakenError, match="unsure: 502"):
        await providers["webhook"].send(PHONES["webhook"], URGENT, ID)
    # It had taken the first: a repeat is recognised and sends nothing twice.
    await providers["webhook"].send(PHONES["webhook"], URGENT, ID)
    for request in gateway.requests:
        stamp = request.headers["smartwatch-timestamp"]
        assert stamp == str(int(NOW.timestamp()))
        signature = hmac.new(SECRET.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
        assert request.headers["smartwatch-signature"] == f"v1={signature}"
        assert request.headers["idempotency-key"] == ID
        assert request.json == {
            "id": ID, "to": PHONES["webhook"], "kind": "urgent", "params": dict(URGENT.params), "locale": "vi",
            "text": URGENT.text,
        }  # fmt: skip


Told = tuple[str, int, object, Failure | None, str]
ANSWERS: list[Told] = [
    ("aliyun", 200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, Failure.NUMBER_REFUSED, "isv.MOBILE_NUMBER_ILLEGAL"),
    ("aliyun", 200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, Failure.BUSY, "isv.BUSINESS_LIMIT_CONTROL"),
    ("aliyun", 400, {"Code": "Throttling.User"}, Failure.BUSY, "Throttling.User"),
    ("aliyun", 500, {"Code": "isp.SYSTEM_ERROR"}, Failure.UNSURE, "isp.SYSTEM_ERROR"),
    ("aliyun", 400, {"Code": "SignatureDoesNotMatch"}, Failure.REFUSED, "SignatureDoesNotMatch"),
    ("aliyun", 200, {"Code": "isv.AMOUNT_NOT_ENOUGH"}, Failure.REFUSED, "isv.AMOUNT_NOT_ENOUGH"),
    ("esms", 200, {"CodeResult": "124", "ErrorMessage": "Duplicate RequestId"}, None, ""),
    ("esms", 200, {"CodeResult": "99"}, Failure.NUMBER_REFUSED, "99"),
    ("esms", 200, {"CodeResult": "101"}, Failure.REFUSED, "101"),
    ("esms", 200, {"CodeResult": "103"}, Failure.REFUSED, "103"),
    ("netgsm", 406, {"code": "30"}, Failure.REFUSED, "30"),
    ("netgsm", 406, {"code": "52"}, Failure.NUMBER_REFUSED, "52"),
    ("netgsm", 406, {"code": "60"}, Failure.REFUSED, "60"),
    ("netgsm", 406, {"code": "80"}, Failure.BUSY, "80"),
    ("netgsm", 406, {"code": "100"}, Failure.UNSURE, "100"),
    ("twilio", 400, {"code": 21211}, Failure.NUMBER_REFUSED, "21211"),
    ("twilio", 401, {"code": 20003}, Failure.REFUSED, "20003"),
    ("twilio", 429, {"code": 20429}, Failure.BUSY, "20429"),
    ("webhook", 422, {}, Failure.NUMBER_REFUSED, "422"),
    ("webhook", 403, {}, Failure.REFUSED, "403"),
    *((name, 503, b"<html>", Failure.BUSY, "503") for name in PHONES),
    *((name, 500, b"", Failure.UNSURE, "500") for name in PHONES),
    *((name, 302, b"", Failure.REFUSED, "302") for name in PHONES),
    # Another address than the provider's.
    *((name, 404, b"<html>", Failure.REFUSED, "404") for name in PHONES),
    # A code that could be a number, or a text, is not repeated.
    ("twilio", 400, {"code": PHONES["twilio"]}, Failure.REFUSED, "unknown"),
    ("aliyun", 400, {"Code": CODE.text}, Failure.REFUSED, "unknown"),
    # 200 and nothing that tells.
    *((name, 200, b"\xff" * 100_000, Failure.UNSURE, "no_code") for name in ("aliyun", "esms", "netgsm")),
]


@pytest.mark.parametrize(("name", "status", "body", "failure", "reason"), ANSWERS)
async def test_each_answer_is_read_as_documented(
    gateway: Gateway, providers: dict[str, SmsProvider], name: str, status: int, body: object,
    failure: Failure | None, reason: str,
) -> None:  # fmt: skip
    gateway.status, gateway.body = status, body
    if failure is None:
        await providers[name].send(PHONES[name], CODE, ID)
        return
    with pytest.raises(SmsNotTakenError) as refused:
        await providers[name].send(PHONES[name], CODE, ID)
    assert (refused.value.failure, refused.value.reason) == (failure, reason)
    assert refused.value.no_balance == (
        (name, reason) in {("aliyun", "isv.AMOUNT_NOT_ENOUGH"), ("esms", "103"), ("netgsm", "60")}
    )
    # A redirect is not followed: it could lead the number anywhere.
    assert [request.path for request in gateway.requests if request.path == "/elsewhere"] == []


@pytest.mark.parametrize("name", PHONES)
async def test_no_connection_is_not_sent_and_no_answer_may_be(
    gateway: Gateway, settings: Settings, vault: Vault, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_router(settings, vault, lambda: NOW) as router:
        provider = router.providers[name]
        gateway.is_stuck = True
        patience = GivesUp(gateway)
        patience.may.set()
        async with httpx.AsyncClient(transport=patience) as client:
            monkeypatch.setattr(provider._client, "_client", client)  # type: ignore[attr-defined]  # noqa: SLF001
            with pytest.raises(SmsNotTakenError, match="unsure: no_answer") as silent:
                await provider.send(PHONES[name], CODE, ID)
        assert silent.value.is_silent
    async with Gateway().running() as gone:
        address = gone.url
    elsewhere = settings.model_copy(update={f"sms_{name}_url": address})
    async with open_router(elsewhere, vault, lambda: NOW) as router:
        with pytest.raises(SmsNotTakenError, match="busy: no_connection") as gone_away:
            await router.providers[name].send(PHONES[name], CODE, ID)
    assert not gone_away.value.is_silent


async def test_a_connection_that_does_not_come_about_in_time_is_not_sent_and_is_a_silence() -> None:
    with contextlib.ExitStack() as sockets:
        full = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        # Nobody takes the connections: the kernel keeps a few, and leaves all others without an answer.
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(SmsNotTakenError, match="busy: no_connection") as refused:
                await ProviderClient(client, timeout_s=0.2).ask("POST", f"http://127.0.0.1:{full.getsockname()[1]}/")
    assert refused.value.is_silent


async def test_balances_are_read_where_a_provider_tells_them(
    gateway: Gateway, providers: dict[str, SmsProvider]
) -> None:
    bodies: dict[str, Any] = {
        "esms": {"Balance": 36693, "CodeResponse": "100"}, "netgsm": {"code": "00", "balance": "34,020"},
        "twilio": {"balance": "12.5", "currency": "USD"},
    }  # fmt: skip
    balances = {}
    for name, body in bodies.items():
        gateway.body = body
        balances[name] = await providers[name].balance()
    assert balances == {"esms": 36693.0, "netgsm": 34.02, "twilio": 12.5}
    gateway.body = {}
    for name in PHONES:
        with pytest.raises(BalanceUnknownError):
            await providers[name].balance()
    assert {name: provider.country for name, provider in providers.items()} == {
        "aliyun": "CN", "esms": "VN", "netgsm": "TR", "twilio": "US", "webhook": "DE",
    }  # fmt: skip
