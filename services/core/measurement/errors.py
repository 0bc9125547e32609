"""Errors of usage reports, exports and simulations."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class SimulationRefusedError(CoreError):
    """Simulated programmes are refused in production."""

    code = "simulation_refused"
    sentence = "Simulated families are not allowed in a production database."


class SimulationExistsError(CoreError):
    """A programme of the same plan was simulated before."""

    code = "simulation_exists"
    sentence = "This programme was already simulated. Use another seed."


class UsageExportRunningError(RetryLaterError):
    """An export of this staff member is running already."""

    code = "usage_export_running"
    sentence = "Your file is in progress. Wait until it is complete before you request another one."

    def __init__(self) -> None:
        super().__init__(30)


class UsageExportNotReadyError(CoreError):
    """The file is not ready, or has expired."""

    code = "usage_export_not_ready"
    sentence = "The file cannot be downloaded: it is in progress, has failed, or has expired."

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state

    def fields(self) -> dict[str, int | str]:
        """Return the state it is in."""
        return {"state": self.state}


class RecipientNotAllowedError(CoreError):
    """The role may not request files for this recipient."""

    code = "recipient_not_allowed"
    sentence = "Your role is not allowed to create files for this recipient."


class MappingNeededError(CoreError):
    """A DHIS2 data value set without its mapping, or a mapping for a file of another kind."""

    code = "mapping_needed"
    sentence = "A DHIS2 file needs the ids of its data elements and organisation units. Other files do not accept them."
