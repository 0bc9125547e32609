"""Rules of log-in, and of the topics and queues of each client, for brokers that ask our endpoint. Pure functions.

The rules are those of Mosquitto's access file (`mosquitto/acl`) and of its listeners: a watch has its user name as its
client id, publishes below its own ``up/`` and hears below its own ``down/``; the backend's user comes from inside.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from services.broker.passwords import is_watch_username
from services.core.platform.broker_settings import Network

TOPIC_ROOT: Final = "sw/v1"
UPLINK_FILTER: Final = f"{TOPIC_ROOT}/+/up/#"
_DOWNLINK: Final = re.compile(rf"{TOPIC_ROOT}/(?P<user>[^/+#]+)/down/[^+#]+")
# No watch can have such a client id: every one of theirs begins with `f-` or `w-`.
_BACKEND_CLIENT_ID: Final = re.compile(r"sw-[A-Za-z0-9-]{1,60}")
# The exchange and the queues that RabbitMQ's MQTT plugin uses for one client; a queue of a session ends in its QoS.
_EXCHANGE: Final = "amq.topic"
_QUEUE: Final = re.compile(r"mqtt-subscription-(?P<client_id>.+)qos[01]")
# Given to a connection that only takes a session over: RabbitMQ repeats it when it asks for the virtual host.
KICK_TAG: Final = "kick"


class Role(StrEnum):
    """The two kinds of clients."""

    WATCH = "watch"
    BACKEND = "backend"


def role_of(username: str, backend_username: str) -> Role | None:
    """Return the role that a user name has, None for a name that no client of ours has."""
    if username == backend_username:
        return Role.BACKEND
    return Role.WATCH if is_watch_username(username) else None


def is_client_id_of(role: Role, username: str, client_id: str) -> bool:
    """Return whether this user may connect under this client id: a watch under its user name only."""
    if role is Role.WATCH:
        return client_id == username
    return _BACKEND_CLIENT_ID.fullmatch(client_id) is not None


def is_inside(address: str, inside: Iterable[Network]) -> bool:
    """Return whether a connection from this address comes from inside; text that is no address does not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in inside)


def may_publish(role: Role, username: str, topic: str) -> bool:
    """Return whether a client may publish, or have a will, on this topic."""
    if role is Role.WATCH:
        own = f"{TOPIC_ROOT}/{username}/up/"
        return topic.startswith(own) and len(topic) > len(own) and not {"+", "#"} & set(topic)
    downlink = _DOWNLINK.fullmatch(topic)
    return downlink is not None and is_watch_username(downlink["user"])


def may_subscribe(role: Role, username: str, topic_filter: str) -> bool:
    """Return whether a client may hear everything that this filter matches."""
    if role is Role.WATCH:
        own = f"{TOPIC_ROOT}/{username}/down/"
        return topic_filter.startswith(own) and len(topic_filter) > len(own)
    return topic_filter == UPLINK_FILTER


def may_use(role: Role, username: str, resource: str, name: str, permission: str) -> bool:
    """Return whether a client may use this exchange or queue of RabbitMQ; it creates nothing but its own session."""
    if resource == "exchange":
        return name == _EXCHANGE and permission in {"read", "write"}
    if resource != "queue":
        return False
    queue = _QUEUE.fullmatch(name)
    return queue is not None and is_client_id_of(role, username, queue["client_id"])


def topic_of_routing_key(routing_key: str) -> str:
    """Return the topic or filter behind a routing key of RabbitMQ, which writes ``.`` for ``/`` and ``*`` for ``+``.

    RabbitMQ itself treats a dot in a topic as a slash, so that both forms are one topic here as well.
    """
    return routing_key.replace(".", "/").replace("*", "+")
