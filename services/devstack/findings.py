"""What a check of `smartwatch doctor` says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The result of one check: whether it passed, what was observed, and the remedy if it failed."""

    name: str
    ok: bool
    what: str
    mend: str = ""
    # To be seen to, and no reason to fail.
    warns: bool = False
