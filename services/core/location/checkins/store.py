"""Check-ins in the database: insert many rows with one statement, and find ids that are already used.

One INSERT ... SELECT unnest per batch writes tens of thousands of rows a second; one row per commit reaches 1,000 to
1,500.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Double,
    LargeBinary,
    String,
    Uuid,
    bindparam,
    text,
)

from services.core.location.checkins.tables import Checkin
from services.core.platform.db.database import UnitOfWork

_COLUMNS: Final[dict[str, Any]] = {
    "username": String, "ref": String, "tst": BigInteger, "child_id": Uuid, "happened_at": DateTime(timezone=True),
    "received_at": DateTime(timezone=True), "content_mark": LargeBinary, "quality": String, "reasons": String,
    "accuracy_m": Double, "source": String, "sealed_place": LargeBinary,
}  # fmt: skip
# The S608 exemption is safe: column names are constants of this file.
_INSERT: Final = text(
    f"INSERT INTO checkin ({', '.join(_COLUMNS)})"  # noqa: S608
    f" SELECT * FROM unnest({', '.join(f':{name}' for name in _COLUMNS)})"
    # A second safeguard after `existing_keys`: batches with rows of the same watch run one after the other.
    " ON CONFLICT DO NOTHING"
).bindparams(*(bindparam(name, type_=ARRAY(kind)) for name, kind in _COLUMNS.items()))

# Two queries, because an id is unique over all months, an instant only in its own. Ids of uplinks other than fixes
# (texts, recordings) are reserved as well.
_TAKEN: Final = text(
    "SELECT username, ref, 0::bigint AS instant, content_mark AS mark FROM checkin JOIN unnest(:named_by, :named)"
    " AS asked(username, ref) USING (username, ref)"
    " UNION ALL "
    "SELECT username, '', tst, content_mark FROM checkin JOIN unnest(:dated_by, :dated)"
    " AS asked(username, tst) USING (username, tst) WHERE checkin.ref = ''"
    " UNION ALL "
    "SELECT username, ref, 0::bigint, ''::bytea FROM uplink JOIN unnest(:named_by, :named)"
    " AS asked(username, ref) USING (username, ref)"
).bindparams(
    bindparam("named_by", type_=ARRAY(String)), bindparam("named", type_=ARRAY(String)),
    bindparam("dated_by", type_=ARRAY(String)), bindparam("dated", type_=ARRAY(BigInteger)),
)  # fmt: skip


@dataclass(frozen=True)
class FixKey:
    """Key of a fix in the store."""

    username: str
    ref: str
    tst: int


async def existing_keys(work: UnitOfWork, asked: Sequence[FixKey]) -> dict[tuple[str, str, int], bytes]:
    """Return the keys that are already used, each with the digest of its content.

    A key is (user name, id, 0), or (user name, "", instant) for a fix without an id.
    """
    if not asked:
        return {}
    named = [fix for fix in asked if fix.ref]
    dated = [fix for fix in asked if not fix.ref]
    result = await work.run(
        _TAKEN,
        {
            "named_by": [fix.username for fix in named], "named": [fix.ref for fix in named],
            "dated_by": [fix.username for fix in dated], "dated": [fix.tst for fix in dated],
        },
    )  # fmt: skip
    return {(row.username, row.ref, row.instant): bytes(row.mark) for row in result}


async def insert_checkins(work: UnitOfWork, rows: Sequence[Checkin]) -> None:
    """Insert the rows with one statement."""
    if rows:
        await work.run(_INSERT, {name: [getattr(row, name) for row in rows] for name in _COLUMNS})
