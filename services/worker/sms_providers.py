"""Text messages: the interface of a provider, and the one for development."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Protocol

from services.core.platform.outbox.sms import SmsText
from services.core.platform.settings import Settings


class SmsProvider(Protocol):
    """Sends text messages; an exception defers the message."""

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:
        """Send one message: E.164 number, content, and an id that is equal at each attempt. Must log none of it."""


class FileSmsProvider:
    """Appends JSON lines {phone, locale, text} to a file readable by its owner only: for development and tests."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:  # noqa: ARG002 - a file knows no repeats
        """Append one line by one write to a file opened for appending."""
        line = json.dumps({"phone": phone, "locale": content.locale, "text": content.text}, ensure_ascii=False) + "\n"
        await asyncio.to_thread(self._append, line.encode())

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def provider_of(settings: Settings) -> SmsProvider:
    """Return the configured provider; production rejects the file."""
    return FileSmsProvider(settings.sms_file)
