"""What a route costs, declared beside its access rule: paid before anything else is done, or answered 429."""

from __future__ import annotations

from fastapi import Depends
from fastapi.params import Depends as Dependency

from services.api.client_address import ClientAddress
from services.api.dependencies import Work
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits


def costs_address(limit: Limits) -> Dependency:
    """Return the dependency by which each request takes one token of the address it came from."""

    async def pay(work: Work, address: ClientAddress) -> None:
        await charge(work, Charge(limit, address))

    return depends_on(pay)


def depends_on(pay: object) -> Dependency:
    """Return ``pay`` as the dependency that a route declares in its decorator."""
    found: Dependency = Depends(pay)  # type: ignore[arg-type]
    return found
