"""Read one-time codes from the file of the development SMS provider."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_LOOK_EVERY_S = 0.05


def sms_position(path: Path) -> int:
    """Return the present end of the file, so that `wait_for_sms` sees only later messages."""
    return path.stat().st_size if path.exists() else 0


async def wait_for_sms(path: Path, phone: str, *, position: int = 0, timeout_s: float = 30.0) -> str:
    """Return the text of the newest SMS to a phone after a position; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            texts = await asyncio.to_thread(_texts, path, phone, position)
            if texts:
                return texts[-1]
            await asyncio.sleep(_LOOK_EVERY_S)


async def wait_for_sms_code(path: Path, phone: str, *, position: int = 0, timeout_s: float = 30.0) -> str:
    """Return the six digits in the newest SMS to a phone after a position; raises TimeoutError."""
    code = _CODE.search(await wait_for_sms(path, phone, position=position, timeout_s=timeout_s))
    if code is None:
        raise ValueError("the SMS holds no code")
    return code.group()


def _texts(path: Path, phone: str, position: int) -> list[str]:
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(position)
        lines = file.read().split(b"\n")[:-1]  # a line without its end is still being written
    texts = []
    for line in lines:
        sms = json.loads(line)
        if sms.get("phone") == phone:
            texts.append(str(sms["text"]))
    return texts
