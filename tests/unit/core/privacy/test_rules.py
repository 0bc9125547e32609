"""Confirmation of an erasure, the copy on a watch, and that every row leads back to its subject."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlmodel import SQLModel

from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.locales import LOCALES
from services.core.privacy.erasure.rules import WatchCopy, Wipe, check_confirmation, watch_copy
from services.core.privacy.errors import ConfirmationMissingError
from services.core.privacy.sms_texts import erased_text

DONE, NOT_YET = Wipe(datetime(2026, 3, 2, tzinfo=UTC)), Wipe(None)
# Columns that outlive what they name, each for a reason: all are random ids, and nothing leads from them to anybody.
OUTLIVING = {
    "audit.family_id": "the log outlives what it speaks of",
    "erasure.family_id": "tells how the erasure goes",
    "erasure_ledger.family_id": "erases again what a backup brings back",
    "wipe_order.child_id": "the watch is told to wipe itself, however late it asks",
    "wipe_order.family_id": "the same",
}
OWN_KEYS = {"child.child_id", "family.family_id", "guardian.guardian_id"}


@pytest.mark.parametrize("word", ["erase", " ERASE "])
def test_the_word_confirms(word: str) -> None:
    check_confirmation(word)


@pytest.mark.parametrize("word", ["", "yes", "erased", "erase it"])
def test_anything_else_does_not_and_says_the_word(word: str) -> None:
    with pytest.raises(ConfirmationMissingError) as refused:
        check_confirmation(word)
    assert refused.value.fields() == {"word": "erase"}


@pytest.mark.parametrize(
    ("wipes", "known"),
    [
        ([], WatchCopy.NONE),
        ([NOT_YET], WatchCopy.NOT_CONFIRMED),
        ([DONE], WatchCopy.CONFIRMED),
        ([DONE, NOT_YET], WatchCopy.NOT_CONFIRMED),
        ([DONE, DONE], WatchCopy.CONFIRMED),
    ],
)
def test_a_copy_counts_as_there_until_every_watch_has_shown_otherwise(wipes: list[Wipe], known: WatchCopy) -> None:
    assert watch_copy(wipes) is known


def test_guardians_are_told_in_their_language_and_nothing_about_whom() -> None:
    for locale in LOCALES:
        for what in ("child", "family"):
            text = erased_text("child" if what == "child" else "family", locale).text
            assert text.startswith("SmartWatch")
            assert "{" not in text


def test_every_row_about_a_child_a_family_or_a_guardian_goes_with_it_or_lets_go_of_it() -> None:
    load_all_tables()
    loose = set()
    for table in SQLModel.metadata.tables.values():
        for column in table.columns:
            name = f"{table.name}.{column.name}"
            refers = {key.column.table.name for key in column.foreign_keys} & {"child", "family", "guardian"}
            if (column.name not in {"child_id", "family_id", "guardian_id"} and not refers) or name in OWN_KEYS:
                continue
            may = {"CASCADE"} if column.primary_key else {"CASCADE", "SET NULL"}
            if not any(key.ondelete in may for key in column.foreign_keys):
                loose.add(name)
    # Neither more than are listed nor fewer: a reason that is not needed any more is no reason.
    assert loose == OUTLIVING.keys()
