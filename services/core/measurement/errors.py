"""What usage refuses."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class SimulationRefusedError(CoreError):
    """A simulated programme in production."""

    code = "simulation_refused"
    sentence = "Simulated families have no place in a production database."


class SimulationExistsError(CoreError):
    """The same plan was simulated before."""

    code = "simulation_exists"
    sentence = "This programme was simulated already; take another seed."


class UsageExportRunningError(RetryLaterError):
    """One export of this staff member is being made already."""

    code = "usage_export_running"
    sentence = "Your file is being made. Wait until it is done before you ask for another."

    def __init__(self) -> None:
        super().__init__(30)


class UsageExportNotReadyError(CoreError):
    """The file is not there yet, or not any more."""

    code = "usage_export_not_ready"
    sentence = "This file cannot be fetched: it is still being made, has failed, or its day is over."

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state

    def fields(self) -> dict[str, int | str]:
        """Return the state it is in."""
        return {"state": self.state}


class RecipientNotAllowedError(CoreError):
    """A file for somebody whom this role makes no files for."""

    code = "recipient_not_allowed"
    sentence = "Your role makes no files for this recipient."


class MappingNeededError(CoreError):
    """A DHIS2 data value set without what DHIS2 calls things, or a mapping for a file that has none."""

    code = "mapping_needed"
    sentence = "A DHIS2 file, and no other, needs the ids of its data elements and organisation units."
