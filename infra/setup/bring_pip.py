"""A pip for `.venv`, also where Debian's python3-venv is not installed. Standard library only.

Tried in this order, and each announced before it is done:
  already there          an earlier set-up has brought it
  Python's own ensurepip nothing is fetched
  the system's pip       it can install into another environment (pip 22.3 and newer); nothing is fetched
  the system's package   downloaded and unpacked below .tools, without root; nothing is installed
  the package manager    only as root: installs python3-venv
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

Announce = Callable[[str], None]
Command = list[str | Path]


class NoPipError(Exception):
    """No way to a pip was left; the message says what to install."""


def bring_pip(checkout: Path, announce: Announce, environment: Mapping[str, str]) -> Command:
    """The command that installs into .venv. A repeat finds what the first run brought."""
    python = checkout / ".venv" / "bin" / "python"
    ways = (already_there, ensurepip, pip_of_the_system, package_unpacked, package_installed)
    for way in ways:
        if command := way(checkout, python, announce, environment):
            return command
    raise NoPipError(
        "no pip could be found or brought. Install it and run the same command again "
        "(Debian, Ubuntu: apt install python3-venv; Fedora: dnf install python3-pip; Alpine: apk add py3-pip)."
    )


def already_there(_: Path, python: Path, _announce: Announce, environment: Mapping[str, str]) -> Command | None:
    command: Command = [python, "-I", "-m", "pip"]
    return command if succeeds([*command, "--version"], environment) else None


def ensurepip(_: Path, python: Path, announce: Announce, environment: Mapping[str, str]) -> Command | None:
    if not succeeds([python, "-I", "-c", "import ensurepip"], environment):
        return None
    announce("pip comes with this Python")
    if not succeeds([python, "-I", "-m", "ensurepip", "--default-pip"], environment):
        return None
    return [python, "-I", "-m", "pip"]


def pip_of_the_system(_: Path, python: Path, announce: Announce, environment: Mapping[str, str]) -> Command | None:
    system = system_python(python, environment)
    command: Command = [system, "-I", "-m", "pip", "--python", python]
    if not succeeds([*command, "--version"], environment):
        return None
    announce(f"python3-venv is not installed: using the pip of {system} to install into .venv")
    return command


def package_unpacked(
    checkout: Path, python: Path, announce: Announce, environment: Mapping[str, str]
) -> Command | None:
    """Debian and Ubuntu: pip as a wheel, from the package python3-pip-whl, unpacked and not installed."""
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return None
    folder = checkout / ".tools" / "pip"
    wheel = find_wheel(folder)
    if wheel is None:
        announce("python3-venv is not installed: unpacking the package python3-pip-whl into .tools/pip")
        download_package("python3-pip-whl", folder, announce, environment)
        wheel = find_wheel(folder)
    if wheel is None:
        return None
    # A wheel is a zip that Python can run from: pip installs itself from its own wheel, without an index.
    itself: Command = [python, "-I", wheel / "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    return [python, "-I", "-m", "pip"] if succeeds(itself, environment) else None


def package_installed(_: Path, python: Path, announce: Announce, environment: Mapping[str, str]) -> Command | None:
    if os.geteuid() != 0:
        return None
    for program, command in (
        ("apt-get", ["apt-get", "install", "-y", "python3-venv"]),
        ("dnf", ["dnf", "install", "-y", "python3-pip"]),
        ("apk", ["apk", "add", "py3-pip"]),
    ):
        if shutil.which(program):
            announce(f"as root, on this machine: {' '.join(command)}")
            subprocess.run(command, check=False, env=dict(environment) | {"DEBIAN_FRONTEND": "noninteractive"})
            break
    system = system_python(python, environment)
    if succeeds([python, "-I", "-m", "ensurepip", "--default-pip"], environment):
        return [python, "-I", "-m", "pip"]
    return [system, "-I", "-m", "pip", "--python", python] if succeeds([system, "-m", "pip"], environment) else None


# ------------------------------------------------------------------------- pieces


def succeeds(command: Command, environment: Mapping[str, str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, env=dict(environment)).returncode == 0
    except OSError:
        return False


def system_python(python: Path, environment: Mapping[str, str]) -> str:
    """The Python .venv was made from: inside .venv its pip is hidden."""
    script = "import sys; print(sys._base_executable)"
    done = subprocess.run(
        [python, "-I", "-c", script], capture_output=True, text=True, check=True, env=dict(environment)
    )
    return done.stdout.strip()


def find_wheel(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("usr/share/python-wheels/pip-*.whl"))), None)


def download_package(name: str, folder: Path, announce: Announce, environment: Mapping[str, str]) -> None:
    """Unpack a Debian package below a folder of the checkout, with package lists of our own if the system has none.

    Works as a normal user and changes nothing outside. Leaves nothing behind when it fails.
    """
    packages = folder.with_name(folder.name + "-packages")
    packages.mkdir(parents=True, exist_ok=True)
    private = private_apt(packages)
    downloaded = try_download(name, packages, [], environment)
    if not downloaded:
        announce("the system's package lists are missing or old: fetching lists of our own into .tools")
        # Its exit code says little: one foreign source that fails spoils it for all.
        subprocess.run(["apt-get", *private, "update"], capture_output=True, check=False, env=dict(environment))
        downloaded = try_download(name, packages, private, environment)
    for package in downloaded:
        subprocess.run(["dpkg", "-x", package, folder], check=True, env=dict(environment))
    shutil.rmtree(packages, ignore_errors=True)


def try_download(name: str, packages: Path, options: list[str], environment: Mapping[str, str]) -> list[Path]:
    command = ["apt-get", *options, "download", name]
    subprocess.run(command, cwd=packages, capture_output=True, check=False, env=dict(environment))
    return sorted(packages.glob(f"{name}_*.deb"))


def private_apt(packages: Path) -> list[str]:
    """Options that keep apt's lists and caches in our folder, and its sandbox user out of it."""
    state, cache = packages / "state", packages / "cache"
    for part in (state / "lists" / "partial", cache / "archives" / "partial"):
        part.mkdir(parents=True, exist_ok=True)
    status = "Dir::State::status=/var/lib/dpkg/status"
    return ["-o", f"Dir::State={state}", "-o", status, "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User="]
