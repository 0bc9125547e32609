"""Open files of a process: the limit is raised at the start, and running out of them breaks nothing."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from services.core.platform.descriptors import is_exhaustion

_PROGRAM = """
import resource
from services.core.platform.descriptors import attainable_descriptor_limit, descriptor_limit, raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 500))
print(descriptor_limit(), attainable_descriptor_limit(), raise_descriptor_limit(), raise_descriptor_limit(),
      resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_a_process_raises_its_limit_to_the_hard_one_and_a_repeat_changes_nothing() -> None:
    output = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    assert output.split() == ["64", "500", "500", "500", "500"]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_running_out_means_try_again(number: int) -> None:
    assert is_exhaustion(OSError(number, "out of it"))


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "missing"), PermissionError(), ValueError(), OSError()])
def test_other_errors_do_not(error: Exception) -> None:
    assert not is_exhaustion(error)
