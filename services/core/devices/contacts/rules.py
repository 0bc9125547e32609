"""Validate contacts. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from services.core.devices.contacts.errors import ContactOrderError
from services.core.people.accounts.phone_numbers import folded_phone, normal_phone
from services.core.people.households.rules import check_relation
from services.core.platform.text_rules import NAME, check_text

# A child has to find a contact on a small screen. Guardians included.
MOST_CONTACTS: Final = 30
# Phone contacts who live with the child and get a text message when its watch calls for help.
LIVING_WITH_MAX: Final = 2
# Emergency services and other short numbers have no country code.
_SHORT_NUMBER: Final = re.compile(r"[0-9]{3,6}")
T = TypeVar("T")


@dataclass(frozen=True)
class PhoneContact:
    """A person outside the family whom the child can call."""

    name: str
    relation: str
    number: str
    may_call: bool
    emergency: bool


def phone_contact(
    *, name: str, relation: str, number: str, may_call: bool, emergency: bool, region: str | None
) -> PhoneContact:
    """Return a validated contact; raises TextNotAllowedError, RelationUnknownError, PhoneInvalidError."""
    return PhoneContact(
        check_text("name", name, NAME), check_relation(relation), dialable_number(number, region), may_call, emergency
    )


def dialable_number(number: str, region: str | None) -> str:
    """Return a number as the watch dials it: E.164, or a short one as it is. Raises PhoneInvalidError."""
    folded = folded_phone(number)
    return folded if _SHORT_NUMBER.fullmatch(folded) else normal_phone(folded, region)


@cache
def _labels() -> dict[str, dict[str, str]]:
    labels: dict[str, dict[str, str]] = json.loads(
        (Path(__file__).parent / "relation_labels.json").read_text(encoding="utf-8")
    )
    return labels


def displayed_name(display_name: str, relation: str, locale: str) -> str:
    """Return the name of a guardian on the watch: the guardian's own, else the usual word for the relation."""
    return display_name or _labels()[locale][relation]


def check_order(order: Sequence[T], standing: Collection[T]) -> None:
    """Raise ContactOrderError unless ``order`` holds each element of ``standing`` exactly once."""
    if len(order) != len(standing) or set(order) != set(standing):
        raise ContactOrderError
