"""One instance: its lock, its secrets, its ports."""

import fcntl
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.platform.settings import Settings
from services.devstack.doctor import packages
from services.devstack.instance import PREFERRED_PORTS, Instance, InstanceInUseError, acquire_instance, is_running


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    instance = acquire_instance(tmp_path)
    yield instance
    instance.release()


def test_a_second_one_takes_the_next_name(tmp_path: Path, instance: Instance) -> None:
    second = acquire_instance(tmp_path, or_next=True)
    assert [instance.name, second.name] == ["default", "default-2"]
    with pytest.raises(InstanceInUseError):
        acquire_instance(tmp_path)
    assert is_running(instance.folder)
    second.release()
    assert not is_running(second.folder)
    again = acquire_instance(tmp_path, or_next=True)
    assert again.name == "default-2"
    again.release()


def test_whoever_only_asks_whether_it_runs_refuses_nobody_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "default"
    folder.mkdir()
    with (folder / "lock").open("a") as asking:
        # As `is_running` does for an instant.
        fcntl.flock(asking, fcntl.LOCK_SH)
        threading.Timer(0.1, asking.close).start()
        instance = acquire_instance(tmp_path)
    assert is_running(folder)
    instance.release()


def test_secrets_stay_the_same_and_fit_the_settings(instance: Instance) -> None:
    kept = instance.secrets()
    assert instance.secrets() == kept
    assert Settings.model_validate(kept).development_secrets() == []
    # One that is missing (a later version asks for more) is added, the others stay.
    (instance.folder / "secrets.json").write_text(json.dumps({"master_key": kept["master_key"]}))
    assert instance.secrets()["master_key"] == kept["master_key"]
    assert instance.secrets()["token_keys"] != kept["token_keys"]


def test_ports_differ_are_remembered_and_give_way_when_taken(instance: Instance) -> None:
    chosen = instance.choose_ports({})
    assert chosen.keys() == PREFERRED_PORTS.keys()
    assert len({*chosen.values()}) == len(chosen)
    assert instance.choose_ports({}) == chosen
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", chosen["api_port"]))
        other.listen()
        changed = instance.choose_ports({})
    assert changed["api_port"] != chosen["api_port"]
    assert {name for name in chosen if chosen[name] != changed[name]} == {"api_port"}


def test_two_that_start_at_one_moment_share_no_port(tmp_path: Path, instance: Instance) -> None:
    # Nothing listens yet: without claims, the first would take the port on which the second is about to answer.
    chosen = instance.choose_ports({})
    choose = (
        "import pathlib, sys; from services.devstack.instance import acquire_instance as take;"
        "print(*take(pathlib.Path(sys.argv[1]), 'other').choose_ports({}).values())"
    )
    printed = subprocess.run([sys.executable, "-c", choose, tmp_path], capture_output=True, text=True, check=True)  # noqa: S603
    others = {int(port) for port in printed.stdout.split()}
    assert len(others) == len(chosen)
    assert not others & {*chosen.values()}
    beside = acquire_instance(tmp_path, "beside")
    assert not {*beside.choose_ports({}).values()} & {*chosen.values()}
    instance.release()
    (beside.folder / "ports.json").write_text(json.dumps(chosen))
    assert beside.choose_ports({}) == chosen, "free again with who had claimed it"
    beside.release()


def test_a_port_that_was_asked_for_is_taken_as_it_is(instance: Instance) -> None:
    assert instance.choose_ports({"api_port": 9999})["api_port"] == 9999


def test_every_port_is_a_setting() -> None:
    assert PREFERRED_PORTS.keys() <= Settings.model_fields.keys()


def test_a_broken_file_of_ports_is_made_anew(instance: Instance) -> None:
    (instance.folder / "ports.json").write_text('{"api_port": "eighty"')
    assert instance.choose_ports({})["api_port"] > 0


def test_the_doctor_names_packages_that_differ_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = [
        "# a comment",
        "pydantic==0.1 \\",
        "    --hash=sha256:0",
        "not-there==1.0 \\",
        "elsewhere==1 ; os_name == 'nt' \\",
    ]
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "requirements-demo.lock").write_text("\n".join(lock))
    monkeypatch.setattr("services.devstack.doctor.CHECKOUT", tmp_path)
    installed = packages()
    assert not installed.ok
    assert "not-there is missing" in installed.what
    assert "instead of 0.1" in installed.what
    assert "elsewhere" not in installed.what
    assert installed.mend == "run `make setup`"
