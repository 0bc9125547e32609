"""The certificate of the watches' listener: the configured one, or in development a generated one."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.broker.files import replace_file
from services.core.platform.descriptors import is_exhaustion

_AUTHORITY_LIFETIME = timedelta(days=3650)
_SERVER_LIFETIME = timedelta(days=397)  # what phones and browsers accept at most
_RENEW_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(days=1)  # for simulators on machines whose clock is behind


@dataclass(frozen=True)
class Certificates:
    """The PEM files of the watches' listener; ``ca_file`` is what a watch trusts."""

    certificate_file: Path
    key_file: Path
    ca_file: Path | None


def development_certificates(folder: Path, watch_host: str, now: datetime | None = None) -> Certificates:
    """Return the authority and the server certificate of this instance, generated or renewed when needed.

    ECDSA P-256 keeps the chain below 4 KB; valid for ``watch_host``, localhost and 127.0.0.1. A repeat changes nothing
    until 30 days before expiry or until the host changes. The authority is kept, because clients trust it.
    """
    at = now or datetime.now(UTC)
    files = Certificates(folder / "server.pem", folder / "server-key.pem", folder / "ca.pem")
    with _locked(folder):
        authority = _load(folder / "ca.pem", folder / "ca-key.pem")
        if authority is None or not _lasts(authority[0], at):
            authority = _make_authority(at)
            _store(authority, folder / "ca.pem", folder / "ca-key.pem")
            (folder / "ca.pem").chmod(0o644)
        server = _load(files.certificate_file, files.key_file)
        if server is None or not _fits(server[0], authority[0], watch_host, at):
            _store(_make_server(authority, watch_host, at), files.certificate_file, files.key_file)
    return files


def expires_at(certificate_file: Path) -> datetime | None:
    """Return when the first certificate of a PEM chain expires; None when the file cannot be read."""
    try:
        return x509.load_pem_x509_certificate(certificate_file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def fit_together(certificate: bytes, key: bytes) -> bool:
    """Return whether a PEM key belongs to the first certificate of a PEM chain; False for what cannot be read."""
    try:
        ours = serialization.load_pem_private_key(key, password=None).public_key()
        return ours == x509.load_pem_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


_Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _load(certificate_file: Path, key_file: Path) -> _Pair | None:
    """Return certificate and key, None if one of them is missing, malformed, or belongs to another."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        if is_exhaustion(error):
            raise  # the files are fine; a new authority would cut off every watch that trusts this one
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return certificate, key


def _store(pair: _Pair, certificate_file: Path, key_file: Path) -> None:
    """Write the key first: a crash in between leaves a pair that does not match, which is generated anew."""
    key = pair[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    replace_file(key_file, key, None)
    replace_file(certificate_file, pair[0].public_bytes(serialization.Encoding.PEM), None)


def _lasts(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc - _RENEW_BEFORE


def _fits(certificate: x509.Certificate, authority: x509.Certificate, watch_host: str, at: datetime) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 - whatever is wrong, a new certificate is generated
        return False
    return _lasts(certificate, at) and set(names) == set(_alternative_names(watch_host))


def _alternative_names(watch_host: str) -> list[x509.GeneralName]:
    names: dict[str, x509.GeneralName] = {}
    for host in (watch_host, "localhost", "127.0.0.1"):
        try:
            names[host] = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            names[host] = x509.DNSName(host.encode("idna").decode("ascii"))
    return list(names.values())


def _builder(name: str, issuer: str, key: ec.EllipticCurvePrivateKey, at: datetime) -> x509.CertificateBuilder:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _BACKDATED)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make_authority(at: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # A number in the name, for trust stores that find authorities by name: two instances have different ones.
    name = f"SmartWatch development authority {x509.random_serial_number() % 10**8:08d}"
    certificate = (
        _builder(name, name, key, at)
        .not_valid_after(at + _AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _make_server(authority: _Pair, watch_host: str, at: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    certificate = (
        _builder("SmartWatch development broker", str(issuer), key, at)
        .not_valid_after(min(at + _SERVER_LIFETIME, authority[0].not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(watch_host)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[1].public_key()), critical=False)
        .sign(authority[1], hashes.SHA256())
    )
    return certificate, key
