"""Find the Chromium of the journeys, or bring it from Debian's packages.

With root it is installed; without, its packages and theirs are unpacked into .tools/chromium of the checkout. Where
neither is possible the reason is raised: whoever asked decides whether that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_UNPACKED: Final = _CHECKOUT / ".tools" / "chromium"
# Debian's wrapper script reads settings of the desktop; the program itself needs none.
_PROGRAMS: Final = (
    "usr/lib/chromium/chromium",
    "usr/lib/chromium-browser/chromium-browser",
    "opt/google/chrome/chrome",
)
INSTALL: Final = "apt-get install --no-install-recommends chromium"


class NoBrowserError(Exception):
    """There is no Chromium, and it could not be brought; the message says why."""


def find_chromium() -> Path | None:
    """Return the program, of the system or unpacked before; None if there is none."""
    for root in (Path("/"), _UNPACKED):
        for program in _PROGRAMS:
            if (root / program).is_file():
                return root / program
    return None


def bring_chromium() -> Path:
    """Return the program, installed or unpacked now if there was none. Raises NoBrowserError."""
    found = find_chromium()
    if found is not None:
        return found
    if shutil.which("apt-get") is None:
        message = "no Chromium, and no apt-get to bring it"
        raise NoBrowserError(message)
    if os.geteuid() == 0:
        _install()
    else:
        _unpack()
    found = find_chromium()
    if found is None:
        message = f"Debian's packages brought no Chromium; with root: {INSTALL}"
        raise NoBrowserError(message)
    return found


def _install() -> None:
    _run("apt-get", "update", "-qq")
    _run(*INSTALL.split(), "-y", "-qq")


def _unpack() -> None:
    """Download Chromium and what it needs beyond this machine, and unpack it; nothing of the system is changed."""
    asked = _run("apt-get", "install", "--no-install-recommends", "--simulate", "chromium")
    names = [line.split()[1] for line in asked.splitlines() if line.startswith("Inst ")]
    downloads = _UNPACKED.with_name("chromium-packages")
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir(parents=True)
    _run("apt-get", "download", *names, cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        _run("dpkg", "-x", str(package), str(_UNPACKED))
    shutil.rmtree(downloads)


def library_path() -> str:
    """Return LD_LIBRARY_PATH for an unpacked Chromium; empty for one of the system."""
    found = find_chromium()
    if found is None or not found.is_relative_to(_UNPACKED):
        return ""
    folders = sorted({str(path.parent) for path in (_UNPACKED / "usr" / "lib").rglob("*.so*")})
    return ":".join(folders)


def _run(*command: str, cwd: Path | None = None) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        message = f"{' '.join(command[:3])} failed: {error.stderr.strip().splitlines()[-1:]}; with root: {INSTALL}"
        raise NoBrowserError(message) from error
    return done.stdout
