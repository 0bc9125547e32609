"""Pseudonym of a family for a recipient of rows: stable, and different for each recipient."""

from __future__ import annotations

import re
import uuid

from services.core.platform.crypto.pseudonyms import pseudonym
from services.core.platform.crypto.vault import Vault
from services.core.platform.settings import Settings


def test_a_pseudonym_is_the_recipients_own_and_can_be_typed(settings: Settings) -> None:
    vault = Vault(settings.master_key.get_secret_value())
    family = uuid.uuid4()
    names = {pseudonym(vault, recipient, family) for recipient in ("survey/1", "survey/2", "university")}
    assert len(names) == 3
    assert pseudonym(vault, "university", family) in names
    assert pseudonym(vault, "university", uuid.uuid4()) not in names
    assert all(re.fullmatch(r"P-[A-Z2-7]{16}", name) for name in names)
