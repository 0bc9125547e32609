"""Import the tables of every area: foreign keys name tables, so each process has to know all of them.

The search goes by file name. The package `db` stands below every area and imports none of them by name.
"""

from __future__ import annotations

import importlib
from pathlib import Path

_CORE = Path(__file__).parents[2]


def load_all_tables() -> None:
    """Import each module named ``tables`` below core; repeating the call does nothing."""
    for path in sorted(_CORE.rglob("tables.py")):
        folders = path.relative_to(_CORE).with_suffix("").parts
        importlib.import_module(".".join(("services", "core", *folders)))
