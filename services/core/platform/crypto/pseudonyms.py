"""Pseudonyms of families: a different one for every recipient of rows."""

from __future__ import annotations

import base64
import uuid
from typing import Final

from services.core.platform.crypto.vault import Vault

# 80 bits: no two families of all programmes meet.
_BYTES: Final = 10


def pseudonym(vault: Vault, recipient: str, family_id: uuid.UUID) -> str:
    """Return the name of a family for one recipient: ``P-`` and 16 of A-Z and 2-7.

    The same for the same recipient, another for every other: two of them cannot put their rows together. Nobody without
    the vault can find the family, nor that two names are one family's.
    """
    digest = vault.keyed_hash(f"{recipient}/{family_id}", "pseudonym")
    return f"P-{base64.b32encode(digest[:_BYTES]).decode()}"
