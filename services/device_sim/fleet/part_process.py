"""`python -m services.device_sim.fleet.part_process`: plays one part; plan on standard input, JSON lines on output."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from services.device_sim.fleet.part import FleetPart
from services.device_sim.fleet.plan import FleetPlan, Member


def _write_line(content: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(content) + "\n")
        sys.stdout.flush()
    except OSError:
        os._exit(1)  # the process that started this one is gone, and with it everybody who would read the result


def main() -> None:
    """Read the plan, play it, write the result."""
    given = json.load(sys.stdin)
    members = [Member(**fields) for fields in given["members"]]
    result = asyncio.run(FleetPart(members, FleetPlan.of(given["plan"]), _write_line).run())
    _write_line({"result": result.as_fields()})


if __name__ == "__main__":
    main()
