"""What usage refuses."""

from __future__ import annotations

from services.core.errors import CoreError


class SimulationRefusedError(CoreError):
    """A simulated programme in production."""

    code = "simulation_refused"
    sentence = "Simulated families have no place in a production database."


class SimulationExistsError(CoreError):
    """The same plan was simulated before."""

    code = "simulation_exists"
    sentence = "This programme was simulated already; take another seed."
