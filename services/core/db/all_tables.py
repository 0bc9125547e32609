"""Load every noun's tables: foreign keys between rooms go by table name, so each process must know them all.

By file, not by import statement: db stands below all nouns and names none of them.
"""

from __future__ import annotations

import importlib
from pathlib import Path

_CORE = Path(__file__).parents[1]


def load_all_tables() -> None:
    """Import ``tables`` of every room; a repeat does nothing."""
    for tables in sorted(_CORE.glob("*/tables.py")):
        importlib.import_module(f"services.core.{tables.parent.name}.tables")
