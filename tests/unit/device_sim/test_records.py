"""The records of the simulated parent are those of the API's document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
RECORDS = CHECKOUT / "services" / "device_sim" / "parent" / "records.py"


def test_the_records_are_made_from_the_openapi_document() -> None:
    command = [sys.executable, "infra/openapi_records.py"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT).stdout  # noqa: S603 - ours
    assert RECORDS.read_text(encoding="utf-8") == made, "write them anew: make records"
