"""Find the Chromium of the journeys, or bring it from Debian's packages.

The headless shell is preferred: the same engine without windows, tabs and profiles. A new phone in it costs 0.3 s of a
processor, in the full program 1.1 s. Every journey passes in the full program too.

With root Chromium is installed; without, its packages and theirs are unpacked into .tools/chromium of the checkout.
Where neither is possible the reason is raised: whoever asked decides whether that is a failure.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_UNPACKED: Final = _CHECKOUT / ".tools" / "chromium"
_LOCK: Final = _UNPACKED.with_name("chromium.lock")
_SHELL: Final = "usr/lib/chromium/chromium-headless-shell"
# Debian's wrapper script reads settings of the desktop; the program itself needs none. Preferred ones first.
_PROGRAMS: Final = (
    _SHELL,
    "usr/lib/chromium/chromium",
    "usr/lib/chromium-browser/chromium-browser",
    "opt/google/chrome/chrome",
)
# Without a font a browser stops; the smallest family that has all letters of our languages but Chinese.
_FONT: Final = "fonts-dejavu-core"
# Preferred one first; older releases have no headless shell.
_PACKAGES: Final = ("chromium-headless-shell", "chromium")
INSTALL: Final = f"apt-get install --no-install-recommends {_PACKAGES[0]} {_FONT}"
_PLAN: Final = ("install", "--no-install-recommends", "--simulate", _FONT)
# Files that both programs read from their own folder: unpacked beside the program even where the system has them.
_COMMON: Final = "chromium-common"
_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><dir>/usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
"""


class NoBrowserError(Exception):
    """There is no Chromium, and it could not be brought; the message says why."""


def find_chromium(roots: Sequence[Path] = (Path("/"), _UNPACKED)) -> Path | None:
    """Return the program, of the system or unpacked before, a headless shell if there is any; None without one."""
    found = (root / program for program in _PROGRAMS for root in roots)
    return next((program for program in found if program.is_file()), None)


def bring_chromium() -> Path:
    """Return the program, installed or unpacked now if there was none. Raises NoBrowserError."""
    return find_chromium() or _bring(_PACKAGES, None)


def bring_headless_shell() -> Path:
    """Return the headless shell, brought now if there was none, or another Chromium where it cannot be brought.

    Raises NoBrowserError without any.
    """
    chromium = find_chromium()
    if chromium is None:
        return _bring(_PACKAGES, None)
    if chromium.match(_SHELL):
        return chromium
    try:
        return _bring(_PACKAGES[:1], chromium)
    except NoBrowserError:
        return chromium


def _bring(packages: Sequence[str], unwanted: Path | None) -> Path:
    """Bring the first of these packages that there is, unless another process has done so since ``unwanted``."""
    if shutil.which("apt-get") is None:
        message = "no Chromium, and no apt-get to bring it"
        raise NoBrowserError(message)
    _LOCK.parent.mkdir(parents=True, exist_ok=True)
    # Tests of several processes ask at once: the first brings it for all.
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        chromium = find_chromium()
        if chromium is None and os.geteuid() == 0:
            _install(packages)
        elif chromium == unwanted:
            # Where the system has a Chromium of its user's choice, it stays as it is.
            _unpack(packages)
    chromium = find_chromium()
    if chromium is None:
        message = f"Debian's packages brought no Chromium; with root: {INSTALL}"
        raise NoBrowserError(message)
    return chromium


def _install(packages: Sequence[str]) -> None:
    # Another program of the system may be installing something.
    patient = ("-o", "DPkg::Lock::Timeout=300", "-qq")
    _run("apt-get", *patient, "update")
    package, _ = _planned(["apt-get"], packages)
    _run("apt-get", "install", "--no-install-recommends", package, _FONT, "-y", *patient)


def _unpack(packages: Sequence[str]) -> None:
    """Download Chromium and what it needs beyond this machine, and unpack it; nothing of the system is changed.

    A user without root cannot refresh the system's lists of packages, which a small machine does not even have: where
    they do not know Chromium, lists of our own are brought.
    """
    downloads = _UNPACKED.with_name("chromium-packages")
    shutil.rmtree(downloads, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "root"):
        (downloads / folder).mkdir(parents=True)
    apt = ["apt-get", "-o", f"Dir::Cache={downloads / 'cache'}"]
    try:
        _, plan = _planned(apt, packages)
    except NoBrowserError:
        apt += ["-o", f"Dir::State::Lists={downloads / 'lists'}"]
        _run(*apt, "update", "-qq")
        _, plan = _planned(apt, packages)
    names = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
    _run(*apt, "download", *sorted(names | {_COMMON}), cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        _run("dpkg", "-x", str(package), str(downloads / "root"))
    # Whole or not at all: another process looks for the program without the lock.
    shutil.rmtree(_UNPACKED, ignore_errors=True)
    (downloads / "root").rename(_UNPACKED)
    shutil.rmtree(downloads)


def _planned(apt: Sequence[str], packages: Sequence[str]) -> tuple[str, str]:
    """Return the first package that apt knows, and what it would install for it. Raises NoBrowserError."""
    *preferred, last = packages
    for package in preferred:
        with contextlib.suppress(NoBrowserError):
            return package, _run(*apt, *_PLAN, package)
    return last, _run(*apt, *_PLAN, last)


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
