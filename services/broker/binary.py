"""Finds Mosquitto on this machine, or unpacks it into the checkout without changing the machine."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from services.broker.errors import MosquittoMissingError

# Programs downloaded for this checkout; `rm -r .tools` removes them.
TOOLS = Path(__file__).resolve().parents[2] / ".tools"
# 2.0.11 (Debian 12) is the oldest version that the configuration was tested on.
_OLDEST = (2, 0, 11)
_PACKAGES = ("mosquitto", "mosquitto-clients")
# Libraries that Debian 12 and Ubuntu 22.04 to 24.04 link it with and a bare system lacks; used where apt cannot say.
_USUAL_LIBRARIES = ("libmosquitto1", "libcjson1", "libdlt2", "libwrap0")
_COMMANDS = ("mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_rr")
_OTHER_SYSTEMS = {
    "dnf": "dnf install -y mosquitto",
    "apk": "apk add mosquitto mosquitto-clients",
    "zypper": "zypper --non-interactive install mosquitto mosquitto-clients",
    "pacman": "pacman -S --noconfirm mosquitto",
    "brew": "brew install mosquitto",
}
_DEADLINE_S = 300.0

Announce = Callable[[str], None]


def library_folders(binary: Path) -> list[Path]:
    """Return the folders of the libraries that were unpacked with ``binary``; none for an installed one."""
    root = binary.resolve().parents[2]
    if not (root / "brought").is_file():
        return []
    return sorted({path.parent for path in root.glob("usr/lib/**/*.so*")})


def mosquitto_version(binary: Path) -> tuple[int, ...] | None:
    """Return the version that the program prints, such as (2, 0, 11); None if it cannot be started."""
    environment = dict(os.environ)
    if folders := library_folders(binary):
        environment["LD_LIBRARY_PATH"] = ":".join(str(folder) for folder in folders)
    try:
        # It prints its version and exits with another code than 0.
        printed = subprocess.run(  # noqa: S603 - the program this function is asked about
            [binary, "-h"], env=environment, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"version (\d+)\.(\d+)\.(\d+)", printed.stdout + printed.stderr)
    return None if version is None else tuple(int(part) for part in version.groups())


def find_mosquitto(configured: str = "", tools: Path = TOOLS) -> Path | None:
    """Return the configured Mosquitto, else one on PATH, in a system folder or unpacked here; None if there is none.

    Versions before 2.0.11 are ignored, unless configured.
    """
    if configured:
        return Path(configured).absolute() if Path(configured).is_file() else None
    places = [shutil.which("mosquitto"), *(f"{place}/mosquitto" for place in _system_folders())]
    for place in (*places, f"{tools}/mosquitto/usr/sbin/mosquitto"):
        binary = Path(place or "/nowhere")
        if binary.is_file() and (mosquitto_version(binary) or ()) >= _OLDEST:
            return binary.absolute()
    return None


def find_clients(tools: Path = TOOLS) -> Path | None:
    """Return the folder of ``mosquitto_pub`` and ``mosquitto_sub``, installed or unpacked here; None if missing."""
    client = shutil.which("mosquitto_pub")
    if client:
        return Path(client).parent
    brought = tools / "mosquitto/bin"
    return brought if (brought / "mosquitto_pub").is_file() else None


def fetch_mosquitto(announce: Announce, tools: Path = TOOLS) -> Path:
    """Return a Mosquitto, downloaded when there is none; ``announce`` gets one line before each download.

    The system's packages are unpacked into ``tools``, which needs no root and changes nothing outside. Where that
    fails, and only as root, the package manager installs it. Raises MosquittoMissingError with a remedy.
    A repeat finds the first one; of two concurrent calls one downloads.
    """
    with _one_at_a_time(tools, announce):
        installed = find_mosquitto(tools=tools)
        if installed is not None:
            return installed
        reason = "this system has no apt-get and dpkg-deb"
        if shutil.which("apt-get") and shutil.which("dpkg-deb"):
            announce(f"Mosquitto: not installed; unpacking this system's packages into {tools / 'mosquitto'}")
            try:
                return _bring_from_apt(tools)
            except (OSError, subprocess.SubprocessError, ValueError) as error:
                reason = f"unpacking the system's packages failed: {_last_line(error)}"
        return _install(announce, reason)


def _system_folders() -> Iterator[str]:
    # sbin is not on a normal user's PATH on Debian.
    yield from ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/mosquitto/sbin")


def _last_line(error: Exception) -> str:
    output = (error.stderr if isinstance(error, subprocess.CalledProcessError) else "") or str(error)
    lines = [line for line in str(output).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


@contextlib.contextmanager
def _one_at_a_time(tools: Path, announce: Announce) -> Iterator[None]:
    try:
        tools.mkdir(parents=True, exist_ok=True)
        lock = os.open(tools / "mosquitto.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise MosquittoMissingError(
            f"{tools} cannot be written", "Install mosquitto, or make the checkout writable"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce("Mosquitto: another process is downloading it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _run(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(  # noqa: S603 - commands of this file only
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_DEADLINE_S, check=True
    )


def _bring_from_apt(tools: Path) -> Path:
    """Download the missing packages and unpack them; one rename puts the finished folder in place."""
    work = tools / f".mosquitto.{secrets.token_hex(6)}"
    root = work / "root"
    packages = work / "packages"
    for folder in (root, packages, work / "cache/archives/partial", work / "lists/partial"):
        folder.mkdir(parents=True)
    try:
        # As root, apt downloads as the user _apt, which cannot enter a checkout in root's home.
        private = ["-o", f"Dir::Cache={work / 'cache'}", "-o", "APT::Sandbox::User=root", "-q"]
        try:
            _download(["apt-get", *private], packages)
        except subprocess.CalledProcessError:
            # The system's package lists are missing or outdated: load lists into a folder of the checkout.
            private += ["-o", f"Dir::State::Lists={work / 'lists'}"]
            complaints = _run(["apt-get", *private, "update"], packages).stderr
            try:
                _download(["apt-get", *private], packages)
            except subprocess.CalledProcessError as error:
                # `apt-get update` succeeds without any server; the packages are missing only afterwards.
                reason = next((line for line in complaints.splitlines() if line[:2] in {"E:", "W:"}), None)
                raise ValueError(reason or _last_line(error)) from error
        for package in sorted(packages.glob("*.deb")):
            _run(["dpkg-deb", "-x", package, root], packages)
        _link_libraries(root)
        _add_wrappers(root)
        (root / "brought").write_text(time.strftime("brought %Y-%m-%d from the packages of this system\n"))
        if (mosquitto_version(root / "usr/sbin/mosquitto") or ()) < _OLDEST:
            raise ValueError(f"the system's Mosquitto does not run, or is older than {'.'.join(map(str, _OLDEST))}")
        target = tools / "mosquitto"
        if target.exists():  # unfinished or too old, or find_mosquitto would have found it
            target.rename(work / "old")
        root.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tools / "mosquitto/usr/sbin/mosquitto"


def _download(apt: Sequence[str | Path], packages: Path) -> None:
    """Download Mosquitto, its clients and the libraries that this system lacks."""
    try:
        plan = _run([*apt, "install", "--simulate", "--no-install-recommends", *_PACKAGES], packages).stdout
        names = [name for name in re.findall(r"^Inst (\S+)", plan, re.MULTILINE) if name.startswith(("lib", "mosq"))]
    except subprocess.CalledProcessError:
        # The package state of this machine is inconsistent: download the usual libraries.
        names = [*_PACKAGES, *_USUAL_LIBRARIES]
    # apt plans nothing for packages that are installed, also when they are too old or broken.
    names = sorted({*names, *_PACKAGES, "libmosquitto1"})
    _run([*apt, "download", *names], packages)


def _link_libraries(root: Path) -> None:
    """Make the short names of libraries, which some packages leave to the system's ldconfig."""
    ldconfig = shutil.which("ldconfig", path=f"{os.environ.get('PATH', os.defpath)}:/sbin:/usr/sbin")
    if ldconfig is not None:
        for folder in sorted({path.parent for path in root.glob("usr/lib/**/*.so*")}):
            _run([ldconfig, "-n", folder], root)


def _add_wrappers(root: Path) -> None:
    """Make ``bin/mosquitto_pub`` and the like, for people at a terminal, which find the libraries beside them."""
    bin_folder = root / "bin"
    bin_folder.mkdir()
    folders = sorted({path.parent.relative_to(root) for path in root.glob("usr/lib/**/*.so*")})
    libraries = ":".join(f'"$here"/{shlex.quote(str(folder))}' for folder in folders)
    for name in _COMMANDS:
        for program in (path for path in (root / "usr/sbin" / name, root / "usr/bin" / name) if path.is_file()):
            wrapper = bin_folder / name
            wrapper.write_text(
                "#!/bin/sh\n"
                'here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)\n'
                f"export LD_LIBRARY_PATH={libraries}\n"
                f'exec "$here"/{program.relative_to(root)} "$@"\n'
            )
            wrapper.chmod(0o755)


def _install(announce: Announce, reason: str) -> Path:
    """Install it with this system's package manager, as root; otherwise raise with the command to run."""
    managers = {"apt-get": f"apt-get install -y --no-install-recommends {' '.join(_PACKAGES)}"} | _OTHER_SYSTEMS
    manager = next((name for name in managers if shutil.which(name)), None)
    if manager is None:
        raise MosquittoMissingError(
            f"Mosquitto is missing, {reason}, and {platform.system()} here has no known package manager",
            "Install Mosquitto 2 (https://mosquitto.org/download) or set SMARTWATCH_MOSQUITTO_BINARY",
        )
    command = managers[manager]
    as_root = os.geteuid() == 0
    if as_root == (manager == "brew"):  # brew refuses root, all others need it
        raise MosquittoMissingError(
            f"Mosquitto is missing, and {reason}", f"Run: {'' if as_root else 'sudo '}{command}"
        )
    announce(
        f"Mosquitto: {reason}; installing it on this machine: {command} (the package may start a service of its own)"
    )
    try:
        if manager == "apt-get":
            _run(["apt-get", "update"], Path("/"))
        _run(shlex.split(command), Path("/"))
    except (OSError, subprocess.SubprocessError) as error:
        raise MosquittoMissingError(
            f"`{command}` failed: {_last_line(error)}", "Install Mosquitto 2 by hand or set SMARTWATCH_MOSQUITTO_BINARY"
        ) from error
    installed = find_mosquitto()
    if installed is None:
        raise MosquittoMissingError(
            f"`{command}` installed no Mosquitto of version 2.0.11 or newer", "Install a newer one"
        )
    return installed
