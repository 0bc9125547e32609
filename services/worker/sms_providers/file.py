"""Text messages in a file: for development and tests."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import ClassVar

from services.core.platform.outbox.sms import SmsText
from services.worker.sms_providers.interface import BalanceUnknownError


class FileSms:
    """Appends JSON lines {phone, locale, text} to a file readable by its owner only."""

    name: ClassVar[str] = "file"
    country: str | None = None

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:  # noqa: ARG002 - repeats show in the file
        """Append one line by one write to a file opened for appending."""
        line = json.dumps({"phone": phone, "locale": content.locale, "text": content.text}, ensure_ascii=False) + "\n"
        await asyncio.to_thread(self._append, line.encode())

    async def balance(self) -> float:
        """A file has none."""
        raise BalanceUnknownError

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
