"""The library: the scenario files that come with the simulator."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from services.device_sim.scenario.document import Scenario, ScenarioError, read_scenario


def library() -> dict[str, Scenario]:
    """Return every scenario of the library by its name on the command line."""
    folder = resources.files("services.device_sim.scenario") / "library"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): read_scenario(file.read_text(encoding="utf-8"), file.name) for file in files
    }


def find_scenario(name: str) -> Scenario:
    """Return a scenario of the library, or of a file; raises ScenarioError."""
    known = library()
    if name in known:
        return known[name]
    try:
        return read_scenario(Path(name).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError):
        raise ScenarioError(f"{name}: no such file, and no scenario of the library: {', '.join(known)}") from None
