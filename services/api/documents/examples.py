"""Builds the example of a request body from the examples of its fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Json = Any

# Values of these formats need no example of their own.
_BY_FORMAT: Final[Mapping[str, str]] = {
    "uuid": "0192e4a1-7c3b-7d42-9f10-5b8e6a2c4d01",
    "date": "2026-03-02",
    "date-time": "2026-03-02T18:00:00+08:00",
}


class ExampleMissingError(Exception):
    """A field has neither an example nor a form that tells one."""


def example_of(name: str, schema: Mapping[str, Json], schemas: Mapping[str, Json], named: Mapping[str, Json]) -> Json:
    """Return an example of a field called ``name``; raises ExampleMissingError.

    ``schemas`` are the document's components, ``named`` examples of fields by name and of whole schemas by theirs.
    """
    stated = [*schema.get("examples", ()), *([named[name]] if name in named else ()), *_fixed(schema)]
    if stated:
        return stated[0]
    if reference := schema.get("$ref"):
        return example_of_schema(reference.rpartition("/")[2], schemas, named)
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return example_of(name, choices[0], schemas, named)
    if schema.get("type") == "array":
        return [example_of(name, schema["items"], schemas, named)]
    raise ExampleMissingError(name)


def _fixed(schema: Mapping[str, Json]) -> list[Json]:
    """Return the value that the form of a field tells: a word, a bound, a date; none for a free text."""
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return [schema["enum"][0]]
    match schema.get("type"):
        case "boolean":
            return [True]
        case "integer" | "number":
            return [schema.get("minimum", 1)]
    return [_BY_FORMAT[schema["format"]]] if schema.get("format") in _BY_FORMAT else []


def example_of_schema(name: str, schemas: Mapping[str, Json], named: Mapping[str, Json]) -> Json:
    """Return an example of a whole schema: its required fields, or all of them where none is required."""
    if name in named:
        return named[name]
    schema = schemas[name]
    properties = schema.get("properties")
    if not properties:
        return example_of(name, schema, schemas, named)
    shown = schema.get("required") or properties
    return {field: example_of(field, properties[field], schemas, named) for field in shown}
