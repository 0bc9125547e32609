"""Fixtures of the tests of one machine."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that `nobody` can reach: pytest's own temporary folders are closed to others."""
    base = Path(tempfile.mkdtemp(prefix="smartwatch-test-"))
    base.chmod(0o755)
    yield base
    shutil.rmtree(base)
