"""A chain of entries: whatever is done to it is found and named. And every word in the log is one that is explained."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.core.platform.audit.rules import (
    COMMON_CHAINS,
    Chained,
    ChainFault,
    FaultKind,
    chain_of,
    entry_hash,
    find_faults,
    first_link,
)
from services.core.platform.audit.words import meanings

CHAIN = uuid.UUID(int=7)
SERVICES = Path(__file__).parents[5] / "services"


def written(count: int) -> list[Chained]:
    """Return a chain as the product writes it."""
    entries, link = [], first_link(CHAIN)
    for seq in range(1, count + 1):
        at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=seq)
        entry = Chained(CHAIN, seq, uuid.uuid4(), at, "guardian", f"g{seq}", "audio", "done", "", CHAIN, f"m{seq}")
        link = entry_hash(link, entry)
        entries.append(replace(entry, hash=link))
    return entries


def faults_after(
    change: Callable[[list[Chained]], list[Chained]], count: int = 12
) -> list[tuple[str, int, int | None]]:
    entries = written(count)
    head = entries[-1].hash
    faults = find_faults(CHAIN, sorted(change(entries), key=lambda entry: entry.seq), count, head)
    return sorted((fault.kind.value, fault.seq, fault.belongs_at) for fault in faults)


def test_a_chain_as_it_was_written_is_whole() -> None:
    assert faults_after(lambda entries: entries) == []
    assert find_faults(CHAIN, [], 0, first_link(CHAIN)) == []


@pytest.mark.parametrize("at", [1, 5, 12])
@pytest.mark.parametrize(
    "news",
    [{"action": "pair"}, {"actor_id": "g99"}, {"outcome": "refused"}, {"at": datetime(2020, 1, 1, tzinfo=UTC)}],
)
def test_a_changed_entry_is_named(at: int, news: dict[str, Any]) -> None:
    changed = faults_after(lambda entries: [replace(entry, **news) if entry.seq == at else entry for entry in entries])
    assert changed == [("changed", at, None)]


def test_a_changed_entry_with_a_hash_that_fits_is_betrayed_by_the_next() -> None:
    def forge(entries: list[Chained]) -> list[Chained]:
        forged = replace(entries[4], action="pair")
        return [*entries[:4], replace(forged, hash=entry_hash(entries[3].hash, forged)), *entries[5:]]

    assert faults_after(forge) == [("changed", 6, None)]


@pytest.mark.parametrize("at", [1, 5, 12])
def test_a_missing_entry_is_named(at: int) -> None:
    assert faults_after(lambda entries: [entry for entry in entries if entry.seq != at]) == [("missing", at, None)]


def test_missing_ends_are_named() -> None:
    assert faults_after(lambda entries: entries[:10]) == [("missing", 11, None), ("missing", 12, None)]


@pytest.mark.parametrize(("first", "second"), [(1, 2), (4, 5), (3, 9), (1, 12)])
def test_two_entries_that_changed_places_are_named_with_where_they_belong(first: int, second: int) -> None:
    def swap(entries: list[Chained]) -> list[Chained]:
        places = {first: second, second: first}
        return [replace(entry, seq=places.get(entry.seq, entry.seq)) for entry in entries]

    assert faults_after(swap) == [("reordered", first, second), ("reordered", second, first)]


def test_an_entry_put_at_the_end_is_named() -> None:
    def append(entries: list[Chained]) -> list[Chained]:
        forged = replace(entries[-1], seq=13, audit_id=uuid.uuid4())
        return [*entries, replace(forged, hash=entry_hash(entries[-1].hash, forged))]

    assert faults_after(append) == [("inserted", 13, None)]


def test_an_entry_put_between_is_named_and_what_it_pushed_away_is_too() -> None:
    def insert(entries: list[Chained]) -> list[Chained]:
        forged = replace(entries[4], audit_id=uuid.uuid4())
        pushed = [replace(entry, seq=entry.seq + 1) for entry in entries[4:]]
        return [*entries[:4], replace(forged, hash=entry_hash(entries[3].hash, forged)), *pushed]

    faults = faults_after(insert)
    assert [fault for fault in faults if fault[0] != "reordered"] == [("inserted", 5, None)]
    assert [fault for fault in faults if fault[0] == "reordered"] == [
        ("reordered", seq + 1, seq) for seq in range(5, 13)
    ]


def test_another_end_than_the_chains_own_row_says_is_named() -> None:
    entries = written(3)
    assert find_faults(CHAIN, entries, 3, b"other") == [ChainFault(CHAIN, FaultKind.HEAD, 3, entries[-1].audit_id)]


def test_what_has_no_family_is_spread_over_a_few_chains_by_who_acts() -> None:
    family_id = uuid.uuid4()
    assert chain_of(family_id, "guardian", "g1") == family_id
    chains = {chain_of(None, "guardian", str(uuid.uuid4())) for _ in range(200)}
    assert chains == {uuid.UUID(int=number) for number in range(COMMON_CHAINS)}
    assert chain_of(None, "staff", "s1") == chain_of(None, "staff", "s1")


# ------------------------------------------------------------------------------------------------- words


def _words_of(node: ast.expr) -> Iterator[str]:
    """Yield what an expression for an action can be; ``*`` stands for what is known only while running."""
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp():
            yield from (*_words_of(node.body), *_words_of(node.orelse))
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)


WRITERS = {"record_audit", "record_first_of_day"}


def written_words() -> set[str]:
    """Return every action that the sources hand to a writer of the log, also through a name of the same function."""
    words: set[str] = set()
    for file in SERVICES.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            named = {
                target.id: node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in WRITERS:
                    action = call.args[2]
                    words |= set(_words_of(named.get(action.id, action) if isinstance(action, ast.Name) else action))
    return words


def test_every_action_in_the_log_is_explained_and_every_explained_one_is_written() -> None:
    words = written_words()
    exact = {word for word in words if "*" not in word}
    stems = tuple(word.partition("*")[0] for word in words if "*" in word)
    assert exact - meanings().keys() == set()
    assert {word for word in meanings() if word not in exact and not word.startswith(stems)} == set()
    assert all(len(word) <= 40 and meaning for word, meaning in meanings().items())
