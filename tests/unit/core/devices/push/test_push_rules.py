"""Which addresses we send to, what answers mean, and the sealing that browsers open."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.core.devices.push.errors import PushAddressRefusedError, PushKeysInvalidError
from services.core.devices.push.rules import (
    Outcome,
    checked_address,
    is_gone_for_good,
    is_public,
    is_still_useful,
    outcome_of,
)
from services.core.devices.push.web_push import PushIdentity, browser_keys, encrypt_notification
from services.core.devices.push.webhook import signed_headers
from services.core.platform.crypto.vault import Vault

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def _bytes(word: str) -> bytes:
    return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))


def test_a_note_is_sealed_as_in_the_example_of_the_rfc() -> None:
    # RFC 8291 section 5 and appendix A.
    private = int.from_bytes(_bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    sealed = encrypt_notification(
        browser_keys(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        ),
        b"When I grow up, I want to be a watermelon",
        ephemeral=ec.derive_private_key(private, ec.SECP256R1()),
        salt=_bytes("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert base64.urlsafe_b64encode(sealed).decode() == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru"
        "3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", "BTBZMqHH6r4Tts7J_aSIgg"),
        ("BCVxsr7N", "BTBZMqHH6r4Tts7J_aSIgg"),
        ("B" + "A" * 86, "BTBZMqHH6r4Tts7J_aSIgg"),  # not on the curve
        ("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "c2hvcnQ"),
        ("=", "="),
    ],
)
def test_keys_that_no_browser_gives_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(PushKeysInvalidError):
        browser_keys(p256dh, auth)


def test_push_services_know_us_by_one_key_that_follows_from_the_master_key() -> None:
    vault = Vault(base64.b64encode(bytes(32)).decode())
    identity, again = PushIdentity(vault), PushIdentity(vault)
    assert identity.public_key == again.public_key
    scheme, token, key = identity.authorization("https://push.test", "https://us.test", NOW).split(" ")
    assert (scheme, key) == ("vapid", f"k={identity.public_key}")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(identity.public_key))
    claims = jwt.decode(
        token.removeprefix("t=").rstrip(","),
        public,
        ["ES256"],
        audience="https://push.test",
        options={"verify_exp": False},
    )
    assert claims["sub"] == "https://us.test"
    assert timedelta(0) < datetime.fromtimestamp(claims["exp"], UTC) - NOW <= timedelta(hours=24)


@pytest.mark.parametrize(
    "address",
    [
        "http://push.example.org/a",
        "ftp://push.example.org/a",
        "https://user:word@push.example.org/",
        "https://push.example.org/#part",
        "https://push.example.org:0/",
        "https://push.example.org:99999/",
        "https:///nothing",
        "https://localhost/",
        "https://postgres/",
        "https://router.local/",
        "https://db.internal/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://push.example.org/ a",
        "https://push.example.org/\r\nHost: x",
        "https://[::1",
        "",
        "https://" + "a" * 1000 + ".org/",
    ],
)
def test_what_is_not_https_or_not_public_is_refused(address: str) -> None:
    with pytest.raises(PushAddressRefusedError):
        checked_address(address, only_public=True)


@pytest.mark.parametrize(
    "address",
    ["https://push.example.org/a?b=c", "https://push.example.org:8443/", "https://8.8.8.8/", "https://[2606:4700::1]/"],
)
def test_public_addresses_are_taken(address: str) -> None:
    assert checked_address(address, only_public=True) == address


def test_in_development_a_local_service_may_be_used() -> None:
    assert checked_address("http://127.0.0.1:9000/push", only_public=False) == "http://127.0.0.1:9000/push"


PUBLIC_ADDRESSES = (
    "8.8.8.8", "172.32.0.1", "192.0.1.1", "223.255.255.254", "2000::1", "2606:4700:4700::1111",
    "2a00:1450:4001:830::200e", "2001:4860:4860::8888", "2001:200::1", "2400:cb00::1", "2002:808:808::1",
)  # fmt: skip
INTERNAL_ADDRESSES = {
    "this host": ("0.0.0.0", "127.0.0.1", "::", "::1"),  # noqa: S104 - addresses to refuse
    "private": ("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fc00::1", "fd00:ec2::254", "fec0::1"),
    "link local": ("169.254.169.254", "fe80::1", "fe80::1%eth0"),
    "a scope": ("2606:4700:4700::1111%eth0",),
    "multicast": ("224.0.0.1", "ff02::1", "ff0e::1"),
    "mapped": ("::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"),
    "compatible": ("::8.8.8.8", "::10.0.0.1"),
    "translated (SIIT)": ("::ffff:0:10.0.0.1",),
    "NAT64": ("64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1"),
    "6to4 of private IPv4": (
        "2002:a00:1::1",
        "2002:7f00:1::1",
        "2002:c0a8:101::1",
        "2002:a9fe:a9fe::1",
        "2002:e000:1::",
    ),
    "Teredo": ("2001::1", "2001:0:a00:1::1"),
    "protocol assignments": ("192.0.0.192", "192.88.99.1", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1", "3fff:fff::1"),
    "benchmarks": ("198.18.0.1", "198.19.255.255"),
    "discard": ("100::1",),
    "segment routing": ("5f00::1",),
    "not assigned": ("4000::1", "1fff::1", "8000::1", "e000::1"),
    "reserved": ("240.0.0.1", "255.255.255.255"),
    "host agent of a cloud": ("168.63.129.16",),
}


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("kind", INTERNAL_ADDRESSES)
def test_an_address_that_leads_into_this_network_is_not_public(kind: str) -> None:
    assert [address for address in INTERNAL_ADDRESSES[kind] if is_public(address)] == []


@pytest.mark.parametrize("word", ["", "example.org", "8.8.8", "08.8.8.8", "2606:4700", "[::1]", "0x7f.1"])
def test_what_is_no_address_is_refused_as_such(word: str) -> None:
    with pytest.raises(ValueError, match="IPv4 or IPv6"):
        is_public(word)


def test_answers_mean_taken_gone_or_later_and_a_redirection_is_no_success() -> None:
    outcomes = {status: outcome_of(status) for status in (200, 201, 204, 301, 307, 400, 401, 404, 410, 429, 500, 503)}
    assert {status for status, outcome in outcomes.items() if outcome is Outcome.TAKEN} == {200, 201, 204}
    assert {status for status, outcome in outcomes.items() if outcome is Outcome.GONE} == {404, 410}


def test_a_note_is_worth_something_for_a_while_and_an_endpoint_lives_through_a_weekend() -> None:
    assert is_still_useful("message.created", NOW - timedelta(hours=23), NOW)
    assert not is_still_useful("alert.raised", NOW - timedelta(hours=1), NOW)
    assert not is_gone_for_good(None, NOW)
    assert not is_gone_for_good(NOW - timedelta(days=2, hours=23), NOW)
    assert is_gone_for_good(NOW - timedelta(days=3), NOW)


def test_a_signature_covers_the_time_and_the_note() -> None:
    headers = signed_headers("secret", b'{"kind":"alert.raised"}', 1764000000)
    assert headers == {
        "SmartWatch-Timestamp": "1764000000",
        # printf '1764000000.{"kind":"alert.raised"}' | openssl dgst -sha256 -hmac secret
        "SmartWatch-Signature": "v1=d3e1898508cf35acf309a1b8d3ff4d060549d6dc1ab8bd6a634780c169a3a793",
    }
    assert signed_headers("secret", b'{"kind":"alert.raised"}', 1764000001) != headers
