"""Dashboard and alert rules: checked by Prometheus' own tool, and against the metrics that the product has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from services.api import request_metrics
from services.broker import gate, metrics_page
from services.broker.external import kicks
from services.broker.external import server as external_server
from services.core.platform.metrics.registry import REGISTRY
from services.mqtt_bridge import main as bridge
from services.watch_link import replies
from services.worker import main as worker
from tests.support.debian_programs import Program, program

CHECKOUT = Path(__file__).parents[3]
FOLDER = CHECKOUT / "infra" / "monitoring"
# Loaded so that their counters are registered.
MODULES = (request_metrics, gate, metrics_page, kicks, external_server, bridge, replies, worker)
OF_PROMETHEUS = {
    "up",
    "process_open_fds",
    "process_max_fds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
}


@pytest.fixture(scope="module")
def promtool() -> Program:
    return program("promtool", "prometheus")


def expressions() -> list[str]:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]] + [
        rule["expr"] for group in groups for rule in group["rules"]
    ]


def known_metrics() -> set[str]:
    """Return every name of the product: of counters and histograms here, of gauges where they are written."""
    names = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    for family in REGISTRY.collect():
        if family.type == "histogram":
            names |= {f"{family.name}_{end}" for end in ("bucket", "count", "sum")}
        if family.type == "counter":
            names.add(f"{family.name}_total")
    written = "\n".join(path.read_text() for path in (CHECKOUT / "services").rglob("*.py"))
    gauges = set(re.findall(r'page\.gauge\(\s*"(\w+)"', written)) | {"disk_free_bytes", "disk_size_bytes"}
    return names | {f"smartwatch_{name}" for name in gauges}


def test_rules_are_valid_and_fire_when_they_should(promtool: Program) -> None:
    for arguments in (("check", "rules", "alerts.yaml"), ("test", "rules", "alerts.test.yaml")):
        done = promtool.run(*arguments, folder=FOLDER)
        assert done.returncode == 0, done.stdout + done.stderr
    done = promtool.run("check", "config", "--syntax-only", "prometheus.yaml", folder=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_panel_has_a_valid_expression(promtool: Program, tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions())]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = promtool.run("check", "rules", "panels.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard_and_rules_use_metrics_that_exist() -> None:
    used = {
        name for expression in expressions() for name in re.findall(r"\b(?:smartwatch|process)_\w+|\bup\b", expression)
    }
    assert used - known_metrics() - OF_PROMETHEUS == set()
    assert len(used) > 25
