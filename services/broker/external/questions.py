"""The questions of brokers, read from the forms of RabbitMQ and RMQTT and from the JSON of EMQX. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from services.broker.external.rules import topic_of_routing_key

_FIELDS_MAX: Final = 32
# RMQTT and EMQX name the action otherwise than RabbitMQ.
_PUBLISHING: Final = frozenset({"write", "publish", "2"})
_SUBSCRIBING: Final = frozenset({"read", "subscribe", "1"})


class MalformedQuestionError(ValueError):
    """The body that a broker sent is not a valid question; the message names the field and never its value."""


@dataclass(frozen=True)
class LogIn:
    """May this client log in? ``address`` is empty where the broker tells it only with the virtual host."""

    username: str
    client_id: str
    address: str
    # Whether a question for the virtual host, with the address, follows before the client may do anything.
    is_followed: bool
    password: str = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """May this user, who has logged in, enter this virtual host from this address?"""

    username: str
    virtual_host: str
    address: str
    tags: frozenset[str]


@dataclass(frozen=True)
class Use:
    """May this user use an exchange or a queue?"""

    username: str
    resource: str
    name: str
    permission: str


@dataclass(frozen=True)
class Speak:
    """May this user publish on a topic, or subscribe to a filter?"""

    username: str
    topic: str
    publishes: bool


Fields = Mapping[str, str]
Question = LogIn | Entry | Use | Speak


def read_form(body: bytes) -> Fields:
    """Return the fields of a form. Raises MalformedQuestionError."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=_FIELDS_MAX,
        )  # fmt: skip
    except ValueError as error:
        raise MalformedQuestionError("the body is no form of at most 32 fields in UTF-8") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedQuestionError("a field stands there twice")
    return fields


def read_json(body: bytes) -> Fields:
    """Return the fields of a JSON object whose values are texts; null is absent. Raises MalformedQuestionError."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedQuestionError("the body is no JSON") from error
    if not isinstance(read, dict) or not all(isinstance(value, str | None) for value in read.values()):
        raise MalformedQuestionError("the body is no object of texts")
    return {name: value for name, value in read.items() if value is not None}


def log_in_of(fields: Fields) -> LogIn:
    """Return a question for a log-in; RabbitMQ sends ``vhost`` and no address, all others the address."""
    return LogIn(
        username=_required(fields, "username"), password=fields.get("password", ""),
        client_id=_required(fields, "client_id", "clientid"), address=_first(fields, "ip", "ipaddr", "peerhost"),
        is_followed="vhost" in fields,
    )  # fmt: skip


def entry_of(fields: Fields) -> Entry:
    """Return a question for a virtual host."""
    return Entry(
        username=_required(fields, "username"), virtual_host=_required(fields, "vhost"),
        address=_required(fields, "ip"), tags=frozenset(fields.get("tags", "").replace(",", " ").split()),
    )  # fmt: skip


def use_of(fields: Fields) -> Use:
    """Return a question for an exchange or a queue."""
    return Use(
        username=_required(fields, "username"), resource=_required(fields, "resource"),
        name=_required(fields, "name"), permission=_required(fields, "permission"),
    )  # fmt: skip


def speak_of(fields: Fields) -> Speak:
    """Return a question for a topic: a routing key of RabbitMQ, or a topic of MQTT."""
    action = _required(fields, "permission", "access", "action")
    if action not in _PUBLISHING | _SUBSCRIBING:
        raise MalformedQuestionError("the action is neither publishing nor subscribing")
    key = fields.get("routing_key")
    topic = _required(fields, "topic") if key is None else topic_of_routing_key(key)
    return Speak(username=_required(fields, "username"), topic=topic, publishes=action in _PUBLISHING)


def _first(fields: Fields, *names: str) -> str:
    return next((fields[name] for name in names if name in fields), "")


def _required(fields: Fields, *names: str) -> str:
    value = _first(fields, *names)
    if not value:
        raise MalformedQuestionError(f"{names[0]} is missing")
    return value
