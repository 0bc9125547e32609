"""The development certificate: made once, renewed in time, never bigger than a modem's memory."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from services.broker.certificates import Certificates, development_certificates

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def contents(files: Certificates) -> tuple[bytes, bytes, bytes]:
    assert files.ca_file is not None
    return files.certificate_file.read_bytes(), files.key_file.read_bytes(), files.ca_file.read_bytes()


def test_a_repeat_changes_nothing_until_a_month_before_expiry(tmp_path: Path) -> None:
    first = contents(development_certificates(tmp_path, "10.0.0.7", NOW))
    assert contents(development_certificates(tmp_path, "10.0.0.7", NOW + timedelta(days=366))) == first
    renewed = contents(development_certificates(tmp_path, "10.0.0.7", NOW + timedelta(days=368)))
    assert renewed[0] != first[0]
    assert renewed[2] == first[2], "what trusts the authority goes on doing so"


def test_it_is_small_elliptic_and_bears_the_host_and_this_machines_own_names(tmp_path: Path) -> None:
    files = development_certificates(tmp_path, "watches.example", NOW)
    certificate = x509.load_pem_x509_certificate(files.certificate_file.read_bytes())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert files.certificate_file.stat().st_size < 4096
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["watches.example", "localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "münchen.example"])
def test_any_host_that_watches_can_be_told_gets_a_certificate(tmp_path: Path, host: str) -> None:
    first = contents(development_certificates(tmp_path, host, NOW))
    assert contents(development_certificates(tmp_path, host, NOW)) == first


def test_another_host_gets_a_new_certificate_from_the_same_authority(tmp_path: Path) -> None:
    first = contents(development_certificates(tmp_path, "a.example", NOW))
    second = contents(development_certificates(tmp_path, "b.example", NOW))
    assert second[0] != first[0]
    assert second[2] == first[2]


def test_only_this_user_can_read_the_keys(tmp_path: Path) -> None:
    development_certificates(tmp_path, "localhost", NOW)
    for name in ("server-key.pem", "ca-key.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca.pem").stat().st_mode) == 0o644


@pytest.mark.parametrize("damaged", ["server.pem", "server-key.pem", "ca.pem", "ca-key.pem"])
@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None])
def test_a_damaged_or_missing_file_is_made_again(tmp_path: Path, damaged: str, damage: bytes | None) -> None:
    files = development_certificates(tmp_path, "localhost", NOW)
    if damage is None:
        (tmp_path / damaged).unlink()
    else:
        (tmp_path / damaged).write_bytes(damage)
    mended = contents(development_certificates(tmp_path, "localhost", NOW))
    certificate = x509.load_pem_x509_certificate(mended[0])
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(mended[2]))
    assert contents(files) == mended
