"""Published cells as a DHIS2 data value set. Pure; another module sends it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.core.measurement.indicators.rules import Cell
from services.core.measurement.publishing.coding import bound_of
from services.core.platform.disclosure import Audience


@dataclass(frozen=True)
class Dhis2Ids:
    """The ids that a DHIS2 system has assigned to our indicators and scopes."""

    data_elements: Mapping[str, str]
    org_units: Mapping[uuid.UUID, str]


@dataclass(frozen=True)
class DryRun:
    """The values that an import would send, and those left out, with reasons."""

    values: int
    suppressed: int
    # Values that stand for all below or above them: the format has no sign for that.
    bounds: int
    indicators_without_element: tuple[str, ...]
    scopes_without_unit: tuple[str, ...]


def period_of(week: date) -> str:
    """Return an ISO week as DHIS2 writes it: ``2026W9``, without a leading zero."""
    year, number, _ = week.isocalendar()
    return f"{year}W{number}"


def value_text(value: float) -> str:
    """Return a number as DHIS2 reads it: text without an exponent, a whole number without a decimal point."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def data_value_set(cells: Sequence[Cell], audience: Audience, mapped: Dhis2Ids, *, dry_run: bool) -> dict[str, Any]:
    """Return the body of ``/api/dataValueSets``; suppressed and unmapped cells and bounds are left out.

    ``dry_run`` is a parameter of the request: DHIS2 then validates everything and stores nothing.
    """
    values = [
        {
            "dataElement": mapped.data_elements[cell.indicator],
            "period": period_of(cell.week),
            "orgUnit": mapped.org_units[cell.scope_id],
            "value": value_text(cell.value),
        }
        for cell in cells
        if cell.value is not None
        and cell.indicator in mapped.data_elements
        and cell.scope_id in mapped.org_units
        and bound_of(cell, audience) is None
    ]
    return {
        "parameters": {"dryRun": dry_run, "importStrategy": "CREATE_AND_UPDATE"},
        "body": {"dataValues": values},
    }


def dry_run_of(cells: Sequence[Cell], audience: Audience, mapped: Dhis2Ids) -> DryRun:
    """Return what :func:`data_value_set` would send of these cells."""
    body = data_value_set(cells, audience, mapped, dry_run=True)["body"]
    return DryRun(
        values=len(body["dataValues"]),
        suppressed=sum(cell.value is None for cell in cells),
        bounds=sum(bound_of(cell, audience) is not None for cell in cells),
        indicators_without_element=tuple(
            sorted({cell.indicator for cell in cells if cell.indicator not in mapped.data_elements})
        ),
        scopes_without_unit=tuple(
            sorted({str(cell.scope_id) for cell in cells if cell.scope_id not in mapped.org_units})
        ),
    )
