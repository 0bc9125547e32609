"""What FastAPI leaves out of the document: descriptions of fields, examples of bodies, tags, problem types.

A field that means the same everywhere is described once, in ``fields.json``, by its name or as ``Schema.field``; a
``description`` of the field itself comes before both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from services.api.documents.examples import ExampleMissingError, example_of
from services.api.problems import HTTP_CODES, OWN_FAULTS, STATUS, TYPE_PREFIX

Json = Any

# Bodies that are no JSON: what stands in them cannot be shown, only how it is sent.
_LIST_EXAMPLE: Final = "family_code,phone,cohort\nDG-001,138 0013 8000,Spring\n"
_SENT_WITH: Final[Mapping[str, str]] = {
    "audio/": "the bytes of the recording: `curl --data-binary @recording.webm`",
    "application/offset+octet-stream": "the next part of the recording, from `Upload-Offset` on",
    "application/octet-stream": "the bytes of the file: `curl --data-binary @file`",
    "application/vnd.": "the bytes of the workbook: `curl --data-binary @list.xlsx`",
}
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})


@cache
def _words(file: str) -> Mapping[str, Json]:
    words: Mapping[str, Json] = json.loads(resources.files(__package__).joinpath(file).read_text(encoding="utf-8"))
    return words


def introduction(public_url: str = "http://127.0.0.1:8080") -> str:
    """Return the text above the document; its commands name the address of this installation."""
    text = resources.files(__package__).joinpath("introduction.md").read_text(encoding="utf-8")
    return text.replace("{api}", public_url.rstrip("/"))


def problem_types() -> list[dict[str, Json]]:
    """Return every type of problem: its name, status, code and sentence, by status and code."""
    rows = {(int(status), error.code, error.sentence) for error, status in STATUS.items()}
    rows |= {(status, code, title) for status, (code, title) in HTTP_CODES.items()}
    rows |= {(int(status), code, title) for status, code, title in OWN_FAULTS}
    return [
        {"type": f"{TYPE_PREFIX}{code}", "status": status, "code": code, "title": title}
        for status, code, title in sorted(rows)
    ]


def operation_id(method: str, path: str) -> str:
    """Return the id of an operation: its method and path, which never change, so that generated clients stay valid."""
    steps = [step.strip("{}").replace("-", "_").replace(".", "_") for step in path.split("/") if step not in {"", "v1"}]
    return "_".join([method.lower(), *steps])


def complete(document: dict[str, Json]) -> None:
    """Add everything of this module to a document."""
    _describe_fields(document)
    _describe_parameters(document)
    _add_examples(document)
    document["tags"] = [{"name": name, "description": text} for name, text in _words("tags.json").items()]
    document["x-problem-types"] = problem_types()


def _operations(document: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    for operations in document["paths"].values():
        yield from (operation for method, operation in operations.items() if method in _METHODS)


def _describe_fields(document: Mapping[str, Json]) -> None:
    texts = _words("fields.json")["fields"]
    for name, schema in document["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            text = texts.get(f"{name}.{field}") or texts.get(field)
            if "description" not in about and text:
                about["description"] = text


def _describe_parameters(document: Mapping[str, Json]) -> None:
    texts = _words("fields.json")["parameters"]
    for operation in _operations(document):
        for parameter in operation.get("parameters", []):
            if "description" not in parameter and parameter["name"] in texts:
                parameter["description"] = texts[parameter["name"]]


def _add_examples(document: Mapping[str, Json]) -> None:
    schemas, named = document["components"]["schemas"], _words("examples.json")
    for operation in _operations(document):
        for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
            if media.keys() & {"example", "examples"}:
                continue
            if media_type == "application/json":
                try:
                    media["example"] = example_of("", media["schema"], schemas, named)
                except ExampleMissingError:
                    continue  # the test of the document names the field
            elif media_type == "text/csv":
                media["example"] = _LIST_EXAMPLE
            elif media_type == "multipart/form-data":
                field = next(iter(media["schema"]["properties"]))
                media["examples"] = {"sent": {"summary": f"the file in a field of the form: `curl -F {field}=@file`"}}
            else:
                how = next((text for start, text in _SENT_WITH.items() if media_type.startswith(start)), None)
                if how is not None:
                    media["examples"] = {"sent": {"summary": how}}
