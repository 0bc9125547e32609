"""Thousands of families with a paired watch each: one is made by the product, the others are copies of its rows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from services.core.platform.crypto.random_ids import new_digits
from services.core.platform.db.database import Database
from tests.support.world import make_home, wear

# A table, the column by which the rows to copy are found, and what differs in a copy.
_COPIED: Final = (
    ("family", "family_id", {"family_id": "{family}", "family_code": "'M' || :seed || number"}),
    ("child", "child_id", {"child_id": "{child}", "family_id": "{family}"}),
    ("watch", "watch_id", {"watch_id": "{watch}", "serial": "'M' || :seed || number", "handed_out_to": "{family}"}),
    ("watch_identity", "username",
     {"username": "{username}", "watch_id": "{watch}", "child_id": "{child}", "family_id": "{family}"}),
    ("watch_presence", "username", {"username": "{username}"}),
    ("watch_settings", "child_id", {"child_id": "{child}"}),
    ("pairing", "username",
     {"pairing_id": "{pairing}", "username": "{username}", "watch_id": "{watch}", "child_id": "{child}",
      "family_id": "{family}"}),
)  # fmt: skip
_NAMES: Final = {
    # User names have letters and the digits 2 to 7.
    "username": "left(:username, -6) || translate(lpad(number::text, 6, '0'), '0123456789', 'abcdefghij')",
    **{what: f"md5(:seed || '{what}' || number)::uuid" for what in ("family", "child", "watch", "pairing")},
}


async def many_watches(database: Database, count: int) -> list[tuple[str, str]]:
    """Return the user names and passwords of so many paired watches, each of a family of its own."""
    home = await make_home(database)
    worn = await wear(database, home)
    seed = new_digits(6)
    async with database.begin() as work:
        watch_id = (
            await work.run(text("SELECT watch_id FROM watch WHERE serial = :serial"), {"serial": home.serial})
        ).scalar_one()  # fmt: skip
        of = {"family_id": home.family_id, "child_id": home.child_id, "watch_id": watch_id, "username": worn.username}
        # Long in use: the first hello of a pairing confirms it, which each watch does once.
        await work.run(
            text("UPDATE pairing SET confirmed_at = issued_at, sealed_password = NULL WHERE username = :username"),
            {"username": worn.username},
        )
        for table, key, differs in _COPIED:
            overrides = ", ".join(f"'{name}', {value.format(**_NAMES)}" for name, value in differs.items())
            statement = (
                f"INSERT INTO {table} SELECT (jsonb_populate_record(original, jsonb_build_object({overrides}))).*"  # noqa: S608 - our own names
                f" FROM {table} AS original, generate_series(1, {count - 1}) AS number WHERE original.{key} = :of"
            )
            known = {"of": of[key], "seed": seed, "username": worn.username}
            await work.run(text(statement), {name: value for name, value in known.items() if f":{name}" in statement})
        names = await work.run(
            text("SELECT username FROM watch_identity WHERE username = :own OR username LIKE :like"),
            {"own": worn.username, "like": f"{worn.username[:-6]}%"},
        )
        return [(username, worn.password) for username in names.scalars()]
