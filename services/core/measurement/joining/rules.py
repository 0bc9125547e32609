"""Which files may be joined, and how: from published cells of whole programmes alone, never from rows. Pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.core.measurement.indicators.rules import INDICATORS, Kind
from services.core.measurement.joining.errors import JoinRefusedError
from services.core.measurement.joining.files import CellFile, JoinedCell
from services.core.platform.disclosure import LEAST, Audience

COLUMNS: Final = ("week", "indicator", "version", "how", "systems", "n", "count", "value", "bound", "missing")
_COUNTED: Final = frozenset({Kind.SHARE_OF_FAMILIES, Kind.SURVIVAL})
_DIGITS: Final = 3


@dataclass(frozen=True)
class Joined:
    """A figure of all systems together; without a value where a system has not published its part."""

    week: date
    indicator: str
    version: int
    # `share`: of all families together; `mean`: of the systems' values, weighted by their families.
    how: str
    systems: tuple[str, ...]
    missing: tuple[str, ...]
    n: int | None = None
    count: int | None = None
    value: float | None = None
    bound: str | None = None


def check_files(files: Mapping[str, CellFile], trusted: Mapping[str, str]) -> dict[str, CellFile]:
    """Return the files by the trusted names of their systems, if all of them may be joined. Raises JoinRefusedError.

    Two populations overlap where a family could be in both: one system, one programme, one site, or one country twice.
    """
    if len(files) < 2:  # noqa: PLR2004 - one file is joined already
        raise JoinRefusedError("join_too_few", "Two files or more, each of another system, are joined.")
    by_system: dict[str, CellFile] = {}
    for name, file in files.items():
        system = trusted.get(file.public_key)
        if system is None:
            raise JoinRefusedError("join_key_unknown", f"{name} is signed by a system that is not in the list of keys.")
        least = LEAST[Audience.PUBLIC]
        if file.audience != Audience.PUBLIC.value or file.least_families < least:
            raise JoinRefusedError(
                "join_k_too_small", f"{name} was made for groups of fewer than {least}: only public numbers are joined."
            )
        if any(cell.n is not None and cell.n < least for cell in file.cells):
            raise JoinRefusedError("join_k_too_small", f"{name} holds a number of fewer than {least} families.")
        if system in by_system:
            raise JoinRefusedError("join_overlap", f"Two files are of the system {system}: its families count once.")
        by_system[system] = file
    for what, of in (
        ("programme", lambda file: (file.programme_id,)), ("site", lambda file: file.site_ids),
        ("country", lambda file: file.countries),
    ):  # fmt: skip
        _refuse_twice(by_system, what, {system: of(file) for system, file in by_system.items()})
    if len({file.simulated for file in by_system.values()}) > 1:
        raise JoinRefusedError("join_simulated", "Simulated numbers and real ones are not joined.")
    return by_system


def join(files: Mapping[str, CellFile]) -> list[Joined]:
    """Return the figures of all systems together, by week and indicator, from files that :func:`check_files` let pass.

    A figure that one system has not published, or suppressed, is shown of none: what the others have would read as all.
    """
    by_figure: dict[tuple[date, str, int], dict[str, JoinedCell]] = defaultdict(dict)
    for system, file in files.items():
        for cell in file.cells:
            if cell.indicator in INDICATORS:
                by_figure[cell.week, cell.indicator, cell.version][system] = cell
    return [_joined(key, cells, sorted(files)) for key, cells in sorted(by_figure.items())]


def as_csv(figures: Sequence[Joined]) -> bytes:
    """Return the figures as CSV in UTF-8 with a byte order mark, as other files of usage are."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for figure in figures:
        values = (figure.n, figure.count, figure.value, figure.bound)
        writer.writerow(
            [figure.week, figure.indicator, figure.version, figure.how, " ".join(figure.systems),
             *("" if value is None else value for value in values), " ".join(figure.missing)]
        )  # fmt: skip
    return page.getvalue().encode("utf-8-sig")


def _joined(key: tuple[date, str, int], cells: Mapping[str, JoinedCell], systems: Sequence[str]) -> Joined:
    week, indicator, version = key
    is_counted = INDICATORS[indicator].kind in _COUNTED
    how = "share" if is_counted else "mean"
    shown = {
        system: cell
        for system, cell in cells.items()
        if cell.value is not None and cell.n and (cell.count is not None or not is_counted)
    }
    missing = tuple(system for system in systems if system not in shown)
    bounds = {cell.bound for cell in shown.values()} - {None}
    if missing or len(bounds) > 1:
        # Of a sum of "at most" and "at least" nothing is known.
        return Joined(week, indicator, version, how, tuple(systems), missing)
    n = sum(cell.n or 0 for cell in shown.values())
    bound = next(iter(bounds), None)
    if is_counted:
        count = sum(cell.count or 0 for cell in shown.values())
        return Joined(week, indicator, version, how, tuple(systems), (), n, count, round(count / n, _DIGITS), bound)
    mean = sum((cell.value or 0.0) * (cell.n or 0) for cell in shown.values()) / n
    return Joined(week, indicator, version, how, tuple(systems), (), n, None, round(mean, _DIGITS), bound)


def _refuse_twice(files: Mapping[str, CellFile], what: str, values: Mapping[str, Sequence[str]]) -> None:
    seen: dict[str, str] = {}
    for system in files:
        for value in set(values[system]):
            if value in seen:
                raise JoinRefusedError(
                    "join_overlap", f"{seen[value]} and {system} have one {what} in common: families would count twice."
                )
            seen[value] = system
