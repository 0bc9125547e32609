"""The doctor reports how many watches the limit of open files allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys
limit = int(sys.argv[1])
from services.devstack.doctor import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, limit), limit))
finding = open_files()
print(finding.ok, finding.what)
"""


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (1024, "False 1024 a process: 384 watches at the same time"),
        (4096, "True 4096 a process: 1920 watches at the same time"),
    ],
)
def test_it_counts_the_watches_that_the_hard_limit_allows(limit: int, expected: str) -> None:
    program = subprocess.run([sys.executable, "-c", _PROGRAM, str(limit)], capture_output=True, text=True, check=True)  # noqa: S603
    assert program.stdout.strip() == expected
