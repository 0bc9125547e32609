"""Hash chains of the audit log, and the detection of their faults. Pure."""

from __future__ import annotations

import hashlib
import json
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

# Entries without a family (log-ins, strangers, staff, the command line) are spread over this many chains by actor: with
# one chain, simultaneous log-ins at the end of a shift would wait for each other.
COMMON_CHAINS: Final = 8
# Distance in which the original place of a moved entry is searched, to verify a chain of 100,000 within seconds.
_LOOKED_AT: Final = 1000


@dataclass(frozen=True)
class Chained:
    """The hashed fields of an entry, and its stored hash."""

    chain_id: uuid.UUID
    seq: int
    audit_id: uuid.UUID
    at: datetime
    actor_kind: str
    actor_id: str
    action: str
    outcome: str
    reason: str
    family_id: uuid.UUID | None
    subject_id: str
    hash: bytes = b""
    asked: str = ""
    times: int = 1


def chain_of(family_id: uuid.UUID | None, actor_kind: str, actor_id: str) -> uuid.UUID:
    """Return the chain of an entry: its family's, or one of the common chains for an entry without a family."""
    if family_id is not None:
        return family_id
    return uuid.UUID(int=zlib.crc32(f"{actor_kind}/{actor_id}".encode()) % COMMON_CHAINS)


def first_link(chain_id: uuid.UUID) -> bytes:
    """Return the hash that precedes the first entry of a chain."""
    return hashlib.sha256(b"smartwatch/audit/" + chain_id.bytes).digest()


def entry_hash(before: bytes, entry: Chained, *, seq: int | None = None) -> bytes:
    """Return the hash of an entry that follows the hash ``before``; ``seq`` replaces the entry's own number."""
    first, rest = canonical_parts(entry)
    number = str(entry.seq if seq is None else seq).encode()
    return hashlib.sha256(before + first + number + rest).digest()


def canonical_parts(entry: Chained) -> tuple[bytes, bytes]:
    """Return the canonical form of an entry before and after its number, which Postgres allocates: a JSON array."""
    fields: list[object] = [
        str(entry.audit_id), entry.at.astimezone(UTC).isoformat(timespec="microseconds"), entry.actor_kind,
        entry.actor_id, entry.action, entry.outcome, entry.reason,
        None if entry.family_id is None else str(entry.family_id), entry.subject_id,
    ]  # fmt: skip
    # Omitted at their defaults: entries written before these fields existed keep their hashes.
    if (entry.asked, entry.times) != ("", 1):
        fields += [entry.asked, entry.times]
    rest = json.dumps(fields, separators=(",", ":")).removeprefix("[")
    return f'["{entry.chain_id}",'.encode(), f",{rest}".encode()


class FaultKind(StrEnum):
    """Kinds of faults of an entry."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    HEAD = "head"


@dataclass(frozen=True)
class ChainFault:
    """One fault of a chain and its position; ``belongs_at`` is set for a moved entry."""

    chain_id: uuid.UUID
    kind: FaultKind
    seq: int
    audit_id: uuid.UUID | None = None
    belongs_at: int | None = None


def find_faults(chain_id: uuid.UUID, entries: Sequence[Chained], length: int, head: bytes) -> list[ChainFault]:
    """Return all faults of a chain; ``entries`` in stored order, ``length`` and ``head`` from the chain's row.

    A moved entry is found by the position at which its own hash fits. It is put back before the rest is verified.
    """
    moved = _moved(entries, first_link(chain_id))
    # Moved entries are placed last, so they replace the entries found at their original positions.
    by_truth = sorted(entries, key=lambda entry: entry.audit_id in moved)
    placed = {moved.get(entry.audit_id, entry.seq): entry for entry in by_truth}
    faults = [
        ChainFault(chain_id, FaultKind.REORDERED, entry.seq, entry.audit_id, moved[entry.audit_id])
        for entry in entries
        if entry.audit_id in moved
    ]
    lost = {entry.audit_id for entry in entries} - {entry.audit_id for entry in placed.values()}
    faults += [
        ChainFault(chain_id, FaultKind.INSERTED, entry.seq, entry.audit_id)
        for entry in entries
        if entry.audit_id in lost
    ]
    link: bytes | None = first_link(chain_id)
    for seq in range(1, max(length, max(placed, default=0)) + 1):
        entry = placed.get(seq)
        if entry is None:
            faults.append(ChainFault(chain_id, FaultKind.MISSING, seq))
            # The hash of a missing entry is unknown, so the next entry's link cannot be verified.
            link = None
            continue
        if seq > length:
            faults.append(ChainFault(chain_id, FaultKind.INSERTED, entry.seq, entry.audit_id))
        elif link is not None and entry_hash(link, entry, seq=seq) != entry.hash:
            faults.append(ChainFault(chain_id, FaultKind.CHANGED, entry.seq, entry.audit_id))
        link = entry.hash
    last = placed.get(length)
    if last is not None and last.hash != head:
        faults.append(ChainFault(chain_id, FaultKind.HEAD, length, last.audit_id))
    return faults


def _moved(entries: Sequence[Chained], first: bytes) -> dict[uuid.UUID, int]:
    """Return the entries whose hash fits only at another position, with that position."""
    hash_at = {entry.seq: entry.hash for entry in entries}
    moved: dict[uuid.UUID, int] = {}
    for entry in entries:
        before = first if entry.seq == 1 else hash_at.get(entry.seq - 1, b"")
        if entry_hash(before, entry) == entry.hash:
            continue
        for place in _places_near(entry.seq, len(entries) + 1):
            # Candidates for its predecessor there: the present neighbours, or a neighbour moved along with it.
            links = {first, before, *(hash_at.get(place + step, b"") for step in (-1, 0, 1))}
            if any(entry_hash(link, entry, seq=place) == entry.hash for link in links):
                moved[entry.audit_id] = place
                break
    return moved


def _places_near(seq: int, last: int) -> list[int]:
    near = range(max(1, seq - _LOOKED_AT), min(last, seq + _LOOKED_AT) + 1)
    return sorted((place for place in near if place != seq), key=lambda place: abs(place - seq))
