"""The seccomp filter, interpreted: also that of the architecture that these tests do not run on."""

from __future__ import annotations

import struct

import pytest

from services.core.platform.audio.confinement import ARCHITECTURES, CALLS, MEMORY_CALLS, call_filter

ALLOW, REFUSE, KILL = "allow", "refuse", "kill"
OUTCOMES = {0x7FFF0000: ALLOW, 0x00050001: REFUSE, 0x80000000: KILL}
PROT_READ, PROT_EXEC = 1, 4


def judge(program: bytes, architecture: int, call: int, third_argument: int = 0) -> str:
    """Interpret a BPF program on one call, as the kernel does."""
    seen = struct.pack("<IIQ6Q", call, architecture, 0, 0, 0, third_argument, 0, 0, 0)
    instructions = [struct.unpack("=HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    accumulator = at = 0
    while True:
        code, if_true, if_false, operand = instructions[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", seen, operand)
            case 0x15:
                at += if_true if accumulator == operand else if_false
            case 0x35:
                at += if_true if accumulator >= operand else if_false
            case 0x45:
                at += if_true if accumulator & operand else if_false
            case 0x06:
                return OUTCOMES[operand]
            case _:
                raise AssertionError(code)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_calls_of_decoding_are_allowed_and_all_others_refused(machine: str) -> None:
    program, architecture = call_filter(machine), ARCHITECTURES[machine]
    allowed = {call for call in range(600) if judge(program, architecture, call) == ALLOW}
    assert allowed == {*CALLS[machine].values(), *MEMORY_CALLS[machine]}
    assert all(judge(program, architecture, call) in {ALLOW, REFUSE} for call in range(600))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_memory_is_mapped_only_without_the_right_to_execute(machine: str) -> None:
    program, architecture = call_filter(machine), ARCHITECTURES[machine]
    for call in MEMORY_CALLS[machine]:
        assert judge(program, architecture, call, PROT_READ) == ALLOW
        assert judge(program, architecture, call, PROT_READ | PROT_EXEC) == REFUSE


def test_calls_of_a_foreign_architecture_end_the_process() -> None:
    program = call_filter("x86_64")
    assert judge(program, ARCHITECTURES["aarch64"], CALLS["x86_64"]["read"]) == KILL
    assert judge(program, 0x40000003, 3) == KILL, "32-bit calls of an Intel processor"
    assert judge(program, ARCHITECTURES["x86_64"], 0x40000000 + CALLS["x86_64"]["read"]) == KILL, "x32"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_nothing_that_reaches_outside_is_among_the_allowed(machine: str) -> None:
    reaching = {"open", "openat", "socket", "connect", "kill", "tgkill", "ptrace", "process_vm_readv", "clone", "fork",
                "execve", "ioctl", "prctl", "mmap", "mprotect"}  # fmt: skip
    assert not reaching & CALLS[machine].keys()
