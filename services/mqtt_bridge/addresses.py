"""Which of several brokers of a cluster a connection is tried at: the last one that worked, then the others in turn."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from services.core.platform.log.throttle import LogThrottle

Address = tuple[str, int]

log = structlog.get_logger()


class BrokerAddresses:
    """The addresses of one list, shared by all connections of a process."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = list(addresses)
        self._throttle = LogThrottle()

    def in_turn(self) -> list[Address]:
        """Return all addresses, the one that worked last first."""
        return list(self._addresses)

    def note_success(self, address: Address) -> None:
        """Try this broker first from now on: it let us in."""
        self._addresses.sort(key=lambda other: other != address)

    def note_failure(self, address: Address, error: BaseException) -> None:
        """Log, once a minute, that a broker of the list did not let us in: an entry may be wrong."""
        host, port = address
        suppressed = self._throttle.suppressed_before(f"{host}:{port}")
        if suppressed is not None and len(self._addresses) > 1:
            log.warning("broker_not_reached", host=host, port=port, error=str(error)[:200], suppressed=suppressed)


_OF_LISTS: dict[tuple[Address, ...], BrokerAddresses] = {}


def broker_addresses(addresses: Sequence[Address]) -> BrokerAddresses:
    """Return what this process knows of the addresses of this list."""
    return _OF_LISTS.setdefault(tuple(addresses), BrokerAddresses(addresses))
