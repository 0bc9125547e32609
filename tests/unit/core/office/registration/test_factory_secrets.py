"""Which secrets of a vendor are none: short, shared, counted, or following from what a label shows."""

import base64
import hashlib
import secrets
import string

import pytest

from services.core.office.registration.factory_secrets import OfferedSecret, secret_faults
from services.core.office.registration.vendor_file import new_factory_secret

SERIAL, IMEI = "SW000001", "860000000000009"
RANDOM_HEX = "9f2c81aa4b6d03e57719c0f2d8a5b3e1"


def codes(*offered: str) -> list[tuple[int, str]]:
    faults = secret_faults([OfferedSecret(row, SERIAL, IMEI, secret) for row, secret in enumerate(offered, start=2)])
    assert all(secret not in fault.sentence for fault in faults for secret in offered if secret)
    return [(fault.row, fault.code) for fault in faults]


def test_random_secrets_of_128_bits_are_taken_however_they_are_written() -> None:
    for _ in range(200):
        raw = secrets.token_bytes(16)
        written = [raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode(), base64.b32encode(raw).decode()]
        for secret in written:
            assert codes(secret) == []
    assert codes(new_factory_secret(), RANDOM_HEX) == []


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        ("", "secret_missing"),
        ("x" * 129, "secret_malformed"),
        ("9f2c81aa4b6d03e5 7719c0f2d8a5b3e1", "secret_malformed"),
        ("9f2c81aa4b6d03e57719c0f2d8a5b3e\u00e9", "secret_malformed"),
        ("9f2c81aa4b6d03e57719c0f2d8a5b3e", "secret_weak"),
        ("12345678", "secret_weak"),
        ("password", "secret_weak"),
        ("0" * 64, "secret_weak"),
        ("abababababababababababababababababab", "secret_weak"),
        ("9f2c81aa9f2c81aa9f2c81aa9f2c81aa", "secret_weak"),
        (string.ascii_lowercase, "secret_weak"),
        ("12345678901234567890123456789012345678", "secret_weak"),
    ],
)
def test_what_holds_less_than_128_random_bits_is_refused(secret: str, code: str) -> None:
    assert codes(secret) == [(2, code)]


@pytest.mark.parametrize(
    "seed", [SERIAL, SERIAL.lower(), IMEI, SERIAL + IMEI, f"{SERIAL}:{IMEI}", IMEI + SERIAL, f"f-{SERIAL}"]
)
@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"])
def test_digests_of_what_the_label_shows_are_refused(seed: str, name: str) -> None:
    digest = hashlib.new(name, seed.encode(), usedforsecurity=False).digest()
    written = [digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode(), digest.hex()[:32]]
    written.append(base64.urlsafe_b64encode(digest).decode().rstrip("="))
    for secret in written:
        assert codes(secret) == [(2, "secret_derived")]


@pytest.mark.parametrize(
    "secret",
    [
        RANDOM_HEX + SERIAL,
        RANDOM_HEX + SERIAL.lower()[::-1],
        IMEI + RANDOM_HEX,
        base64.b64encode((SERIAL + IMEI).encode()).decode() + "xyzABC",
        "xyzABC==" + base64.b64encode((SERIAL + IMEI).encode()).decode(),
    ],
)
def test_the_serial_or_imei_inside_a_secret_is_refused(secret: str) -> None:
    assert codes(secret) == [(2, "secret_derived")]


def test_one_secret_for_two_watches_is_refused_whatever_the_case() -> None:
    assert codes(RANDOM_HEX, "f1e2d3c4b5a69788796a5b4c3d2e1f00", RANDOM_HEX.upper()) == [(4, "secret_reused")]


def test_a_common_stem_or_a_counter_is_refused() -> None:
    stem = "kD9s2LqPz7Xw4RtYv8Bn"
    assert codes(stem + "0001aa", stem + "0002bb", stem + "0003cc") == [(3, "secret_alike"), (4, "secret_alike")]
    assert codes("0001aa" + stem, "0002bb" + stem) == [(3, "secret_alike")]


def test_our_own_secrets_hold_256_bits_and_begin_as_no_formula_does() -> None:
    made = [new_factory_secret() for _ in range(500)]
    assert len(set(made)) == 500
    assert all(len(secret) == 43 and secret[0].isalnum() for secret in made)
