"""The address of a request: the socket's peer, or what a trusted proxy states. Neither stored nor logged."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request

from services.core.platform.broker_settings import Network
from services.core.platform.settings import Settings

# One IPv6 customer has at least a whole /64.
_IPV6_BITS = 64
# A chain of proxies is short; a longer header is forged.
_MOST_HOPS = 20


def client_address(peer: str | None, forwarded: str | None, trusted: Sequence[Network]) -> str:
    """Return the address that limits count by; X-Forwarded-For is read only from a peer in ``trusted``.

    The address is the first from the right that is not a trusted proxy's: a client can write everything to its left.
    """
    address = _parse(peer)
    if address is None:
        return "unknown"
    hops = (forwarded or "").split(",")[-_MOST_HOPS:]
    while _is_within(address, trusted) and hops:
        hop = _parse(hops.pop())
        if hop is None:
            break
        address = hop
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_BITS), strict=False))
    return str(address)


def _parse(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address


def _is_within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _of_request(request: Request) -> str:
    settings: Settings = request.app.state.settings
    return client_address(
        request.client.host if request.client else None,
        ",".join(request.headers.getlist("x-forwarded-for")),
        settings.trusted_networks(),
    )


ClientAddress = Annotated[str, Depends(_of_request)]
