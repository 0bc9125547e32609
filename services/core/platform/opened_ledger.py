"""The ledger of erasures that the settings name: the file, or the bucket."""

from __future__ import annotations

from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.settings import Settings


def open_ledger(settings: Settings) -> ErasureLedger:
    """Return the ledger of this system; nothing is read yet."""
    if not settings.erasure_ledger_url:
        return ErasureLedger(settings.erasure_ledger)
    # The client of the store takes 50 ms to load, which systems of one machine save.
    from services.core.platform.erasure_ledger_s3 import S3ErasureLedger  # noqa: PLC0415

    return S3ErasureLedger.at(settings.erasure_ledger_url, settings)
