"""The document that firmware makers build from is valid, complete, and the one that was committed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.protocol import asyncapi, codec, limits, words
from services.protocol.downlink import Receipt
from services.protocol.examples import EXAMPLES
from services.protocol.frames import DOWNLINK_MODELS, UPLINK_MODELS
from services.protocol.location import OwnTracksOther
from services.protocol.topics import DownlinkKind, UplinkKind
from services.protocol.uplink import Text

ROOT = Path(__file__).parents[3]
SCHEMA_FILE = ROOT / "tests" / "vectors" / "asyncapi" / "asyncapi-3.0.0.json"
MODELS = [model for models in [*UPLINK_MODELS.values(), *DOWNLINK_MODELS.values()] for model in models]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi.document()


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(SCHEMA_FILE.read_text()))


def test_the_committed_document_is_the_one_the_code_makes() -> None:
    committed = (ROOT / "docs" / "asyncapi.json").read_text()
    assert committed == asyncapi.render(), "python -m services.protocol.asyncapi > docs/asyncapi.json"


def test_the_document_is_valid_asyncapi_3(document: dict[str, Any], validator: jsonschema.Draft7Validator) -> None:
    assert [error.message for error in validator.iter_errors(document)] == []


def test_the_validator_would_notice_a_mistake(document: dict[str, Any], validator: jsonschema.Draft7Validator) -> None:
    assert not validator.is_valid({**document, "operations": {"x": {"action": "shout"}}})


def test_the_schema_is_the_one_that_was_published() -> None:
    assert hashlib.sha256(SCHEMA_FILE.read_bytes()).hexdigest() == (
        "abe96881dbfaad495ccbb6bd8d3fb43ca18a13b9d7564849ccb66f39d5e5b20f"
    )


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references: list[str] = []
    waiting: list[object] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "$ref" in value:
                references.append(value["$ref"])
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    assert references
    for reference in references:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_every_kind_of_uplink_and_downlink_has_a_channel_and_an_operation(document: dict[str, Any]) -> None:
    channels = {f"up_{kind}" for kind in UplinkKind} | {f"down_{kind}" for kind in DownlinkKind}
    assert set(document["channels"]) == channels
    used = {operation["channel"]["$ref"].removeprefix("#/channels/") for operation in document["operations"].values()}
    assert used == channels


def _holds(written: object, example: object) -> bool:
    """Whether what was written has all of the example, perhaps with defaults beside it."""
    if isinstance(written, dict) and isinstance(example, dict):
        return all(name in written and _holds(written[name], value) for name, value in example.items())
    if isinstance(written, list) and isinstance(example, list):
        return len(written) == len(example) and all(map(_holds, written, example))
    return written == example


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_message_has_examples_that_the_code_and_the_schema_both_take(
    model: type[Any], document: dict[str, Any]
) -> None:
    schema = {
        "$ref": f"#/components/schemas/{model.__name__}",
        "components": {"schemas": document["components"]["schemas"]},
    }
    assert EXAMPLES[model.__name__]
    for example in EXAMPLES[model.__name__]:
        read = codec.decode_json(json.dumps(example).encode(), model)
        jsonschema.Draft202012Validator(schema).validate(example)
        written = json.loads(codec.encode(read))
        # Of what else OwnTracks sends nothing but its type is kept.
        assert _holds(written, {"_type": "lwt"} if model is OwnTracksOther else example)
        jsonschema.Draft202012Validator(schema).validate(written)


def test_the_schema_of_a_text_refuses_both_and_neither(document: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/Text", "components": document["components"]}
    check = jsonschema.Draft202012Validator(schema)
    text = {"id": "t81kd02mq7zr", "to": "g-1"}
    assert check.is_valid({**text, "text": "hi"})
    assert not check.is_valid(text)
    assert not check.is_valid({**text, "text": "hi", "emoji": "heart"})
    assert Text.model_fields["text"].default is None


def test_the_document_publishes_the_closed_lists_and_the_limits(document: dict[str, Any]) -> None:
    assert set(document["x-emoji"]) == {word.value for word in words.Emoji}
    assert document["x-words"]["details"] == [word.value for word in words.Detail]
    assert document["x-limits"]["chunk_max_bytes"] == limits.CHUNK_MAX_BYTES == 16384
    assert document["x-limits"]["announce_repeat_s"] == [60, 120, 300]
    assert {name.lower() for name in vars(limits) if name.isupper()} == set(document["x-limits"])


def test_every_emoji_has_a_glyph_of_its_own() -> None:
    assert set(words.EMOJI_GLYPHS) == set(words.Emoji)
    assert len(set(words.EMOJI_GLYPHS.values())) == len(words.Emoji)


def test_a_receipt_example_without_id_keeps_its_null() -> None:
    by_topic = next(example for example in EXAMPLES["Receipt"] if "topic" in example)
    read = codec.decode_json(json.dumps(by_topic).encode(), Receipt)
    assert b'"ref":null' in codec.encode(read)
