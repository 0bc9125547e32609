"""Errors of usage reports, exports and simulations."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class SimulationRefusedError(CoreError):
    """Simulated programmes are refused in production."""

    code = "simulation_refused"
    sentence = "Simulated families have no place in a production database."


class SimulationExistsError(CoreError):
    """A programme of the same plan was simulated before."""

    code = "simulation_exists"
    sentence = "This programme was simulated already; take another seed."


class UsageExportRunningError(RetryLaterError):
    """An export of this staff member is running already."""

    code = "usage_export_running"
    sentence = "Your file is being made. Wait until it is done before you ask for another."

    def __init__(self) -> None:
        super().__init__(30)


class UsageExportNotReadyError(CoreError):
    """The file is not ready, or has expired."""

    code = "usage_export_not_ready"
    sentence = "This file cannot be fetched: it is still being made, has failed, or its day is over."

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state

    def fields(self) -> dict[str, int | str]:
        """Return the state it is in."""
        return {"state": self.state}


class RecipientNotAllowedError(CoreError):
    """The role may not request files for this recipient."""

    code = "recipient_not_allowed"
    sentence = "Your role makes no files for this recipient."


class MappingNeededError(CoreError):
    """A DHIS2 data value set without its mapping, or a mapping for a file of another kind."""

    code = "mapping_needed"
    sentence = "A DHIS2 file, and no other, needs the ids of its data elements and organisation units."
