"""Which statements may run before a transaction has begun."""

from __future__ import annotations

import pytest

from services.core.platform.db.late_begin import is_plain_read


@pytest.mark.parametrize(
    ("statement", "is_plain"),
    [
        ("SELECT family.family_id FROM family WHERE family.family_id = $1", True),
        ("\n  SELECT EXISTS (SELECT FROM alert)", True),
        ("SELECT child.child_id FROM child FOR UPDATE", False),
        ("SELECT child.child_id FROM child FOR NO KEY UPDATE OF child SKIP LOCKED", False),
        ("SELECT 1 FROM child FOR SHARE", False),
        ("SELECT 1 FROM child FOR KEY SHARE", False),
        ("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", False),
        ("SELECT pg_try_advisory_xact_lock_shared($1)", False),
        ("SELECT nextval('event_number')", False),
        ("SELECT set_config('lock_timeout', '2s', true)", False),
        ("WITH gone AS (DELETE FROM event RETURNING 1) SELECT count(*) FROM gone", False),
        ("INSERT INTO event DEFAULT VALUES", False),
        ("SET LOCAL lock_timeout = '2s'", False),
        ("SAVEPOINT one", False),
    ],
)
def test_what_writes_or_locks_begins_a_transaction(statement: str, *, is_plain: bool) -> None:
    assert is_plain_read(statement) is is_plain
