"""Run pip and print how far it is: a line for each tenth of the downloads, and a sign of life while it unpacks.

pip is silent between "Installing collected packages" and its end, up to some minutes on a slow disk.
Standard library only.
"""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

SILENCE_S = 10.0  # a person who sees no new line for longer suspects that the set-up hangs
# One of these begins pip's lines about each package.
PACKAGE = re.compile(r"^(Collecting |Requirement already satisfied: )(?P<name>[A-Za-z0-9._-]+)")
DOWNLOADING = re.compile(r"^ *Downloading (?P<file>[^ ]+) \((?P<size>[0-9.]+ [kMG]B)\)")
# Lines that are noise when all went well; every other line is printed.
ROUTINE = (
    "Looking in ",
    "Using cached ",
    "Downloading ",
    "Installing collected packages",
    "Successfully installed ",
    "Ignoring ",
)


class Progress:
    """The progress of one installation of ``package_count`` packages, told to ``announce`` line by line."""

    def __init__(self, package_count: int, announce: Callable[[str], None], *, silence_s: float = SILENCE_S) -> None:
        self._package_count = package_count
        self._announce = announce
        self._silence_s = silence_s
        self._fetched_count = 0
        self._last_line_s = time.monotonic()
        self._activity = "asking the package index"
        self._ended = threading.Event()

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Run pip to its end. Raises CalledProcessError when it fails; its own messages have been printed by then."""
        started_s = self._last_line_s = time.monotonic()
        watching = threading.Thread(target=self._break_silence, args=(started_s,), daemon=True)
        watching.start()
        try:
            with subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True) as process:
                for line in process.stdout or ():
                    self.read(line.rstrip())
        finally:
            self._ended.set()
            watching.join()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, list(command))

    def read(self, line: str) -> None:
        """Take one line of pip's output."""
        if PACKAGE.match(line):
            self._fetched_count += 1
            if self._fetched_count % max(1, self._package_count // 10) == 0:
                self._say(f"{min(self._fetched_count, self._package_count)} of {self._package_count} packages")
        elif download := DOWNLOADING.match(line):
            self._activity = f"downloading {download['file'].partition('-')[0]} ({download['size']})"
        elif line.startswith("Installing collected packages"):
            self._activity = "unpacking"
            self._say("all packages are here; unpacking them")
        elif line.strip() and not line.lstrip().startswith(ROUTINE):
            self._say(line)

    def _say(self, line: str) -> None:
        self._last_line_s = time.monotonic()
        self._announce(line)

    def _break_silence(self, started_s: float) -> None:
        while not self._ended.wait(min(1.0, self._silence_s)):
            if time.monotonic() - self._last_line_s >= self._silence_s:
                self._say(f"still {self._activity}, {time.monotonic() - started_s:.0f} s so far")
