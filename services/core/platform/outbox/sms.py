"""Text messages: what a provider is given, the texts of an area in each language, and the sealed form of a row.

Providers in some countries send approved templates with parameters, others send the text: a message holds both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.crypto.vault import Vault
from services.core.platform.locales import fitting_locale

_MESSAGE_ID_CHARACTERS = 26


@dataclass(frozen=True)
class SmsText:
    """The content of a text message: kind, parameters by name, locale (one of ours), and the finished text.

    A kind names a provider's template and is never renamed; it is empty in rows older than kinds. ``repr`` shows
    neither parameters nor text, since logs may hold neither.
    """

    kind: str
    params: Mapping[str, str] = field(repr=False)
    locale: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class WaitingSms:
    """A text message of the outbox: E.164 number, content, and the id that is the same at each attempt."""

    phone: str = field(repr=False)
    content: SmsText
    message_id: str


class SmsTexts:
    """The texts of one JSON file: locale, kind, text with ``{parameters}``."""

    def __init__(self, path: Path) -> None:
        """Take the path of the file, which is read at once."""
        self._texts: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of every locale."""
        return frozenset(kind for texts in self._texts.values() for kind in texts)

    def template(self, kind: str, locale: str) -> str:
        """Return the text of a kind with its ``{parameters}``, in the locale that fits best."""
        return self._texts[fitting_locale(locale)][kind]

    def compose(self, kind: str, locale: str, **params: str) -> SmsText:
        """Return the message of a kind in the locale that fits best; raises KeyError for an unknown kind."""
        fitting = fitting_locale(locale)
        return SmsText(kind, params, fitting, self._texts[fitting][kind].format(**params))


def sealed_payload(vault: Vault, phone: str, content: SmsText) -> dict[str, Any]:
    """Return the payload of a row: the form that older code reads, and kind and parameters beside it."""
    spoken = f"{phone}\x00{content.locale}\x00{content.text}"
    template = json.dumps({"kind": content.kind, "params": dict(content.params)}, ensure_ascii=False)
    return {
        "sealed": vault.seal(spoken.encode(), "sms").hex(),
        "sealed_template": vault.seal(template.encode(), "sms-template").hex(),
        "message_id": new_ref(_MESSAGE_ID_CHARACTERS),
    }


def unseal_payload(vault: Vault, payload: Mapping[str, Any], outbox_id: int | None) -> WaitingSms:
    """Return the message of a row, also of one that was written before kinds; raises SealBrokenError."""
    phone, locale, text = vault.unseal(bytes.fromhex(payload["sealed"]), "sms").decode().split("\x00", 2)
    if "sealed_template" not in payload:
        return WaitingSms(phone, SmsText("", {}, locale, text), f"row{outbox_id}")
    template = json.loads(vault.unseal(bytes.fromhex(payload["sealed_template"]), "sms-template"))
    return WaitingSms(phone, SmsText(template["kind"], template["params"], locale, text), payload["message_id"])
