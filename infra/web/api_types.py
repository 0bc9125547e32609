"""Write the types of the API for the pages: ``python infra/web/api_types.py --write``.

From the OpenAPI document, a file a face: what guardians may use in web/shared/api-types.ts, what staff may use in
web/staff/api-types.ts. An entry for each operation with its path parameters, query, body and answer, and the codes of
problems as a union. A test compares files and document.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_STAFF_PATHS: Final = "/v1/staff/"
# Whether a file holds the operations of staff.
FILES: Final = {
    _CHECKOUT / "web" / "shared" / "api-types.ts": False,
    _CHECKOUT / "web" / "staff" / "api-types.ts": True,
}
_HEAD: Final = "// The types of the API. Made from its OpenAPI document by `make web`. Do not edit.\n\n"
_PRIMITIVES: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_REF: Final = re.compile(r"#/components/schemas/([\w-]+)")


def type_of(schema: dict[str, Any]) -> str:  # noqa: PLR0911 - a line a kind of schema
    """Return a schema as a TypeScript type."""
    if "$ref" in schema:
        return _identifier(str(schema["$ref"]).rpartition("/")[2])
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        return " | ".join(_literal(value) for value in schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(type_of(member) for member in schema[union]))
    if schema.get("type") == "array":
        return f"Array<{type_of(schema.get('items', {}))}>"
    if schema.get("type") == "object" or "properties" in schema:
        return _record(schema) if schema.get("properties") else f"Record<string, {_values(schema)}>"
    return _PRIMITIVES.get(schema.get("type", ""), "unknown")


def _values(schema: dict[str, Any]) -> str:
    values = schema.get("additionalProperties")
    return type_of(values) if isinstance(values, dict) else "unknown"


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _identifier(schema_name: str) -> str:
    return schema_name.replace("-", "")


def _record(schema: dict[str, Any], *, indent: str = "") -> str:
    required = set(schema.get("required", []))
    lines = [
        f"{indent}  {_key(name)}{'' if name in required else '?'}: {type_of(shape)};"
        for name, shape in schema["properties"].items()
    ]
    return "{\n" + "\n".join(lines) + f"\n{indent}}}"


def _key(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def _operations(document: dict[str, Any], *, of_staff: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        if path.startswith("/v1/") and path.startswith(_STAFF_PATHS) == of_staff:
            for method, operation in methods.items():
                yield f"{method.upper()} {path}", operation


def _entry(name: str, operation: dict[str, Any]) -> str:
    parameters = operation.get("parameters", [])

    def group(place: str) -> str:
        grouped = [parameter for parameter in parameters if parameter["in"] == place]
        if not grouped:
            return "never"
        fields = [
            f"{_key(parameter['name'])}{'' if parameter.get('required') else '?'}: {type_of(parameter['schema'])}"
            for parameter in grouped
        ]
        return "{ " + "; ".join(fields) + " }"

    content = operation.get("requestBody", {}).get("content", {})
    body = "never"
    if content:
        body = type_of(content["application/json"]["schema"]) if "application/json" in content else "ArrayBuffer | Blob"
    answer = "undefined"
    for status, response in operation["responses"].items():
        if status.startswith("2") and (media := response.get("content")):
            answer = type_of(media["application/json"]["schema"]) if "application/json" in media else "Blob"
    rule = operation["x-access"]
    return (
        f"  /** {rule} */\n"
        f'  "{name}": {{ path: {group("path")}; query: {group("query")}; body: {body}; answer: {answer} }};'
    )


def types_of(document: dict[str, Any], *, of_staff: bool) -> str:
    """Return the text of the file of guardians or staff for an OpenAPI document."""
    entries = [_entry(name, operation) for name, operation in _operations(document, of_staff=of_staff)]
    named = document["components"]["schemas"]
    schemas = {_identifier(name): schema for name, schema in named.items()}
    waiting = [name for entry in entries for name in re.findall(r"\w+", entry) if name in schemas]
    declared: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in declared:
            continue
        schema = schemas[name]
        about = str(schema.get("description", "")).split("\n", 1)[0]
        comment = f"/** {about} */\n" if about else ""
        is_record = bool(schema.get("properties"))
        shape = _record(schema) if is_record else type_of(schema)
        declared[name] = f"{comment}export interface {name} {shape}" if is_record else f"export type {name} = {shape};"
        waiting += [_identifier(ref) for ref in _REF.findall(str(schema))]
    codes = schemas["Problem"]["properties"]["code"]["x-codes"]
    union = (
        "\n\n/** What the API refuses with. */\nexport type ProblemCode =\n"
        + "\n".join(f'  | "{code}"' for code in codes)
        + ";"
    )
    user = "staff member" if of_staff else "guardian"
    return (
        _HEAD
        + "\n\n".join(declared[name] for name in sorted(declared))
        + ("" if of_staff else union)
        + f"\n\n/** Each operation that a {user} may use, with who may use it. */\nexport interface Operations {{\n"
        + "\n".join(entries)
        + "\n}\n"
    )


def main() -> int:
    """Write the files, or print them without ``--write``."""
    sys.path.insert(0, str(_CHECKOUT))
    from tests.support.api_routes import app_without_database  # noqa: PLC0415 - the path is set up one line above

    document = app_without_database().openapi()
    for file, of_staff in FILES.items():
        text = types_of(document, of_staff=of_staff)
        if "--write" in sys.argv:
            file.write_text(text, encoding="utf-8")
        else:
            print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
