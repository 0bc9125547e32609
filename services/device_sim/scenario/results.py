"""Results of scenarios: a table for people, JSON to replay from, JUnit for a build server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from services.device_sim.scenario.document import Scenario, ScenarioError, read_scenario
from services.device_sim.scenario.runner import Result

_NAME_WIDTH = 34


def as_table(results: Sequence[Result]) -> list[str]:
    """Return one line a scenario, and the fault of each failed one below."""
    lines = [f"{'scenario':<{_NAME_WIDTH}} {'families':>8} {'steps':>6} {'seconds':>8}  outcome"]
    for result in results:
        outcome = "failed" if result.fault else "passed"
        played, of = len(result.steps), len(result.scenario.steps)
        lines.append(
            f"{result.scenario.name[:_NAME_WIDTH]:<{_NAME_WIDTH}} {result.scenario.families:>8} "
            f"{played if played == of else f'{played}/{of}':>6} {result.lasted_s:>8.1f}  {outcome}"
        )
        if result.fault:
            lines.append(f"    {result.fault}")
    failed = sum(bool(result.fault) for result in results)
    lines.append(f"{len(results) - failed} passed, {failed} failed")
    return lines


def as_json(results: Sequence[Result]) -> str:
    """Return results as JSON, with everything that a replay needs."""
    return json.dumps({"scenarios": [_values(result) for result in results]}, ensure_ascii=False, indent=2) + "\n"


def _values(result: Result) -> dict[str, Any]:
    return {
        "name": result.scenario.name,
        "seed": result.scenario.seed,
        "outcome": "failed" if result.fault else "passed",
        "fault": result.fault,
        "seconds": round(result.lasted_s, 2),
        "steps": [
            {"line": step.step.line, "step": step.step.shown, "seconds": round(step.lasted_s, 2), "fault": step.fault}
            for step in result.steps
        ],
        "trace": result.trace.splitlines(),
        "file": result.scenario.text,
    }


def scenarios_of(results: str, source: str) -> list[Scenario]:
    """Return the failed scenarios of a results file, or all where none failed; raises ScenarioError."""
    try:
        entries = json.loads(results)["scenarios"]
        failed = [entry for entry in entries if entry["outcome"] == "failed"] or entries
        return [read_scenario(entry["file"], f"{source}: {entry['name']}") for entry in failed]
    except (ValueError, KeyError, TypeError):
        raise ScenarioError(f"{source}:1:1: this is no file of results") from None


def as_junit(results: Sequence[Result]) -> str:
    """Return results as a JUnit file: a case a scenario."""
    failed = sum(bool(result.fault) for result in results)
    suite = ET.Element("testsuite", name="scenarios", tests=str(len(results)), failures=str(failed))
    for result in results:
        case = ET.SubElement(
            suite, "testcase", classname="scenario", name=result.scenario.name, time=f"{result.lasted_s:.2f}"
        )
        if result.fault:
            ET.SubElement(case, "failure", message=_printable(result.fault)).text = _printable(result.trace)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """Return a text without characters that XML 1.0 forbids."""
    return "".join(character if character >= " " or character in "\n\t" else "\ufffd" for character in text)
