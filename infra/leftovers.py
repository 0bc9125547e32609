"""Find left-overs: notes to oneself, files that have grown too long, addresses of one machine."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# About 400 lines hold one subject; files between both numbers are to be split when they are next changed.
LONGEST_FILE_LINES = 480
CODE = {".py", ".sh"}
# Written by programs: migrations by Alembic, records from the OpenAPI document.
LONG_BY_NATURE = ("services/core/platform/db/migrations/versions/", "services/device_sim/parent/records.py")
# One letter of each stands in brackets, so that this file does not find itself.
NOTES = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b")
# A lock or a document that names an index, or a path of somebody's machine, works nowhere else. A path that begins with
# a dot is one of this checkout.
ADDRESSES = re.compile(
    r"pypi\.[o]rg|pythonhoste[d]\.org|registry\.[n]pmjs|index-[u]rl|find-[l]inks|[f]ile:///"
    r"|(?<!\.)/[h]ome/\w|/[r]oot/\w|/[w]ork/|/[U]sers/\w"
)


def find_leftovers(checkout: Path) -> list[str]:
    """One line for each, as `file:line: what`; empty when there is none."""
    return [line for file in tracked_files(checkout) for line in leftovers_in(file, checkout)]


def leftovers_in(file: Path, checkout: Path) -> Iterator[str]:
    """Those of one file. Binary files have none."""
    try:
        lines = file.read_text().splitlines()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return
    name = file.relative_to(checkout)
    may_be_long = str(name).startswith(LONG_BY_NATURE)
    if file.suffix in CODE and len(lines) > LONGEST_FILE_LINES and not may_be_long:
        yield f"{name}: {len(lines)} lines, more than {LONGEST_FILE_LINES}: it is two files"
    for number, line in enumerate(lines, start=1):
        for what, pattern in (("a note to oneself", NOTES), ("an address of one machine", ADDRESSES)):
            if match := pattern.search(line):
                yield f"{name}:{number}: {what}: {match.group()}"


def tracked_files(checkout: Path) -> Iterable[Path]:
    """Return the files that git tracks or would add; ignored folders are skipped."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=checkout, capture_output=True, check=True).stdout.decode()
    return [checkout / name for name in listed.split("\0") if name]


def main() -> int:
    leftovers = find_leftovers(Path(__file__).resolve().parents[1])
    for line in leftovers:
        print(line)
    return 1 if leftovers else 0


if __name__ == "__main__":
    sys.exit(main())
