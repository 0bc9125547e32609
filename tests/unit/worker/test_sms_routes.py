"""Routes and templates of text messages: what is read, what production rejects, and what doctor says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.core.platform.locales import LOCALES
from services.core.platform.outbox.sms_texts import every_kind, every_text
from services.core.platform.settings import Settings
from services.core.platform.sms_settings import SmsRoutes, is_safe_address
from services.worker.sms_providers.diagnosis import diagnose_routes, diagnose_templates
from services.worker.sms_providers.templates import TemplatesBrokenError, read_templates

TWILIO = {"sms_twilio_account_sid": "AC1", "sms_twilio_auth_token": SecretStr("t"), "sms_twilio_from": "+1"}
WEBHOOK = {
    "sms_webhook_url": "http://127.0.0.1:9000/sms", "sms_webhook_secret": SecretStr("s" * 32),
    "sms_webhook_country": "CN",
}  # fmt: skip


@pytest.mark.parametrize(
    ("phone", "providers"),
    [
        ("+8613800138000", ("aliyun", "twilio")),
        ("+85291234567", ("webhook", "esms", "twilio")),
        ("+84901888484", ("esms", "twilio")),
        ("+14155550123", ("twilio",)),
    ],
)
def test_the_longest_prefix_wins_and_the_others_route_is_the_last_attempt(
    phone: str, providers: tuple[str, ...]
) -> None:
    routes = SmsRoutes.parse(" +86=aliyun, +8=file ,+84=esms,+852=webhook|esms,*=twilio,")
    assert routes.providers_of(phone) == providers
    assert SmsRoutes.parse("+86=aliyun").providers_of("+84901888484") == ()
    assert SmsRoutes.parse(str(routes)) == routes


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "names no route"),
        ("86=aliyun", "'86' is no prefix: write \\+86"),
        ("+86=aliyum", "'aliyum' is no provider; there are aliyun, esms"),
        ("+86=", "'' is no provider"),
        ("+86=aliyun,+86=twilio", "two routes for \\+86"),
        ("+0=aliyun", "'\\+0' is no prefix"),
        ("aliyun,twilio", "two routes for \\*"),
    ],
)
def test_a_wrong_route_is_a_sentence(written: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SmsRoutes.parse(written)


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ("+86=webhook", None),
        ("+86=webhook,*=twilio", None),
        ("webhook", "'webhook' has no prefix: write \\+86=webhook"),
        ("*=twilio", "has \\* alone"),
        ("+86=webhook,+1=file", "file writes one-time codes into a file"),
        ("+86=webhook|file", "file writes one-time codes into a file"),
    ],
)
def test_production_starts_with_real_routes_for_named_countries_and_only_then(routes: str, fault: str | None) -> None:
    given: dict[str, Any] = {
        "environment": "production", "mqtt_backend_password": SecretStr("x" * 32), "mosquitto_plain_port": 0,
        "database_url": "postgresql://a@b/c", "master_key": SecretStr("A" * 43 + "="),
        "token_keys": {"k": SecretStr("t" * 32)}, "sms_routes": routes, **TWILIO, **WEBHOOK,
    }  # fmt: skip
    if fault is None:
        assert str(Settings(**given).sms_routes) == routes
        return
    with pytest.raises(ValidationError, match=fault):
        Settings(**given)


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://sms.example.org/x", True), ("http://127.0.0.1:8000", True), ("http://[::1]:8000", True),
        ("http://localhost", True), ("http://sms.example.org", False), ("http://127.0.0.1.example.org", False),
        ("http://10.0.0.5", False), ("https://", False), ("ftp://127.0.0.1", False), ("https://a:b@c.org", False),
        ("http://127.0.0.1:99999", False), ("sms.example.org", False),
    ],
)  # fmt: skip
def test_plain_http_is_accepted_for_this_machine_alone(address: str, *, is_safe: bool) -> None:
    assert is_safe_address(address) is is_safe
    if not is_safe:
        with pytest.raises(ValidationError, match="no https:// address; plain http is accepted for loopback only"):
            Settings(sms_twilio_url=address)


def test_a_provider_without_its_keys_is_refused_by_name_and_a_secret_needs_its_length() -> None:
    with pytest.raises(ValidationError, match="sms_twilio_auth_token is needed by the provider twilio"):
        Settings(**{"sms_routes": "+1=twilio", **TWILIO, "sms_twilio_auth_token": SecretStr("")})  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="sms_webhook_secret needs at least 32 bytes"):
        Settings(**{"sms_routes": "+1=webhook", **WEBHOOK, "sms_webhook_secret": SecretStr("short")})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (None, "cannot be read"),
        ("[aliyun", "is no TOML"),
        ('[esms]\nlogin_code = { "*" = "SMS_1" }', "has no table \\[aliyun\\]"),
        ('[aliyun]\nlogin_code = "SMS_1"', 'write login_code = { "\\*" = "SMS_...'),
        ('[aliyun]\nlogin_code = { zh = "SMS_1" }', "unknown locale zh"),
        ('[aliyun]\nlogin_code = { "*" = 1 }', "login_code in \\* has no template id"),
        ('[aliyun]\nlogin_code = { "*" = { id = "SMS_1", params = "code" } }', "are no list of names"),
    ],
)
def test_a_broken_file_of_templates_is_a_sentence(tmp_path: Path, written: str | None, sentence: str) -> None:
    file = tmp_path / "templates.toml"
    if written is not None:
        file.write_text(written)
    with pytest.raises(TemplatesBrokenError, match=sentence):
        read_templates(file, "aliyun")
    settings = Settings().model_copy(
        update={"sms_routes": SmsRoutes.parse("+86=aliyun"), "sms_templates_file": file}
    )  # fmt: skip
    assert str(file) in diagnose_templates(settings).faults[0]


def test_doctor_names_each_kind_without_a_template_in_some_locale_and_each_unknown_kind(tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    whole = dict.fromkeys(every_kind(), '{ "*" = "SMS_1" }')
    settings = Settings().model_copy(update={"sms_routes": SmsRoutes.parse("+86=aliyun"), "sms_templates_file": file})

    def diagnosed(kinds: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        file.write_text("[aliyun]\n" + "\n".join(f"{kind} = {value}" for kind, value in kinds.items()))
        diagnosis = diagnose_templates(settings)
        return diagnosis.faults, diagnosis.warnings

    assert diagnosed(whole) == ((), ())
    assert set(LOCALES) == {"en", "zh-Hans", "vi", "tr"}
    faults, _ = diagnosed(whole | {"login_code": '{ zh-Hans = "SMS_1" }', "urgent": "{}"})
    assert faults == (f"{file} has no template of aliyun for login_code (en, vi, tr), urgent (en, zh-Hans, vi, tr)",)
    _, warnings = diagnosed(whole | {"login_kode": '{ "*" = "SMS_1" }'})
    assert warnings == (f"{file} has templates of unknown kinds: login_kode",)
    assert diagnose_templates(Settings()).faults == ()


def test_every_kind_can_be_shown_for_approval_in_each_locale() -> None:
    for locale in LOCALES:
        shown = {kind: (params, text) for kind, params, text in every_text(locale)}
        assert shown.keys() == every_kind()
        assert shown["login_code"][0] == "code"
        assert "{code}" in shown["login_code"][1]
    assert len({{kind: text for kind, _, text in every_text(locale)}["test"] for locale in LOCALES}) == 4


def test_doctor_names_sites_without_a_route_and_texts_that_leave_the_country() -> None:
    countries = {"aliyun": "CN", "twilio": "US", "webhook": "VN", "file": None}
    sites = [("Dongguan", "CN"), ("Bursa", "TR"), ("Hanoi", "VN")]
    diagnosis = diagnose_routes(SmsRoutes.parse("+86=aliyun,+84=webhook"), countries, sites)
    assert diagnosis.faults == ("sms_routes has no route for +90, the numbers of Bursa",)
    assert diagnosis.warnings == ()
    diagnosis = diagnose_routes(SmsRoutes.parse("+86=aliyun,+84=webhook,*=twilio"), countries, sites)
    assert diagnosis.faults == ()
    assert diagnosis.warnings == (
        "texts of Dongguan (CN) are processed abroad by twilio (US)",
        "texts of Bursa (TR) are processed abroad by twilio (US)",
        "texts of Hanoi (VN) are processed abroad by twilio (US)",
    )
    assert diagnose_routes(SmsRoutes.parse("*=file"), countries, sites).warnings == ()
