"""Text messages in a file, as the development provider writes them."""

from __future__ import annotations

from pathlib import Path

from services.core.platform.sms_settings import SmsRoutes
from services.worker.sms_providers.file import FileSms
from services.worker.sms_providers.router import SmsRouter


def file_sender(path: Path) -> SmsRouter:
    """Return a sender that writes every message into the file."""
    return SmsRouter(SmsRoutes.parse("*=file"), {"file": FileSms(path)})
