"""Faults as people read them: one line for all rows of a list that have the same fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.core.platform.spreadsheets.sheets import Fault

_SPANS_SHOWN = 8


def grouped_lines(faults: Iterable[Fault]) -> list[str]:
    """Return a line for each kind of fault in the order of its first row: ``rows 2-101, phone: code: sentence``."""
    rows_of: dict[tuple[str, str, str, str], list[int]] = {}
    for fault in faults:
        rows_of.setdefault((fault.file, fault.column, fault.code, fault.sentence), []).append(fault.row)
    return [
        f"{file + ': ' if file else ''}{_place(sorted({*rows}), column)}: {code}: {sentence}"
        for (file, column, code, sentence), rows in rows_of.items()
    ]


def _place(rows: Sequence[int], column: str) -> str:
    spans = _spans([row for row in rows if row])
    shown = ", ".join(spans[:_SPANS_SHOWN])
    if len(spans) > _SPANS_SHOWN:
        shown += f" and {sum(1 for row in rows if row) - _count(spans[:_SPANS_SHOWN])} more"
    several = len(rows) > 1
    parts = ([f"row{'s' if several else ''} {shown}"] if shown else []) + ([column] if column else [])
    return ", ".join(parts) or "the file"


def _spans(rows: Sequence[int]) -> list[str]:
    """Return ascending numbers as spans: 2-5, 9."""
    spans: list[tuple[int, int]] = []
    for row in rows:
        if spans and row == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], row)
        else:
            spans.append((row, row))
    return [str(first) if first == last else f"{first}-{last}" for first, last in spans]


def _count(spans: Sequence[str]) -> int:
    return sum(int(span.partition("-")[2] or span) - int(span.partition("-")[0]) + 1 for span in spans)
