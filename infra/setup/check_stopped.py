"""Refuses when something of this checkout is still running: `make clean` would pull its rows away from under it."""

import fcntl
import sys
from pathlib import Path

VAR = Path(__file__).resolve().parents[2] / "var"


def is_held(lock: Path) -> bool:
    """Whether a process holds the lock. The lock file itself proves nothing: it stays when its process is killed."""
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def main() -> int:
    running = [
        lock.parent for lock in sorted(VAR.glob("*/lock")) + sorted(VAR.glob("*/postgres/lock")) if is_held(lock)
    ]
    for folder in running:
        print(f"still running: {folder} (stop it first, Ctrl-C in its terminal)", file=sys.stderr)
    return 1 if running else 0


if __name__ == "__main__":
    sys.exit(main())
