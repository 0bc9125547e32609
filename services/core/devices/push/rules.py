"""Decisions about push: allowed addresses, lifetimes of notes, meaning of answers, dead endpoints. Pure."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, urlsplit

from services.core.devices.push.errors import PushAddressRefusedError

ENDPOINTS_MAX: Final = 10
ADDRESS_MAX_CHARS: Final = 1000
# An endpoint to which every delivery failed for this long is deleted.
DEAD_AFTER: Final = timedelta(days=3)
# A trial, asked for by somebody who holds the phone and waits.
TRIAL: Final = "push.trial"
# Lifetime of a note: one about an alert is useless later, one about a message still helps once the phone is on.
_LIFETIMES: Final = {
    "alert.raised": timedelta(hours=1),
    "alert.calling": timedelta(hours=1),
    "alert.check_asked": timedelta(hours=1),
    "message.created": timedelta(hours=24),
    TRIAL: timedelta(minutes=10),
    # A log-in from a new phone can be approved for half an hour.
    "log_in.changed": timedelta(minutes=30),
    "guardian.acted": timedelta(hours=24),
    "programme.ends": timedelta(hours=24),
}


class EndpointKind(StrEnum):
    """Kinds of endpoints; docs/push.md lists what another kind needs."""

    WEB_PUSH = "web_push"
    WEBHOOK = "webhook"


class Outcome(StrEnum):
    """The outcome of a delivery."""

    TAKEN = "taken"
    # The push service answers that the endpoint no longer exists.
    GONE = "gone"
    LATER = "later"


def checked_address(written: str, *, only_public: bool) -> str:
    """Return the address if notes may be sent there; raises PushAddressRefusedError.

    With ``only_public`` (everywhere but in development) it is https and names no private address; a host name is
    resolved and checked again at each delivery.
    """
    if len(written) > ADDRESS_MAX_CHARS or not written.isascii() or not written.isprintable() or " " in written:
        raise PushAddressRefusedError
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError:
        raise PushAddressRefusedError from None
    if not _has_form(parts, port) or (only_public and parts.scheme != "https"):
        raise PushAddressRefusedError
    if only_public and not _may_be_public(parts.hostname or ""):
        raise PushAddressRefusedError
    return written


def _has_form(parts: SplitResult, port: int | None) -> bool:
    if parts.scheme not in {"https", "http"} or not parts.hostname or "@" in parts.netloc or parts.fragment:
        return False
    return port is None or port > 0


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        # A host name. Names without a dot and names of local domains are internal; a number is an encoded address.
        last = host.rstrip(".").rsplit(".", 1)[-1]
        return "." in host.rstrip(".") and last not in {"local", "internal", "localhost"} and not last[:1].isdigit()


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet; raises ValueError where it is no address.

    IPv6 is accepted within 2000::/3 only, the space from which addresses are assigned (IANA). Everything else leads
    into this network or through it: mapped IPv4 (::ffff:0:0/96), NAT64 (64:ff9b::/96), unique local and link local
    addresses. A 6to4 address leads to the IPv4 address in it and is judged by that.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_public_v4(ip)
    if ip.scope_id is not None or ip not in _ASSIGNED_V6 or any(ip in net for net in _INTERNAL_V6):
        return False
    return _is_public_v4(ip.sixtofour) if ip.sixtofour is not None else ip.is_global


def _is_public_v4(ip: ipaddress.IPv4Address) -> bool:
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _INTERNAL_V4)


_ASSIGNED_V6: Final = ipaddress.IPv6Network("2000::/3")
# What `is_global` of some Python versions accepts. https://www.iana.org/assignments/iana-ipv6-special-registry
_INTERNAL_V6: Final = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments: Teredo (2001::/32), benchmarks (2001:2::/48), ORCHID
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_INTERNAL_V4: Final = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata service answers at 192.0.0.192
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # a cloud's host agent, reachable from its machines only
    )
)


def outcome_of(status: int) -> Outcome:
    """Return the outcome that an HTTP status means. Redirections are not followed and count as failures."""
    if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
        return Outcome.TAKEN
    return Outcome.GONE if status in {404, 410} else Outcome.LATER


def is_still_useful(kind: str, created_at: datetime, now: datetime) -> bool:
    """Return whether a note is within its lifetime."""
    return now - created_at < _LIFETIMES[kind]


def time_to_live_s(kind: str) -> int:
    """Return for how many seconds a push service should keep a note for a phone that is off."""
    return int(_LIFETIMES[kind].total_seconds())


def is_gone_for_good(failing_since_at: datetime | None, now: datetime) -> bool:
    """Return whether an endpoint has failed for so long that it counts as gone."""
    return failing_since_at is not None and now - failing_since_at >= DEAD_AFTER
