"""Confines the decoding process, so that code hijacked by a recording can read, signal, connect to and start nothing.

Four layers, each where the system has it: a user of its own (when started by root), resource limits, Landlock (no file,
no TCP port, no signal), and a seccomp filter that allows the system calls of decoding alone.
docs/decisions/0047-decoder-confinement.md
gives the reasons.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Final

from services.core.platform.memory_access import deny_memory_access

# Limits of a decoder beyond the memory that its libraries use before it has read a recording.
_MEMORY_BYTES: Final = 256 * 1024 * 1024
# A minute of sound needs about a second on a slow machine.
_CPU_S: Final = 15

# linux/prctl.h, linux/seccomp.h
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_RET_KILL_PROCESS: Final = 0x8000_0000
_RET_ALLOW: Final = 0x7FFF_0000
_RET_EPERM: Final = 0x0005_0000 | 1
# linux/bpf_common.h: load a word of seccomp_data; jump if equal, if not less, if any bit is set; return.
_LOAD: Final = 0x20
_JUMP_EQUAL: Final = 0x15
_JUMP_NOT_LESS: Final = 0x35
_JUMP_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06
# Offsets in struct seccomp_data: the call, the architecture, the lower half of the third argument.
_CALL_AT: Final = 0
_ARCHITECTURE_AT: Final = 4
_THIRD_ARGUMENT_AT: Final = 32
_X32_CALLS_FROM: Final = 0x4000_0000
_PROT_EXEC: Final = 4

# linux/landlock.h; the calls have one number on every architecture. Rights by the version that introduced them.
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION_QUERY: Final = 1
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16}
_NET_RIGHTS_FROM: Final = 4
_SCOPES_FROM: Final = 6

# Unassigned on any machine; each decoder gets a number of its own, so that no two can reach each other.
_OWN_USERS_FROM: Final = 2_000_000_000
_NOBODY: Final = 65_534

# Calls that decoding, the C library and the interpreter make once everything is loaded; every other is refused.
CALLS: Final[dict[str, dict[str, int]]] = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "readv": 19, "writev": 20, "sched_yield": 24,
        "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98,
        "sigaltstack": 131, "gettid": 186, "futex": 202, "restart_syscall": 219, "clock_gettime": 228,
        "clock_nanosleep": 230, "exit_group": 231, "getrandom": 318,
    },
    "aarch64": {
        "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "ppoll": 73, "fstat": 80,
        "exit": 93, "exit_group": 94, "futex": 98, "nanosleep": 101, "clock_gettime": 113, "clock_nanosleep": 115,
        "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "getrusage": 165, "gettimeofday": 169, "getpid": 172, "gettid": 178, "brk": 214,
        "munmap": 215, "mremap": 216, "madvise": 233, "getrandom": 278,
    },
}  # fmt: skip
# Allowed for memory that is not executable: mmap and mprotect.
MEMORY_CALLS: Final = {"x86_64": (9, 10), "aarch64": (222, 226)}
# linux/audit.h
ARCHITECTURES: Final = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}


def confine() -> None:
    """Give up every right that decoding does not need. Call once everything is loaded; it cannot be undone.

    A layer that the system does not have is left out: each of the others holds by itself.
    """
    address_space_bytes = _address_space_bytes()
    deny_memory_access()
    if sys.platform == "linux":
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _restrict_by_landlock()
    _become_own_user()
    _limit_resources(address_space_bytes)
    if sys.platform == "linux":
        # Forgotten when the user changes, so only now: a decoder ends with the process that it was forked from.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _filter_calls(platform.machine())


def available_layers() -> list[str]:
    """Return the layers that this system has, beside the resource limits that every system has."""
    layers = ["a user of its own"] if os.geteuid() == 0 else []
    if sys.platform == "linux":
        call = ctypes.CDLL(None, use_errno=True).syscall
        if int(call(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION_QUERY)) > 0:
            layers.append("Landlock")
        # Without a program a kernel that has filters answers EFAULT, any other EINVAL.
        if platform.machine() in CALLS and _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER) == -1:
            layers += ["seccomp"] if ctypes.get_errno() == errno.EFAULT else []
    return layers


def _prctl(option: int, value: int, pointer: object = None) -> int:
    return int(ctypes.CDLL(None, use_errno=True).prctl(option, value, pointer, 0, 0))


def _become_own_user() -> None:
    """Change to a user that owns nothing; only root may. In a namespace of few users, nobody has to do."""
    if os.geteuid() != 0:
        return
    os.setgroups([])
    for user in (_OWN_USERS_FROM + os.getpid(), _NOBODY):
        try:
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:
            continue
        return


def _limit_resources(address_space_bytes: int) -> None:
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_NPROC, 0),
    ]
    if address_space_bytes:
        limits.append((resource.RLIMIT_AS, address_space_bytes + _MEMORY_BYTES))
    # No descriptor can be had from here on: neither a file nor a socket can be opened.
    limits.append((resource.RLIMIT_NOFILE, 0))
    for name, most in limits:
        resource.setrlimit(name, (most, most))


def _address_space_bytes() -> int:
    """Return the address space that the libraries use; 0 where the system does not say, and memory stays unlimited."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _restrict_by_landlock() -> None:
    """Refuse all files, TCP ports, signals and abstract sockets outside of this process, as far as the kernel knows."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = int(call(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION_QUERY))
    if version < 1:
        return
    file_rights = (1 << max(count for since, count in _FILE_RIGHTS.items() if since <= version)) - 1
    net_rights = 0b11 if version >= _NET_RIGHTS_FROM else 0
    scopes = 0b11 if version >= _SCOPES_FROM else 0
    attributes = struct.pack("=QQQ", file_rights, net_rights, scopes)
    # An older kernel takes the beginning that it knows, if the rest is zero; of the size it expects.
    ruleset = int(call(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0))
    if ruleset < 0:
        return
    call(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _filter_calls(machine: str) -> None:
    """Load the seccomp filter: on an unknown architecture there is none, and the other layers hold."""
    if machine not in CALLS:
        return
    program = call_filter(machine)
    filters = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions and a pointer to them.
    header = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(filters))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.create_string_buffer(header, len(header)))


def call_filter(machine: str) -> bytes:
    """Return the BPF program of the filter for ``x86_64`` or ``aarch64``: 8 bytes an instruction.

    A foreign architecture's calls kill the process, since their numbers mean something else; a call that is not allowed
    fails with EPERM.
    """
    calls = sorted(CALLS[machine].values())
    memory = MEMORY_CALLS[machine]
    refuse = len(calls) + len(memory)
    check_memory, allow = refuse + 1, refuse + 4
    kill = allow + 1
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 0, kill + 2, ARCHITECTURES[machine]),
        (_LOAD, 0, 0, _CALL_AT),
        (_JUMP_NOT_LESS, kill, 0, _X32_CALLS_FROM),
    ]
    program += [(_JUMP_EQUAL, allow - at - 1, 0, call) for at, call in enumerate(calls)]
    program += [(_JUMP_EQUAL, check_memory - at - 1, 0, call) for at, call in enumerate(memory, start=len(calls))]
    program += [
        (_RETURN, 0, 0, _RET_EPERM),
        (_LOAD, 0, 0, _THIRD_ARGUMENT_AT),
        (_JUMP_ANY_BIT, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _RET_EPERM),
        (_RETURN, 0, 0, _RET_ALLOW),
        (_RETURN, 0, 0, _RET_KILL_PROCESS),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
