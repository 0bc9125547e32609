"""Set-up fetches from the mirrors of this machine: PIP_INDEX_URL for Python, the sources of apt for Debian."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.broker import binary

CHECKOUT = Path(__file__).parents[3]
sys.path.insert(0, str(CHECKOUT / "infra" / "setup"))

import bring_pip  # noqa: E402
import make_venv  # noqa: E402


class Mirror(http.server.BaseHTTPRequestHandler):
    """Has nothing, and notes what was asked for."""

    paths: list[str]

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by its base
        pass


@pytest.fixture
def mirror() -> Iterator[tuple[str, list[str]]]:
    """The address of a mirror on loopback, and what it was asked for."""
    paths: list[str] = []
    handler = type("Noting", (Mirror,), {"paths": paths})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def test_packages_of_python_come_from_the_index_of_this_machine(
    mirror: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, paths = mirror
    monkeypatch.setenv("PIP_INDEX_URL", f"{url}/simple")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    environment = make_venv.clean_environment(tmp_path)
    command = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--retries=0",
        "-d",
        str(tmp_path),
        "aiomqtt",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 - pip
    assert done.returncode != 0
    assert "/simple/aiomqtt/" in paths


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="a system without apt")
def test_packages_of_debian_come_from_the_sources_of_this_machine(
    mirror: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, paths = mirror
    sources = tmp_path / "sources.list"
    sources.write_text(f"deb [trusted=yes] {url}/debian bookworm main\n")
    configuration = tmp_path / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::SourceList "{sources}";\nDir::Etc::SourceParts "/dev/null";\n'
        'Acquire::http::Proxy "DIRECT";\nAcquire::Retries "0";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    packages = tmp_path / "pip-packages"
    packages.mkdir()
    private = bring_pip.private_apt(packages)
    environment = make_venv.clean_environment(tmp_path)
    command = [str(shutil.which("apt-get")), *private, "update"]
    subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603 - apt
    assert any(path.startswith("/debian/dists/bookworm/") for path in paths)
    # Mosquitto is brought by the same mirrors.
    paths.clear()
    with pytest.raises((ValueError, subprocess.CalledProcessError)):
        binary._bring_from_apt(tmp_path / "tools")  # noqa: SLF001 - without the packages that this machine has
    assert any(path.startswith("/debian/dists/bookworm/") for path in paths)
