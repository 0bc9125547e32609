"""The settings of a broker that is not ours: its addresses, and the endpoint that it asks about log-ins and topics."""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Port = Annotated[int, Field(ge=0, le=65535)]
_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")


@cache
def networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma separated list. Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def addresses(text: str) -> list[tuple[str, int]]:
    """Return host and port of each entry of a comma separated list. Raises ValueError."""
    pairs = []
    for part in (part.strip() for part in text.split(",")):
        match = _ADDRESS.fullmatch(part)
        if match is None or not 0 < int(match["port"]) <= 65535:  # noqa: PLR2004 - the highest port
            raise ValueError(part)
        pairs.append((match["host"].strip("[]"), int(match["port"])))
    return pairs


class BrokerSettings(BaseSettings):
    """The part of :class:`Settings` that is about a broker other than the one that `smartwatch broker` runs."""

    broker: Literal["mosquitto", "external"] = Field(
        "mosquitto",
        description="`mosquitto`: the one that `smartwatch broker` runs; `external`: a broker or cluster that asks "
        "`smartwatch broker-auth` who may log in",
    )
    broker_addresses: str = Field(
        "",
        description="host:port of each external broker's inner listener, comma separated: bridges and kicks try them "
        "in this order; empty: `SMARTWATCH_MQTT_BACKEND_HOST` and port",
    )
    broker_ca_file: str = Field(
        "", description="PEM of the authority of the external brokers' inner listeners; empty: they speak no TLS"
    )
    broker_vhost: str = Field("/", description="virtual host of an external RabbitMQ that is the programme's")
    broker_inside: str = Field(
        "127.0.0.0/8,::1/128",
        description="networks of the bridges, comma separated: an external broker lets the backend's user in from "
        "these only",
    )
    broker_cache_s: float = Field(
        0, ge=0, le=4,
        description="seconds for which an external broker keeps answers about log-ins, if it does; a kick is repeated "
        "after them",
    )  # fmt: skip
    broker_auth_host: str = Field("127.0.0.1", description="address at which external brokers ask about log-ins")
    broker_auth_port: Port = Field(8086, description="port at which external brokers ask about log-ins")
    broker_auth_askers: str = Field(
        "127.0.0.0/8,::1/128", description="networks of the external brokers, comma separated: only these may ask"
    )

    @field_validator("broker_addresses")
    @classmethod
    def _check_addresses(cls, value: str) -> str:
        try:
            if value:
                addresses(value)
        except ValueError as error:
            message = "broker_addresses is a comma separated list of host:port such as mq1.example.org:1884"
            raise ValueError(message) from error
        return value

    @field_validator("broker_inside", "broker_auth_askers")
    @classmethod
    def _check_broker_networks(cls, value: str) -> str:
        try:
            networks(value)
        except ValueError as error:
            message = "this is no comma separated list of addresses or networks such as 10.0.0.0/8"
            raise ValueError(message) from error
        return value

    def inside_networks(self) -> tuple[Network, ...]:
        """The networks of ``broker_inside``."""
        return networks(self.broker_inside)

    def asker_networks(self) -> tuple[Network, ...]:
        """The networks of ``broker_auth_askers``."""
        return networks(self.broker_auth_askers)
