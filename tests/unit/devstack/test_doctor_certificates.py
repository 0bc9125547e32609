"""The doctor names a certificate that ends soon, does not fit its key, or cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.broker.certificates import Certificates, development_certificates
from services.core.platform.settings import Environment, Settings
from services.devstack.doctor_certificates import certificate_faults

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LIFETIME = timedelta(days=397)


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    return development_certificates(tmp_path, "watches.example", NOW)


def faults(files: Certificates, at: datetime, key: Path | None = None) -> list[str]:
    settings = Settings(
        environment=Environment.TEST,
        tls_certificate_file=str(files.certificate_file),
        tls_key_file=str(key or files.key_file),
    )
    return list(certificate_faults(settings, at))


def test_a_certificate_that_lasts_and_fits_is_no_fault(files: Certificates) -> None:
    assert faults(files, NOW + LIFETIME - timedelta(days=20)) == []
    assert list(certificate_faults(Settings(environment=Environment.TEST), NOW)) == []


def test_an_end_within_a_fortnight_and_one_that_is_over_are_named(files: Certificates) -> None:
    [soon] = faults(files, NOW + LIFETIME - timedelta(days=10))
    assert "expires on 2027-04-03, in 10 days" in soon
    [over] = faults(files, NOW + LIFETIME + timedelta(seconds=1))
    assert "expired on 2027-04-03" in over


def test_another_key_a_missing_one_and_an_unreadable_certificate_are_named(files: Certificates, tmp_path: Path) -> None:
    [other] = faults(files, NOW, key=tmp_path / "ca-key.pem")
    assert "is not the key of" in other
    [missing] = faults(files, NOW, key=tmp_path / "nowhere.pem")
    assert "No such file" in missing
    files.certificate_file.write_text("no certificate")
    [unreadable] = faults(files, NOW)
    assert "cannot be read" in unreadable
