"""Find the Chromium of the journeys, or bring it from Debian's packages.

With root it is installed; without, its packages and theirs are unpacked into .tools/chromium of the checkout. Where
neither is possible the reason is raised: whoever asked decides whether that is a failure.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_UNPACKED: Final = _CHECKOUT / ".tools" / "chromium"
_LOCK: Final = _UNPACKED.with_name("chromium.lock")
# Debian's wrapper script reads settings of the desktop; the program itself needs none.
_PROGRAMS: Final = (
    "usr/lib/chromium/chromium",
    "usr/lib/chromium-browser/chromium-browser",
    "opt/google/chrome/chrome",
)
# Without a font a browser stops; the smallest family that has all letters of our languages but Chinese.
_FONT: Final = "fonts-dejavu-core"
INSTALL: Final = f"apt-get install --no-install-recommends chromium {_FONT}"
_PLAN: Final = ("install", "--no-install-recommends", "--simulate", "chromium", _FONT)
_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><dir>/usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
"""


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
    chromium = find_chromium()
    if chromium is not None:
        return chromium
    if shutil.which("apt-get") is None:
        message = "no Chromium, and no apt-get to bring it"
        raise NoBrowserError(message)
    _LOCK.parent.mkdir(parents=True, exist_ok=True)
    # Tests of several processes ask at once: the first brings it for all.
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        chromium = find_chromium()
        if chromium is None and os.geteuid() == 0:
            _install()
        elif chromium is None:
            _unpack()
    chromium = find_chromium()
    if chromium is None:
        message = f"Debian's packages brought no Chromium; with root: {INSTALL}"
        raise NoBrowserError(message)
    return chromium


def _install() -> None:
    # Another program of the system may be installing something.
    patient = ("-o", "DPkg::Lock::Timeout=300", "-qq")
    _run("apt-get", *patient, "update")
    _run(*INSTALL.split(), "-y", *patient)


def _unpack() -> None:
    """Download Chromium and what it needs beyond this machine, and unpack it; nothing of the system is changed.

    A user without root cannot refresh the system's lists of packages, which a small machine does not even have: where
    they do not know Chromium, lists of our own are brought.
    """
    downloads = _UNPACKED.with_name("chromium-packages")
    shutil.rmtree(downloads, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial"):
        (downloads / folder).mkdir(parents=True)
    apt = ["apt-get", "-o", f"Dir::Cache={downloads / 'cache'}"]
    try:
        plan = _run(*apt, *_PLAN)
    except NoBrowserError:
        apt += ["-o", f"Dir::State::Lists={downloads / 'lists'}"]
        _run(*apt, "update", "-qq")
        plan = _run(*apt, *_PLAN)
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    _run(*apt, "download", *names, cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        _run("dpkg", "-x", str(package), str(_UNPACKED))
    shutil.rmtree(downloads)


def environment_of(program: Path) -> dict[str, str]:
    """Return what an unpacked Chromium needs in its environment; nothing for one of the system.

    Its libraries and fonts are where no system looks for them.
    """
    if not program.is_relative_to(_UNPACKED):
        return {}
    # Packages put libraries into /lib and /usr/lib, which are one folder on a system and two here.
    folders = sorted({str(library.parent) for library in _UNPACKED.glob("**/lib/**/*.so*")})
    fonts = _UNPACKED / "fonts.conf"
    fonts.write_text(_FONTS.format(folder=_UNPACKED / "usr" / "share" / "fonts"), encoding="utf-8")
    return {"LD_LIBRARY_PATH": ":".join(folders), "FONTCONFIG_FILE": str(fonts)}


def _run(*command: str, cwd: Path | None = None) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        message = f"{' '.join(command[:3])} failed: {error.stderr.strip().splitlines()[-1:]}; with root: {INSTALL}"
        raise NoBrowserError(message) from error
    return done.stdout
