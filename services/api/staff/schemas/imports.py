"""Result of a list import: counts, or every fault by row and column."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from services.api.schema_base import ResponseBody

DryRun = Annotated[bool, Query(description="validate everything, including database constraints, then roll back")]


class ListFault(ResponseBody):
    """One fault: its row as a spreadsheet numbers it (the heading is row 1; 0: the file), and its column."""

    row: int
    column: str
    code: str
    sentence: str | None = Field(
        description="for faults of the list itself; null for faults that can concern another site"
    )


class ListImportResponse(ResponseBody):
    """Result of an import; with faults, and in a dry run, nothing is stored."""

    taken: bool
    dry_run: bool
    new: int
    changed: int
    unchanged: int
    watches_handed_out: int
    faults_in_all: int
    faults: list[ListFault] = Field(description="the first 500 faults")


_BINARY = {"schema": {"type": "string", "format": "binary"}}


def list_body(columns: str) -> dict[str, Any]:
    """Return the OpenAPI description of a list as request body."""
    return {
        "requestBody": {
            "required": True,
            "description": f"CSV (UTF-8) or XLSX, at most 1 MiB, with a heading: {columns}",
            "content": {
                "text/csv": _BINARY,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _BINARY,
                "application/vnd.ms-excel": _BINARY,
                "application/octet-stream": _BINARY,
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["list"],
                        "properties": {"list": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    }
