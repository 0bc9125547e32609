"""Digests of files in the form of `sha256sum`, appended as files are completed, so that each can be checked by hand."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_READ_BYTES = 1 << 20


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while block := source.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """Return the digest of each completed file by name. A line that was torn off belongs to no completed file."""
    try:
        text = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    lines = text[: text.rfind("\n") + 1].splitlines()
    return {match[2]: match[1] for line in lines if (match := _LINE.fullmatch(line))}


def append_sums(folder: Path, digests: Mapping[str, str]) -> None:
    """Record completed files; what was recorded survives a loss of power once this returns."""
    with _locked(folder):
        descriptor = os.open(folder / SUMS, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # The first line break ends what an interrupted writer left.
            torn = (
                os.fstat(descriptor).st_size > 0 and os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1) != b"\n"
            )
            text = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
            write_all(descriptor, (b"\n" if torn else b"") + text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def forget_sums(folder: Path, names: set[str]) -> None:
    """Drop the lines of deleted files."""
    with _locked(folder):
        kept = {name: digest for name, digest in read_sums(folder).items() if name not in names}
        coming = folder / f"{SUMS}.coming"
        coming.write_text("".join(f"{digest}  {name}\n" for name, digest in kept.items()), encoding="utf-8")
        sync(coming)
        coming.rename(folder / SUMS)


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything; a full disk raises OSError also after a part was written."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / f"{SUMS}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
