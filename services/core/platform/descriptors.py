"""Open files of this process: the limit raised at the start, and the errors that only mean "try again"."""

from __future__ import annotations

import contextlib
import errno
import resource
from typing import Final

# Linux caps a process at fs.nr_open, 1,048,576 unless an administrator changed it.
DESCRIPTORS_MAX: Final = 1_048_576
# Descriptors of a process, of the whole machine, kernel memory and socket buffers: each is free again later.
_EXHAUSTION: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit of open files to its hard limit and return the limit in force.

    Child processes inherit it. A system that refuses the change leaves the limit as it was; a repeat changes nothing.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return descriptor_limit()


def descriptor_limit() -> int:
    """Return how many files this process may have open now."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return DESCRIPTORS_MAX if soft == resource.RLIM_INFINITY else min(soft, DESCRIPTORS_MAX)


def attainable_descriptor_limit() -> int:
    """Return the limit that a process started here reaches once it has raised its own."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)


def is_exhaustion(error: BaseException) -> bool:
    """Return whether an error says that descriptors or memory ran out: nothing is broken, a retry succeeds later."""
    return isinstance(error, OSError) and error.errno in _EXHAUSTION
