"""infra/compose.cluster.yaml beside infra/compose.yaml, checked without a container engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from services.cli.commands import app
from services.core.platform.settings import Settings

CHECKOUT = Path(__file__).parents[3]
INFRA = CHECKOUT / "infra"
SCHEMA = CHECKOUT / "tests" / "vectors" / "compose-spec" / "compose-spec.schema.json"
NODES = ("rabbit-1", "rabbit-2", "rabbit-3")


class _Loader(yaml.SafeLoader):
    """Reads `!reset` of compose, which empties what an earlier file said."""


_Loader.add_constructor("!reset", lambda _loader, _node: [])


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((INFRA / "compose.cluster.yaml").read_text(), Loader=_Loader)  # noqa: S506 - a safe loader
    return loaded


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text())
    return loaded


def test_it_fits_the_published_schema(compose: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(compose)


def test_what_it_changes_is_there_and_every_setting_exists(compose: dict[str, Any], base: dict[str, Any]) -> None:
    known = {f"SMARTWATCH_{name.upper()}" for name in Settings.model_fields}
    changed = compose["services"].keys() - set(NODES)
    assert changed == {"broker", "api", "bridge", "worker"} <= base["services"].keys()
    for name in changed:
        settings = compose["services"][name]["environment"]
        assert settings.keys() <= known
        assert settings["SMARTWATCH_BROKER"] == "external"
        Settings.model_validate({key.removeprefix("SMARTWATCH_").lower(): value for key, value in settings.items()})
    command: Any = typer.main.get_command(app)
    assert compose["services"]["broker"]["command"][0] in command.commands
    assert compose["services"]["broker"]["ports"] == []


def test_nodes_publish_the_watches_port_only_and_their_files_exist(compose: dict[str, Any]) -> None:
    published = [port for node in NODES for port in compose["services"][node].get("ports", ())]
    assert [port.rpartition(":")[2] for port in published] == ["8883"]
    for node in NODES:
        service = compose["services"][node]
        assert service["hostname"] == node
        # The health check's tool needs the cookie of the node.
        cookie = service["environment"]["RABBITMQ_ERLANG_COOKIE"]
        assert service["environment"]["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] == f"-setcookie {cookie}"
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert not source.startswith("./") or (INFRA / source).is_file()


def test_every_variable_has_a_value_or_is_asked_for_where_an_operator_reads_of_it(base: dict[str, Any]) -> None:
    text = (INFRA / "compose.cluster.yaml").read_text()
    head = text[: text.index("name: smartwatch")]
    written = (INFRA / "setup" / "make_secrets.py").read_text()
    for name, mode in re.findall(r"\$\{(\w+)(:\?|:-|-)?", text):
        assert mode, f"{name} could be empty"
        assert mode != ":?" or name in head or f"{name}=" in written, name
    assert base["name"] == yaml.load(text, Loader=_Loader)["name"]  # noqa: S506 - a safe loader


def test_each_file_a_node_reads_is_mounted_where_it_reads_it(compose: dict[str, Any]) -> None:
    place = (INFRA / "rabbitmq" / "containers.conf").read_text()
    shipped = (INFRA / "rabbitmq" / "rabbitmq.conf").read_text()
    read = re.findall(r" = (/\S+)$", place + shipped, re.MULTILINE)
    assert "/etc/rabbitmq/definitions.json" in read
    head = (INFRA / "compose.cluster.yaml").read_text().partition("name: smartwatch")[0]
    for node in NODES:
        mounts = dict(
            volume.removesuffix(":ro").rpartition(":")[::2] for volume in compose["services"][node]["volumes"]
        )
        targets = {target: source for source, target in mounts.items()}
        # Where the image looks without being told: its configuration, the place's, the plugins, its data.
        assert targets["/etc/rabbitmq/rabbitmq.conf"] == "./rabbitmq/rabbitmq.conf"
        assert targets["/etc/rabbitmq/conf.d/20-place.conf"] == "./rabbitmq/containers.conf"
        assert targets["/etc/rabbitmq/enabled_plugins"] == "./rabbitmq/enabled_plugins"
        assert targets["/var/lib/rabbitmq"] == node
        assert node in compose["volumes"]
        for path in read:
            folder, _, name = path.rpartition("/")
            assert path in targets or (folder in targets and name in head), path


def test_nodes_endpoint_and_bridges_share_a_network(compose: dict[str, Any], base: dict[str, Any]) -> None:
    for node in NODES:
        service = compose["services"][node]
        assert set(service["networks"]) <= base["networks"].keys()
        assert "inside" in service["networks"]
    for name in ("broker", "bridge"):
        assert "inside" in base["services"][name]["networks"]


def test_the_endpoint_that_nodes_ask_exists_twice(compose: dict[str, Any], base: dict[str, Any]) -> None:
    """One name for both: nothing of the service may belong to one container, a published port least of all."""
    assert compose["services"]["broker"]["scale"] == 2
    assert "container_name" not in base["services"]["broker"]
    health = base["services"]["broker"]["healthcheck"]["test"][-1]
    assert f"127.0.0.1:{Settings.model_fields['broker_health_port'].default}/readyz" in health


def test_the_nodes_are_told_of_each_other_and_of_the_endpoint(compose: dict[str, Any]) -> None:
    lines = dict(re.findall(r"^(\S+) = (\S+)$", (INFRA / "rabbitmq" / "containers.conf").read_text(), re.MULTILINE))
    named = [value for key, value in lines.items() if key.startswith("cluster_formation.classic_config.nodes.")]
    assert named == [f"rabbit@{node}" for node in NODES]
    inner = compose["services"]["bridge"]["environment"]["SMARTWATCH_BROKER_ADDRESSES"]
    assert inner == ",".join(f"{node}:{lines['mqtt.listeners.tcp.inner']}" for node in NODES)
    port = Settings.model_fields["broker_auth_port"].default
    for path in ("user", "vhost", "resource", "topic"):
        assert lines[f"auth_http.{path}_path"] == f"http://broker:{port}/rabbitmq/{path}"
    shipped = (INFRA / "rabbitmq" / "rabbitmq.conf").read_text()
    assert not {line.partition(" = ")[0] for line in shipped.splitlines() if " = " in line} & lines.keys()
