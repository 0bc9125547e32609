"""What `smartwatch doctor` finds of the certificate of the watches' port."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from services.broker.certificates import expires_at, fit_together
from services.core.platform.settings import Settings

# certbot and Caddy renew 30 days before the end: below this the renewal has failed for a fortnight.
LEFT_LEAST: Final = timedelta(days=14)


def certificate_faults(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield what is wrong with the configured certificate; nothing where the product makes its own."""
    if not settings.tls_certificate_file:
        return
    certificate, key = Path(settings.tls_certificate_file), Path(settings.tls_key_file or "missing")
    ends_at = expires_at(certificate)
    if ends_at is None:
        yield f"{certificate} cannot be read as a certificate"
        return
    if ends_at <= now:
        yield f"{certificate} expired on {ends_at:%Y-%m-%d}: watches refuse the connection"
    elif ends_at - now < LEFT_LEAST:
        yield f"{certificate} expires on {ends_at:%Y-%m-%d}, in {(ends_at - now).days} days"
    try:
        fits = fit_together(certificate.read_bytes(), key.read_bytes())
    except OSError as error:
        yield f"{error.filename}: {error.strerror}"
        return
    if not fits:
        yield f"{key} is not the key of {certificate}"
