"""The AsyncAPI 3.0 document, made from the models: `python -m services.protocol.asyncapi > docs/asyncapi.json`."""

import json
import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from services import __version__
from services.protocol import limits, words
from services.protocol.contract import SENTENCES
from services.protocol.examples import EXAMPLES
from services.protocol.fields import WireMessage
from services.protocol.frames import DOWNLINK_MODELS, UPLINK_MODELS
from services.protocol.prose import DESCRIPTION
from services.protocol.topics import DownlinkKind, UplinkKind

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Channel:
    """One topic: its levels after the prefix, who uses it, and what the watch does with it."""

    levels: str
    summary: str
    operation: str
    answer: DownlinkKind | None = None


_UP: Final[dict[UplinkKind, _Channel]] = {
    UplinkKind.PAIRING: _Channel(
        "pairing", "Ask for a pairing code, or where one stands", "askPairing", DownlinkKind.PAIRING
    ),
    UplinkKind.HELLO: _Channel("hello", "First message of a connection", "sayHello", DownlinkKind.TIME),
    UplinkKind.STATUS: _Channel("status", "Online, asleep; and the will", "tellStatus"),
    UplinkKind.VOICE_CHUNK: _Channel("voice/{id}/{chunk}", "A chunk of a clip", "sendVoiceChunk"),
    UplinkKind.VOICE_END: _Channel("voice/{id}/end", "Completes a clip", "endVoice", DownlinkKind.RECEIPT),
    UplinkKind.TEXT: _Channel("text", "A text or an emoji", "sendText", DownlinkKind.RECEIPT),
    UplinkKind.FETCH: _Channel("fetch", "Ask for chunks of an item", "fetchChunks", DownlinkKind.ITEM_CHUNK),
    UplinkKind.RECEIPT: _Channel("receipt", "What became of an item", "sendReceipt", DownlinkKind.RECEIPT),
    UplinkKind.LOCATION: _Channel("location", "Fixes, as OwnTracks JSON", "sendLocation", DownlinkKind.RECEIPT),
    UplinkKind.ACK: _Channel("ack", "Outcome of a command, version of a list", "acknowledge"),
    UplinkKind.ALERT: _Channel("alert", "SOS and what else is urgent", "sendAlert", DownlinkKind.RECEIPT),
    UplinkKind.USAGE: _Channel("usage", "Counters of a period", "sendUsage", DownlinkKind.RECEIPT),
}
_DOWN: Final[dict[DownlinkKind, _Channel]] = {
    DownlinkKind.PAIRING: _Channel("pairing", "Code, credentials, or where a pairing stands", "takePairing"),
    DownlinkKind.TIME: _Channel("time", "Server time, the answer to hello", "takeTime"),
    DownlinkKind.RECEIPT: _Channel("receipt", "The answer to what was sent", "takeReceipt"),
    DownlinkKind.STATE: _Channel("state", "What became of the child's message", "takeState"),
    DownlinkKind.ITEM: _Channel("item/{ref}", "Announces what waits for the watch", "takeItem"),
    DownlinkKind.ITEM_CHUNK: _Channel("item/{ref}/{chunk}", "A chunk that was asked for", "takeItemChunk"),
    DownlinkKind.COMMAND: _Channel("command", "Something to do now", "takeCommand"),
    DownlinkKind.CONTACTS: _Channel("contacts", "Who may reach the child", "takeContacts"),
    DownlinkKind.CONFIG: _Channel("config", "Settings", "takeConfig"),
    DownlinkKind.ALERT: _Channel("alert", "A guardian has seen the alert", "takeAlertSeen"),
}
_ARRAYS: Final = frozenset({UplinkKind.LOCATION, UplinkKind.USAGE})
_CHUNKS: Final = frozenset({UplinkKind.VOICE_CHUNK, DownlinkKind.ITEM_CHUNK})
_PAIRING_ONLY: Final = frozenset({UplinkKind.PAIRING, DownlinkKind.PAIRING})


def document() -> Json:
    """Return the whole document as plain JSON values; every call returns the same."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:smartwatch:watch-protocol:1",
        "info": {
            "title": "SmartWatch watch protocol",
            "version": __version__,
            "description": DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "schemas": _schemas(),
            "messages": _messages(),
            "parameters": _parameters(),
            "securitySchemes": {
                "factory": {
                    "type": "userPassword",
                    "description": "User f-<serial> with the secret the watch was made with. For pairing only.",
                },
                "paired": {
                    "type": "userPassword",
                    "description": "User and password of one pairing, from down/pairing.",
                },
            },
        },
        "x-sentences": [
            {"number": sentence.number, "side": sentence.side.value, "text": sentence.text}
            for sentence in SENTENCES.values()
        ],
        "x-words": _word_lists(),
        "x-emoji": {word.value: glyph for word, glyph in words.EMOJI_GLYPHS.items()},
        "x-limits": _limits(),
    }


# ---------------------------------------------------------------- servers


def _servers() -> Json:
    security = [
        {"$ref": "#/components/securitySchemes/factory"},
        {"$ref": "#/components/securitySchemes/paired"},
    ]
    mqtt: Json = {
        "cleanSession": True,
        "keepAlive": limits.KEEPALIVE_MAX_S,
        "lastWill": {
            "topic": "sw/v1/{user}/up/status",
            "qos": 1,
            "message": '{"state":"offline","conn":"<nonce of this connection>"}',
            "retain": False,
        },
    }
    return {
        "watches": {
            "host": "{host}:8883",
            "protocol": "secure-mqtt",
            "protocolVersion": "3.1.1",
            "description": "TLS 1.2 or 1.3. Host and port stand in the credentials of a pairing.",
            "variables": {"host": {"description": "where the watches connect", "default": "localhost"}},
            "security": security,
            "bindings": {"mqtt": mqtt},
        },
        "development": {
            "host": "localhost:1883",
            "protocol": "mqtt",
            "protocolVersion": "3.1.1",
            "description": "Without TLS, on the loopback, for development only. The port may differ.",
            "security": security,
            "bindings": {"mqtt": mqtt},
        },
    }


# ---------------------------------------------------------------- channels and operations


def _channels() -> Json:
    channels: Json = {}
    for up_kind, channel in _UP.items():
        channels[_up_name(up_kind)] = _channel("up", channel, _message_names(up_kind))
    for down_kind, channel in _DOWN.items():
        channels[_down_name(down_kind)] = _channel("down", channel, _message_names(down_kind))
    return channels


def _channel(direction: str, channel: _Channel, messages: list[str]) -> Json:
    address = f"sw/v1/{{user}}/{direction}/{channel.levels}"
    return {
        "address": address,
        "title": f"{direction}/{channel.levels}",
        "summary": channel.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in re.findall(r"{(\w+)}", address)},
    }


def _operations() -> Json:
    operations: Json = {}
    for up_kind, channel in _UP.items():
        operation = _operation("send", channel, _up_name(up_kind), _message_names(up_kind))
        if channel.answer is not None:
            operation["reply"] = {
                "channel": {"$ref": f"#/channels/{_down_name(channel.answer)}"},
                "messages": _message_refs(_down_name(channel.answer), _message_names(channel.answer)),
            }
        operation["security"] = _security(up_kind)
        operations[channel.operation] = operation
    for down_kind, channel in _DOWN.items():
        operation = _operation("receive", channel, _down_name(down_kind), _message_names(down_kind))
        operation["security"] = _security(down_kind)
        operations[channel.operation] = operation
    return operations


def _operation(action: str, channel: _Channel, name: str, messages: list[str]) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.summary,
        "messages": _message_refs(name, messages),
        "bindings": {"mqtt": {"qos": 1, "retain": False}},
    }


def _message_refs(channel_name: str, messages: list[str]) -> list[Json]:
    return [{"$ref": f"#/channels/{channel_name}/messages/{name}"} for name in messages]


def _security(kind: UplinkKind | DownlinkKind) -> list[Json]:
    scheme = "factory" if kind in _PAIRING_ONLY else "paired"
    return [{"$ref": f"#/components/securitySchemes/{scheme}"}]


def _up_name(kind: UplinkKind) -> str:
    return f"up_{kind.value}"


def _down_name(kind: DownlinkKind) -> str:
    return f"down_{kind.value}"


def _message_names(kind: UplinkKind | DownlinkKind) -> list[str]:
    if kind in _CHUNKS:
        return ["Chunk"]
    models = UPLINK_MODELS[kind] if isinstance(kind, UplinkKind) else DOWNLINK_MODELS[kind]
    arrays = [f"{models[0].__name__}Array"] if kind in _ARRAYS else []
    return [model.__name__ for model in models] + arrays


def _parameters() -> Json:
    return {
        "user": {"description": "The MQTT user name: f-<serial> or w-<random>. Never anyone else's."},
        "id": {"description": "The clip's id, made by the watch: 12 to 36 of A-Za-z0-9-."},
        "ref": {"description": "The item's id, made by the backend: 1 to 36 of A-Za-z0-9-."},
        "chunk": {"description": "The chunk's number from 0, decimal, without leading zeros."},
    }


# ---------------------------------------------------------------- messages and schemas


def _models() -> list[type[WireMessage]]:
    up = [model for models in UPLINK_MODELS.values() for model in models]
    return up + [model for models in DOWNLINK_MODELS.values() for model in models]


def _messages() -> Json:
    messages: Json = {
        model.__name__: {
            "name": model.__name__,
            "title": model.__name__,
            "summary": " ".join((model.__doc__ or "").split("\n\n")[0].split()),
            "contentType": "application/json",
            "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
            "examples": [{"payload": payload} for payload in EXAMPLES[model.__name__]],
        }
        for model in _models()
    }
    for kind in sorted(_ARRAYS):
        name = UPLINK_MODELS[kind][0].__name__
        messages[f"{name}Array"] = {
            "name": f"{name}Array",
            "title": f"{name}Array",
            "summary": f"At most {limits.ARRAY_MAX_ITEMS} of {name} in one payload.",
            "contentType": "application/json",
            "payload": {
                "type": "array",
                "maxItems": limits.ARRAY_MAX_ITEMS,
                "items": {"$ref": f"#/components/schemas/{name}"},
            },
            "examples": [{"payload": list(EXAMPLES[name])}],
        }
    messages["Chunk"] = {
        "name": "Chunk",
        "title": "Chunk",
        "summary": "Bytes of a clip as they are; base64 text if the hello of this connection said binary false.",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary", "maxLength": limits.CHUNK_MAX_BYTES},
    }
    return messages


def _schemas() -> Json:
    _, whole = models_json_schema(
        [(model, "validation") for model in _models()],
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = whole["$defs"]
    for schema in schemas.values():
        # Docstrings are wrapped for readers of the code.
        if "description" in schema:
            schema["description"] = re.sub(r"(?<!\n)\n(?!\n)", " ", schema["description"])
        properties = schema.get("properties", {})
        for name, field in properties.items():
            properties[name] = _plain(field)
    # The only null with a meaning: no id could be read; `topic` stands instead.
    schemas["Receipt"]["properties"]["ref"] = {"anyOf": [schemas["Receipt"]["properties"]["ref"], {"type": "null"}]}
    schemas["Text"]["oneOf"] = [{"required": ["text"]}, {"required": ["emoji"]}]
    return schemas


def _plain(field: Json) -> Json:
    """Return a field without pydantic's title and without null, which equals absence."""
    field.pop("title", None)
    if "default" in field and field["default"] is None:
        del field["default"]
        kinds = [kind for kind in field["anyOf"] if kind != {"type": "null"}]
        if len(kinds) == 1:
            del field["anyOf"]
            field = {**kinds[0], **field}
    return field


# ---------------------------------------------------------------- words and limits

_WORD_LISTS: Final[dict[str, type[StrEnum]]] = {
    "receipt_codes": words.ReceiptCode,
    "details": words.Detail,
    "pairing_asks": words.PairingAsk,
    "pairing_errors": words.PairingErrorWord,
    "presence": words.Presence,
    "receipt_states": words.ReceiptState,
    "message_states": words.MessageState,
    "ack_states": words.AckState,
    "item_kinds": words.ItemKind,
    "command_kinds": words.CommandKind,
    "alert_kinds": words.AlertKind,
    "codecs": words.Codec,
    "location_sources": words.LocationSource,
    "relations": words.Relation,
    "emoji": words.Emoji,
}


def _word_lists() -> Json:
    return {name: [word.value for word in listed] for name, listed in _WORD_LISTS.items()}


def _limits() -> Json:
    return {
        name.lower(): list(value) if isinstance(value, tuple) else value
        for name, value in vars(limits).items()
        if name.isupper()
    }


def main() -> None:
    """Write the document to standard output in its committed form."""
    sys.stdout.write(render())


def render() -> str:
    """Return the document as the committed text."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    main()
