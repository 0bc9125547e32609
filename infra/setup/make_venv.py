"""Makes `.venv` hold exactly what requirements.lock pins, by hash, and the project itself, editable.

Standard library only: it runs before anything is installed. Nothing outside the checkout is changed, except, as
the last resort and announced, by the system's package manager when we are root. A second run sees from the stamp
that there is nothing to do; two runs at once wait for each other.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

from bring_pip import NoPipError, bring_pip

CHECKOUT = Path(__file__).resolve().parents[2]
STAMP = "made-from"  # in .venv: what it was made from
# What would send pip elsewhere than into .venv. Indexes, proxies and certificates of the machine are respected:
# whatever they serve has to have the pinned hash.
MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON")


def announce(line: str) -> None:
    print(f"set-up: {line}", flush=True)


def stamp_of(checkout: Path) -> str:
    """One line that changes whenever .venv has to be made again."""
    inputs = b"".join((checkout / name).read_bytes() for name in ("requirements.lock", "pyproject.toml"))
    where = f"{sys.version} {sys.executable} {platform.machine()} {checkout}"
    return hashlib.sha256(inputs + where.encode()).hexdigest()


def wait_for_our_turn(checkout: Path) -> IO[str]:
    """Hold the returned file open: only one set-up of a checkout runs at a time."""
    (checkout / ".tools").mkdir(exist_ok=True)
    turn = (checkout / ".tools" / "setup.lock").open("w")
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        announce("another set-up of this checkout is running; waiting for it")
        fcntl.flock(turn, fcntl.LOCK_EX)
    return turn


def is_ours(venv: Path) -> bool:
    """Whether .venv has a Python that starts and is the one we run on; a half-made or moved one does not."""
    script = "import sys; print(sys.version, sys.prefix)"
    try:
        done = subprocess.run([venv / "bin" / "python", "-I", "-c", script], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return done.stdout.strip() == f"{sys.version} {venv}".strip()


def clean_environment(checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    # The cache stays in the checkout: an empty, closed or missing home is no obstacle and finds nothing new in it.
    return kept | {"PIP_CACHE_DIR": str(checkout / ".tools" / "pip-cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def make_venv(checkout: Path) -> None:
    """Make or mend .venv. Raises NoPipError, or CalledProcessError when an installation failed."""
    venv = checkout / ".venv"
    environment = clean_environment(checkout)
    if not is_ours(venv):
        announce(f"making .venv with {sys.executable} ({platform.python_version()})")
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", venv], check=True)
    pip = bring_pip(checkout, announce, environment)
    announce("installing what requirements.lock pins (first time: some 100 MB from your package index)")
    install = [*map(str, pip), "install", "-qq", "--no-input"]
    # Wheels only: building from source would fetch build tools that no hash pins.
    locked = ["--require-hashes", "--only-binary=:all:", "--no-deps", "-r", str(checkout / "requirements.lock")]
    subprocess.run([*install, *locked], check=True, env=environment)
    ours = ["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(checkout)]
    subprocess.run([*install, *ours], check=True, env=environment)


def is_made(checkout: Path, stamp: str) -> bool:
    venv = checkout / ".venv"
    stamp_file = venv / STAMP
    return stamp_file.exists() and stamp_file.read_text() == stamp and (venv / "bin" / "python").exists()


def main() -> int:
    stamp = stamp_of(CHECKOUT)
    if is_made(CHECKOUT, stamp):
        return 0
    try:
        with wait_for_our_turn(CHECKOUT):
            if is_made(CHECKOUT, stamp):  # by the one we waited for
                return 0
            (CHECKOUT / ".venv" / STAMP).unlink(missing_ok=True)
            make_venv(CHECKOUT)
            (CHECKOUT / ".venv" / STAMP).write_text(stamp)
    except NoPipError as error:
        announce(str(error))
    except PermissionError as error:
        announce(f"{error.filename} is another user's: run as that user, or remove .venv and .tools")
    except subprocess.CalledProcessError as error:
        announce(f"stopped: a step ended with {error.returncode}, its words are above. Run it again with: make setup")
    else:
        announce("done")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
