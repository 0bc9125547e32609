"""Programs of Debian that tests check our files with: installed ones, or their packages unpacked below .tools."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / ".tools"
_DEADLINE_S = 300.0


@dataclass(frozen=True)
class Program:
    """A program, and the folders of the libraries that were unpacked with it."""

    path: Path
    libraries: list[Path] = field(default_factory=list)

    def run(self, *arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run it and return what it printed and its exit code."""
        environment = os.environ | {"LC_ALL": "C.UTF-8"}
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))
        return subprocess.run(  # noqa: S603 - a program of Debian and our own files
            [self.path, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip


def program(name: str, package: str) -> Program:
    """Return the program of this Debian package.

    Where it can be had in no way the test fails as root, who could install it; a normal user's test is skipped and
    names the package.
    """
    path = os.environ.get("PATH", os.defpath)
    if program := shutil.which(name, path=f"{path}:/usr/sbin:/sbin"):
        return Program(Path(program))
    try:
        root = _bring(package)
    except (OSError, subprocess.SubprocessError) as error:
        reason = f"{name} is missing: apt-get install {package} ({type(error).__name__})"
        if os.geteuid() == 0:
            pytest.fail(reason)
        pytest.skip(reason)
    [brought] = [file for folder in ("usr/bin", "usr/sbin", "bin", "sbin") if (file := root / folder / name).is_file()]
    return Program(brought, sorted({path.parent for path in root.glob("**/lib/**/*.so*")}))


def _bring(package: str) -> Path:
    """Unpack a package and the libraries that this system lacks; a repeat finds them."""
    target = TOOLS / package
    TOOLS.mkdir(exist_ok=True)
    with _locked(TOOLS / f"{package}.lock"):
        if target.is_dir():
            return target
        work = TOOLS / f".{package}.{secrets.token_hex(6)}"
        try:
            _unpack(package, work)
            (work / "root").rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def _unpack(package: str, work: Path) -> None:
    for folder in ("root", "packages", "cache/archives/partial", "lists/partial"):
        (work / folder).mkdir(parents=True)
    # As root, apt downloads as the user _apt, which cannot enter a checkout in root's home.
    apt = ["apt-get", "-q", "-o", f"Dir::Cache={work / 'cache'}", "-o", "APT::Sandbox::User=root"]
    try:
        _download(apt, package, work / "packages")
    except subprocess.CalledProcessError:
        apt += ["-o", f"Dir::State::Lists={work / 'lists'}"]
        _run([*apt, "update"], work)
        _download(apt, package, work / "packages")
    for archive in sorted((work / "packages").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(archive), str(work / "root")], work)


def _download(apt: list[str], package: str, folder: Path) -> None:
    plan = _run([*apt, "install", "--simulate", "--no-install-recommends", package], folder)
    # Libraries only: fonts, scripts and services that a package asks for are not needed to check a file.
    names = {name for name in re.findall(r"^Inst (\S+)", plan, re.MULTILINE) if re.match(r"lib(?!js-|nss-|pam-)", name)}
    _run([*apt, "download", package, *sorted(names)], folder)


def _run(command: list[str], folder: Path) -> str:
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(  # noqa: S603 - commands of this file
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_DEADLINE_S, check=True
    ).stdout


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
