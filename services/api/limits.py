"""Charges of a route, declared beside its access rule: a request over the limit is answered 429 first of all."""

from __future__ import annotations

from fastapi import Depends
from fastapi.params import Depends as Dependency

from services.api.client_address import ClientAddress
from services.api.dependencies import Work
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits


def costs_address(limit: Limits) -> Dependency:
    """Return the dependency that charges each request to the limit of its address."""

    async def pay(work: Work, address: ClientAddress) -> None:
        await charge(work, Charge(limit, address))

    return depends_on(pay)


def depends_on(pay: object) -> Dependency:
    """Return ``pay`` as the dependency that a route declares in its decorator."""
    dependency: Dependency = Depends(pay)  # type: ignore[arg-type]
    return dependency
