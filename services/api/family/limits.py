"""Charges of a route to its guardian, declared beside its access rule."""

from __future__ import annotations

from fastapi.params import Depends as Dependency

from services.api.dependencies import Work
from services.api.family.access import AnyCaller
from services.api.limits import depends_on
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits


def costs_guardian(limit: Limits) -> Dependency:
    """Return the dependency that charges each request to the guardian's limit."""

    async def pay(work: Work, caller: AnyCaller) -> None:
        await charge(work, Charge(limit, str(caller.guardian_id)))

    return depends_on(pay)
