"""Make `.venv` from a lock, by hash, and install the project itself into it, editable.

    make_venv.py product     what `make demo` needs: the product, a local Postgres and the build backend
    make_venv.py everything  the tools of `make check` and `make test` as well

Standard library only: it runs before anything is installed. Nothing outside the checkout is changed, except, as
the last resort and announced, by the system's package manager when we are root. A second run reads from the stamp
that nothing has changed; of two runs at once the second waits. An environment made for everything serves the demo.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

from bring_pip import NoPipError, bring_pip
from progress import Progress

CHECKOUT = Path(__file__).resolve().parents[2]
STAMP = "made-from"  # in .venv: a hash of what it was made from
LOCKS: Final = {"product": "infra/requirements-demo.lock", "everything": "requirements.lock"}
DOWNLOAD_MB: Final = {"product": 200, "everything": 250}  # measured with an empty cache on Linux x86-64, rounded up
NEWEST_TESTED_PYTHON = (3, 13)
# Settings that would send pip elsewhere than into .venv. Indexes, proxies and certificates of the machine are
# respected: whatever they serve must have the pinned hash.
MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON")


def announce(line: str) -> None:
    print(f"set-up: {line}", flush=True)


def stamp_of(checkout: Path, extent: str) -> str:
    """Return a hash that changes whenever .venv has to be made again for this extent."""
    inputs = b"".join((checkout / name).read_bytes() for name in (LOCKS[extent], "pyproject.toml"))
    where = f"{extent} {sys.version} {sys.executable} {platform.machine()} {checkout}"
    return hashlib.sha256(inputs + where.encode()).hexdigest()


def wait_for_our_turn(checkout: Path) -> IO[str]:
    """Return the held lock file: only one set-up of a checkout runs while it is open."""
    (checkout / ".tools").mkdir(exist_ok=True)
    turn = (checkout / ".tools" / "setup.lock").open("w")
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        announce("another set-up of this checkout is running; waiting for it")
        fcntl.flock(turn, fcntl.LOCK_EX)
    return turn


def warn_of_untested_python(version: tuple[int, int]) -> None:
    """Print a warning for a Python newer than the tested ones; it may work, so it is not refused."""
    if version > NEWEST_TESTED_PYTHON:
        newest = ".".join(map(str, NEWEST_TESTED_PYTHON))
        announce(
            f"WARNING: Python {version[0]}.{version[1]} is newer than the newest tested one ({newest}). "
            "If a package has no wheel for it, name another Python: make setup PYTHON_FOR_VENV=/path/to/python"
        )


def is_ours(venv: Path) -> bool:
    """Return whether .venv starts and runs the Python that runs this script; a half-made or moved one does not."""
    script = "import sys; print(sys.version, sys.prefix)"
    try:
        done = subprocess.run([venv / "bin" / "python", "-I", "-c", script], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return done.stdout.strip() == f"{sys.version} {venv}".strip()


def clean_environment(checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    # The cache stays in the checkout: a missing or read-only home directory is then no obstacle.
    return kept | {"PIP_CACHE_DIR": str(checkout / ".tools" / "pip-cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def names_in(lock: Path) -> set[str]:
    """Return the names that a lock pins; a name with markers may be for another platform."""
    return set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==", lock.read_text(), re.MULTILINE))


def make_venv(checkout: Path, extent: str) -> None:
    """Make or mend .venv. Raises NoPipError, or CalledProcessError when an installation failed."""
    venv, lock = checkout / ".venv", checkout / LOCKS[extent]
    environment = clean_environment(checkout)
    if not is_ours(venv):
        announce(f"making .venv with {sys.executable} ({platform.python_version()})")
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", venv], check=True)
    pip = [*map(str, bring_pip(checkout, announce, environment)), "install", "--no-input"]
    names = names_in(lock)
    announce(
        f"installing {len(names)} packages that {LOCKS[extent]} pins "
        f"(the first time up to {DOWNLOAD_MB[extent]} MB from your package index)"
    )
    # Wheels only: a build from source would fetch build tools that no hash pins.
    locked = ["--require-hashes", "--only-binary=:all:", "--no-deps", "-r", str(lock)]
    # The bar of a single download says little about the whole, and it is lost in a log file.
    Progress(len(names), announce).run([*pip, "--progress-bar=off", *locked], environment)
    ours = ["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(checkout)]
    subprocess.run([*pip, "-qq", *ours], check=True, env=environment)


def is_made(checkout: Path, extent: str) -> bool:
    """Return whether .venv was made from today's files, for this extent or for everything."""
    venv = checkout / ".venv"
    stamp_file = venv / STAMP
    if not stamp_file.exists() or not (venv / "bin" / "python").exists():
        return False
    return stamp_file.read_text() in {stamp_of(checkout, extent), stamp_of(checkout, "everything")}


def main() -> int:
    extent = sys.argv[1] if len(sys.argv) > 1 else "everything"
    if extent not in LOCKS:
        print(f"usage: make_venv.py [{'|'.join(LOCKS)}]", file=sys.stderr)
        return 2
    if is_made(CHECKOUT, extent):
        return 0
    warn_of_untested_python(sys.version_info[:2])
    try:
        with wait_for_our_turn(CHECKOUT):
            if is_made(CHECKOUT, extent):  # by the run that we waited for
                return 0
            (CHECKOUT / ".venv" / STAMP).unlink(missing_ok=True)
            make_venv(CHECKOUT, extent)
            (CHECKOUT / ".venv" / STAMP).write_text(stamp_of(CHECKOUT, extent))
    except NoPipError as error:
        announce(str(error))
    except PermissionError as error:
        announce(f"{error.filename} belongs to another user: run as that user, or remove .venv and .tools")
    except subprocess.CalledProcessError as error:
        announce(f"stopped: a step ended with {error.returncode}, its output is above. Run it again with: make setup")
    else:
        announce("done")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
