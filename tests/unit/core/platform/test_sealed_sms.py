"""A waiting text message: older rows stay readable, and older code reads newer rows."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

import pytest

from services.core.people.accounts.sms_texts import login_code_text
from services.core.platform.crypto.vault import SealBrokenError, Vault
from services.core.platform.locales import LOCALES
from services.core.platform.outbox.sms import SmsTexts, sealed_payload, unseal_payload

PHONE = "+8613800138000"
FILES = sorted(Path("services/core").rglob("sms_texts.json"))


@pytest.fixture
def vault() -> Vault:
    return Vault(base64.b64encode(secrets.token_bytes(32)).decode())


def test_a_message_keeps_kind_parameters_and_text_and_shows_none_of_them_to_a_log(vault: Vault) -> None:
    payload = sealed_payload(vault, PHONE, login_code_text("zh-CN", "482913"))
    waiting = unseal_payload(vault, payload, 7)
    assert waiting.phone == PHONE
    assert waiting.content == login_code_text("zh-Hans", "482913")
    assert (waiting.content.kind, waiting.content.params) == ("login_code", {"code": "482913"})
    assert waiting.message_id == payload["message_id"]
    shown = repr(waiting) + json.dumps(payload)
    assert "482913" not in shown
    assert PHONE not in shown


def test_a_row_older_than_kinds_is_read_and_older_code_reads_a_newer_row(vault: Vault) -> None:
    old = {"sealed": vault.seal(f"{PHONE}\x00en\x00SmartWatch: hello".encode(), "sms").hex()}
    waiting = unseal_payload(vault, old, 7)
    assert (waiting.phone, waiting.content.kind, waiting.content.text) == (PHONE, "", "SmartWatch: hello")
    assert waiting.message_id == unseal_payload(vault, old, 7).message_id != unseal_payload(vault, old, 8).message_id
    # The line by which code before kinds read a row.
    newer = sealed_payload(vault, PHONE, login_code_text("en", "482913"))
    read = vault.unseal(bytes.fromhex(newer["sealed"]), "sms").decode().split("\x00", 2)
    assert read == [PHONE, "en", login_code_text("en", "482913").text]
    with pytest.raises(SealBrokenError):
        unseal_payload(vault, {**newer, "sealed_template": newer["sealed"]}, 7)


def test_every_kind_has_a_text_in_each_language_and_no_two_areas_share_a_kind() -> None:
    kinds = [kind for file in FILES for kind in SmsTexts(file).kinds]
    assert len(kinds) == len({*kinds}) >= 13
    for file in FILES:
        texts = json.loads(file.read_text(encoding="utf-8"))
        assert tuple(texts) == LOCALES
        assert {frozenset(of_locale) for of_locale in texts.values()} == {SmsTexts(file).kinds}
