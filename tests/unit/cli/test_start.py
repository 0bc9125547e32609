"""What a process does not load when it starts: libraries that few of its tasks need, or none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
PROCESSES = ("services.api.http_server", "services.broker.main", "services.mqtt_bridge.main", "services.worker.main")
# Together 0.4 s of a processor and 35 MB a process.
SPARED = {"alembic", "av", "fpdf", "jinja2", "markdown_it", "numpy", "openpyxl", "rich", "shapely", "xlsxwriter"}
LOAD = f"""
import importlib, sys
from services.cli.run import without_rich
with without_rich():
    for name in ("services.core.platform.log", *{PROCESSES}):
        importlib.import_module(name)
print(*sys.modules)
"""


def test_no_process_loads_at_its_start_what_it_may_never_need() -> None:
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert not SPARED & set(done.stdout.split())
