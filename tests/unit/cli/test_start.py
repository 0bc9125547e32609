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


NOT_ANALYSED = """
from services.api.app import declare_routes
from services.api.declaring import indexed
import sys
routes = indexed(declare_routes().router.routes)
print(len(routes), sum("dependant" in vars(route) for route in routes), "services.protocol" in sys.modules)
"""


def test_the_api_starts_without_analysing_its_routes_and_without_the_models_of_watches() -> None:
    """A third of what its loading took. Each route is analysed by its first request, and all of them by the tests."""
    command = [sys.executable, "-c", NOT_ANALYSED]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)  # noqa: S603
    routes, analysed, loaded = done.stdout.split()
    assert int(routes) > 200
    assert (analysed, loaded) == ("0", "False")
