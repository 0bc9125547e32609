"""Brings a program with all its libraries from Debian 13 into a folder of the checkout.

Nothing outside the folder is changed, and neither root nor a namespace is needed: each program is started by the
dynamic loader that came with it, so that the age of this system does not matter.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import secrets
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOOLS: Final = Path(__file__).resolve().parents[2] / ".tools"
RELEASE: Final = "trixie"
_KEYS: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ATTEMPTS: Final = 4
_PAUSE_S: Final = 3.0
_DEADLINE_S: Final = 240.0
_ELF: Final = b"\x7fELF"

Announce = Callable[[str], None]


class NotBroughtError(Exception):
    """A program is not here and could not be brought; the message says why."""


@dataclass(frozen=True)
class Debian13Program:
    """A program of Debian 13, and the folder below `.tools` that it is unpacked into; `rm -r .tools` removes it.

    ``needed`` matches the packages to unpack, of everything that a whole system would need for it. ``prepare`` makes
    the unpacked folder ready to run. ``layout`` is raised when these change: an older folder is then brought anew.
    """

    title: str
    package: str
    folder: str
    needed: re.Pattern[str]
    layout: int
    download_mb: int
    prepare: Callable[[Path], None]

    def find(self, tools: Path = TOOLS) -> Path | None:
        """Return the folder that an earlier call unpacked; None if there is none."""
        root = tools / self.folder
        try:
            return root if (root / "brought").read_text(encoding="ascii") == self._brought else None
        except OSError:
            return None

    def bring(self, announce: Announce = lambda _: None, tools: Path = TOOLS) -> Path:
        """Return the folder, unpacked now if there was none. Raises NotBroughtError.

        A download that fails is tried again; of two calls at the same time one downloads.
        """
        found = self.find(tools)
        if found is not None:
            return found
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            message = f"this system has no apt-get and dpkg-deb to bring {self.title} from Debian 13"
            raise NotBroughtError(message)
        try:
            tools.mkdir(parents=True, exist_ok=True)
            with (tools / f"{self.folder}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if self.find(tools) is None:
                    into = tools / self.folder
                    announce(f"{self.title}: unpacking Debian 13's packages into {into} ({self.download_mb} MB)")
                    self._bring(tools)
        except (OSError, subprocess.SubprocessError) as error:
            message = f"{self.title} could not be brought from Debian 13: {_last_line(error)}"
            raise NotBroughtError(message) from error
        return tools / self.folder

    @property
    def _brought(self) -> str:
        """The text of the file that marks the folder as finished."""
        return f"from Debian {RELEASE}, layout {self.layout}\n"

    def _bring(self, tools: Path) -> None:
        work = tools / f".{self.folder}.{secrets.token_hex(6)}"
        root = work / "root"
        for folder in ("root", "packages", "lists/partial", "cache/archives/partial"):
            (work / folder).mkdir(parents=True)
        try:
            mirrors = _mirrors()
            if not mirrors:
                message = "no mirror of Debian is among the package sources of this system"
                raise FileNotFoundError(message)
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._download(work, mirrors[(attempt - 1) % len(mirrors)])
                    break
                except subprocess.SubprocessError:
                    if attempt == _ATTEMPTS:
                        raise
                    time.sleep(_PAUSE_S * attempt)
            for package in sorted((work / "packages").glob("*.deb")):
                _run(["dpkg-deb", "-x", package, root], work)
            self.prepare(root)
            (root / "brought").write_text(self._brought, encoding="ascii")
            shutil.rmtree(tools / self.folder, ignore_errors=True)
            root.rename(tools / self.folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _download(self, work: Path, mirror: str) -> None:
        """Download the packages and what they depend on, as for a system on which nothing is installed."""
        signed = f"[signed-by={_KEYS}] " if _KEYS.is_file() else ""
        (work / "sources.list").write_text(f"deb {signed}{mirror} {RELEASE} main\n")
        (work / "status").touch()
        options = {
            "Dir::Cache": work / "cache", "Dir::State": work, "Dir::State::Lists": work / "lists",
            "Dir::State::status": work / "status", "Dir::Etc::sourcelist": work / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
            # As root, apt downloads as the user _apt, which cannot enter a checkout in root's home.
            "APT::Sandbox::User": "root", "Acquire::Retries": 3, "Acquire::Languages": "none",
        }  # fmt: skip
        apt: list[str | Path] = ["apt-get", "-q"]
        for name, value in options.items():
            apt += ["-o", f"{name}={value}"]
        _run([*apt, "update"], work)
        plan = _run([*apt, "install", "--simulate", "--no-install-recommends", self.package], work)
        names = [name for name in re.findall(r"^Inst (\S+)", plan, re.MULTILINE) if self.needed.fullmatch(name)]
        _run([*apt, "download", *names], work / "packages")


def wrap_programs(root: Path, programs: Iterable[Path]) -> None:
    """Start each of these, where it is a program, by the loader and with the libraries that were unpacked beside it."""
    [loader] = root.glob("usr/lib/*/ld-linux*.so.*")
    for program in programs:
        if program.is_symlink() or not program.is_file() or ".so" in program.name:
            continue
        if not program.stat().st_mode & stat.S_IXUSR or not _is_elf(program):
            continue
        real = program.with_name(f"{program.name}.elf")
        program.rename(real)
        up = os.path.relpath(loader, program.parent)
        program.write_text(
            "#!/bin/sh\nhere=${0%/*}\n"
            f'exec "$here/{up}" --library-path "$here/{Path(up).parent}" "$here/{real.name}" "$@"\n'
        )
        program.chmod(0o755)


def _is_elf(program: Path) -> bool:
    with program.open("rb") as file:
        return file.read(len(_ELF)) == _ELF


def _mirrors() -> list[str]:
    """Return the Debian mirrors that this system is configured with."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN)"],  # noqa: S607 - as every other call here
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    # Where no list was ever downloaded, as in a new container, the origin of a source is not known yet.
    expected = [[], ["Debian"]] if _is_debian() else [["Debian"]]
    lines = (line.split() for line in listed.stdout.splitlines() if line.strip())
    mirrors = [line[0].rstrip("/") for line in lines if line[1:] in expected]
    return list(dict.fromkeys(mirror for mirror in mirrors if not mirror.endswith("-security")))


def _is_debian() -> bool:
    try:
        return "debian" in platform.freedesktop_os_release().get("ID", "")
    except OSError:
        return False


def _run(command: Sequence[str | Path], folder: Path) -> str:
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_DEADLINE_S, check=True
    ).stdout


def _last_line(error: Exception) -> str:
    said = (error.stderr if isinstance(error, subprocess.CalledProcessError) else "") or str(error)
    lines = [line for line in str(said).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
