"""Keeps other processes of the same user out of the memory of a process that holds keys."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

# linux/prctl.h
_PR_SET_DUMPABLE: Final = 4


def deny_memory_access() -> bool:
    """Make this process undumpable; return whether the system can. A repeat changes nothing.

    The kernel then refuses ptrace, process_vm_readv and /proc/<pid>/mem to every process without CAP_SYS_PTRACE, and
    writes no core file. A program that this process executes starts dumpable again.
    """
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
