"""The rules of a broker that asks: log-ins, topics, queues, and the forms in which brokers ask."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from services.broker.external.kick_passwords import VALID_FOR, kick_nonce, make_kick_password
from services.broker.external.questions import (
    MalformedQuestionError,
    entry_of,
    log_in_of,
    read_form,
    read_json,
    speak_of,
    use_of,
)
from services.broker.external.rules import (
    Role,
    is_client_id_of,
    is_inside,
    may_publish,
    may_subscribe,
    may_use,
    role_of,
    topic_of_routing_key,
)
from services.core.platform.broker_settings import networks
from services.core.platform.crypto.vault import Vault
from services.core.platform.settings import Settings

ANA, BEN, FACTORY, BACKEND = "w-aaaaaaaaaaaa", "w-bbbbbbbbbbbb", "f-SIM00001", "sw-backend"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("username", "role"),
    [(ANA, Role.WATCH), (FACTORY, Role.WATCH), (BACKEND, Role.BACKEND), ("guest", None), ("w-*", None), ("", None)],
)
def test_only_names_of_ours_have_a_role(username: str, role: Role | None) -> None:
    assert role_of(username, BACKEND) is role


@pytest.mark.parametrize(
    ("role", "username", "client_id", "fits"),
    [
        (Role.WATCH, ANA, ANA, True), (Role.WATCH, ANA, BEN, False), (Role.WATCH, ANA, "sw-uplink", False),
        (Role.WATCH, ANA, "", False), (Role.BACKEND, BACKEND, "sw-uplink", True),
        (Role.BACKEND, BACKEND, "sw-down-x1", True), (Role.BACKEND, BACKEND, ANA, False),
        (Role.BACKEND, BACKEND, "sw-up#", False),
    ],
)  # fmt: skip
def test_a_watch_has_its_user_name_as_its_client_id(role: Role, username: str, client_id: str, *, fits: bool) -> None:
    assert is_client_id_of(role, username, client_id) is fits


@pytest.mark.parametrize(
    ("role", "username", "topic", "may"),
    [
        (Role.WATCH, ANA, f"sw/v1/{ANA}/up/hello", True), (Role.WATCH, ANA, f"sw/v1/{ANA}/up/", False),
        (Role.WATCH, ANA, f"sw/v1/{ANA}/up", False), (Role.WATCH, ANA, f"sw/v1/{BEN}/up/hello", False),
        (Role.WATCH, ANA, f"sw/v1/{ANA}x/up/hello", False), (Role.WATCH, ANA, f"sw/v1/{ANA}/down/time", False),
        (Role.WATCH, ANA, "sw/v1/+/up/hello", False), (Role.WATCH, ANA, f"sw/v1/{ANA}/up/#", False),
        (Role.WATCH, ANA, f"/sw/v1/{ANA}/up/hello", False), (Role.WATCH, FACTORY, f"sw/v1/{FACTORY}/up/pairing", True),
        (Role.BACKEND, BACKEND, f"sw/v1/{ANA}/down/time", True), (Role.BACKEND, BACKEND, "sw/v1/guest/down/x", False),
        (Role.BACKEND, BACKEND, f"sw/v1/{ANA}/up/hello", False), (Role.BACKEND, BACKEND, "$SYS/x", False),
    ],
)  # fmt: skip
def test_publishing(role: Role, username: str, topic: str, *, may: bool) -> None:
    assert may_publish(role, username, topic) is may


@pytest.mark.parametrize(
    ("role", "username", "topic_filter", "may"),
    [
        (Role.WATCH, ANA, f"sw/v1/{ANA}/down/#", True), (Role.WATCH, ANA, f"sw/v1/{ANA}/down/item/+", True),
        (Role.WATCH, ANA, f"sw/v1/{BEN}/down/#", False), (Role.WATCH, ANA, "sw/v1/+/down/#", False),
        (Role.WATCH, ANA, "#", False), (Role.WATCH, ANA, f"sw/v1/{ANA}/#", False),
        (Role.WATCH, ANA, f"sw/v1/{ANA}/up/#", False), (Role.BACKEND, BACKEND, "sw/v1/+/up/#", True),
        (Role.BACKEND, BACKEND, "#", False),
    ],
)  # fmt: skip
def test_subscribing(role: Role, username: str, topic_filter: str, *, may: bool) -> None:
    assert may_subscribe(role, username, topic_filter) is may


def test_a_client_of_rabbitmq_uses_its_own_session_and_the_one_exchange() -> None:
    assert may_use(Role.WATCH, ANA, "queue", f"mqtt-subscription-{ANA}qos1", "configure")
    assert may_use(Role.BACKEND, BACKEND, "queue", "mqtt-subscription-sw-uplinkqos1", "read")
    assert may_use(Role.WATCH, ANA, "exchange", "amq.topic", "write")
    assert not may_use(Role.WATCH, ANA, "queue", f"mqtt-subscription-{BEN}qos1", "configure")
    assert not may_use(Role.WATCH, ANA, "queue", "mqtt-subscription-sw-uplinkqos1", "read")
    assert not may_use(Role.WATCH, ANA, "exchange", "amq.topic", "configure")
    assert not may_use(Role.WATCH, ANA, "exchange", "", "write")


def test_routing_keys_are_topics_with_other_signs() -> None:
    assert topic_of_routing_key("sw.v1.*.up.#") == "sw/v1/+/up/#"


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("203.0.113.7", False), ("", False), ("unknown", False)],
)
def test_inside_is_a_network(address: str, *, inside: bool) -> None:
    assert is_inside(address, networks("10.0.0.0/8, ::1/128")) is inside


def test_rabbitmqs_forms() -> None:
    log_in = log_in_of(read_form(b"username=w-aaaaaaaaaaaa&vhost=%2F&client_id=w-aaaaaaaaaaaa&password=a%26b"))
    assert (log_in.username, log_in.client_id, log_in.password, log_in.address) == (ANA, ANA, "a&b", "")
    assert log_in.is_followed
    assert "a&b" not in repr(log_in)
    entry = entry_of(read_form(b"username=w-aaaaaaaaaaaa&vhost=%2F&ip=10.0.0.1&tags=kick&client_id=w-aaaaaaaaaaaa"))
    assert (entry.virtual_host, entry.address, entry.tags) == ("/", "10.0.0.1", frozenset({"kick"}))
    use = use_of(read_form(b"username=x&vhost=%2F&resource=queue&name=mqtt-subscription-xqos1&permission=read"))
    assert (use.resource, use.name, use.permission) == ("queue", "mqtt-subscription-xqos1", "read")
    speak = speak_of(read_form(b"username=x&name=amq.topic&permission=write&routing_key=sw.v1.x.up.hello"))
    assert (speak.topic, speak.publishes) == ("sw/v1/x/up/hello", True)


def test_the_forms_of_rmqtt_and_emqx() -> None:
    log_in = log_in_of(read_form(b"username=x&client_id=x&password=p&ip=10.0.0.1"))
    assert (log_in.address, log_in.is_followed) == ("10.0.0.1", False)
    speak = speak_of(read_form(b"username=x&access=1&topic=sw%2Fv1%2Fx%2Fdown%2F%23"))
    assert (speak.topic, speak.publishes) == ("sw/v1/x/down/#", False)
    log_in = log_in_of(read_json(b'{"username":"x","clientid":"x","password":"p","peerhost":"10.0.0.1","more":null}'))
    assert (log_in.client_id, log_in.address, log_in.is_followed) == ("x", "10.0.0.1", False)
    speak = speak_of(read_json(b'{"username":"x","clientid":"x","topic":"sw/v1/x/up/a","action":"publish"}'))
    assert (speak.topic, speak.publishes) == ("sw/v1/x/up/a", True)


@pytest.mark.parametrize("body", [b"\xff", b"username=a&username=b", b"x" * 10, b"&".join([b"a=1"] * 40)])
def test_a_body_that_is_no_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedQuestionError):
        read_form(body)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"username":1}', b"[" * 5_000, b'{"username":{"a":"b"}}'])
def test_a_body_that_is_no_object_of_texts_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedQuestionError):
        read_json(body)


def test_a_question_without_its_fields_is_malformed() -> None:
    for read in (log_in_of, entry_of, use_of, speak_of):
        with pytest.raises(MalformedQuestionError):
            read({})
    with pytest.raises(MalformedQuestionError):
        speak_of({"username": "x", "permission": "configure", "topic": "a"})


def test_a_kick_password_is_for_one_user_and_five_seconds() -> None:
    vault = Vault.of(Settings())
    other = Vault.of(Settings(master_key=base64.b64encode(b"another key of exactly 32 bytes!").decode()))
    password = make_kick_password(vault, ANA, NOW)
    nonce = kick_nonce(vault, ANA, password, NOW)
    assert nonce is not None
    assert kick_nonce(vault, ANA, password, NOW + VALID_FOR - timedelta(milliseconds=2)) == nonce
    assert kick_nonce(vault, ANA, password, NOW + VALID_FOR) is None
    assert kick_nonce(vault, ANA, password, NOW - timedelta(seconds=3)) is None
    assert kick_nonce(vault, BEN, password, NOW) is None
    assert kick_nonce(other, ANA, password, NOW) is None
    assert kick_nonce(vault, ANA, "kick.1.2.3", NOW) is None
    assert kick_nonce(vault, ANA, make_kick_password(vault, ANA, NOW), NOW) != nonce


def test_a_list_of_brokers_is_read_or_refused() -> None:
    listed = Settings(broker_addresses="mq1.example.org:1884, [2001:db8::1]:8884")
    assert listed.backend_addresses() == [("mq1.example.org", 1884), ("2001:db8::1", 8884)]
    assert Settings().backend_addresses() == [("127.0.0.1", 1884)]
    for wrong in ("mq1", "mq1:0", "mq1:70000", "mq1:1884,", "http://mq1:1884"):
        with pytest.raises(ValueError, match="broker_addresses"):
            Settings(broker_addresses=wrong)
    with pytest.raises(ValueError, match="broker_inside"):
        Settings(broker_inside="10.0.0.0/99")
