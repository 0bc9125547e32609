"""Mosquitto's persistence file: whether it is whole, and what each session in it holds.

Format 6 of Mosquitto 2.0 and 2.1 (`persist.h`): 15 bytes of magic, a checksum that is always 0, the version; then
chunks, each with a kind and a length, all numbers big endian. A file of another version is not judged: Mosquitto
decides.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAGIC: Final = b"\x00\xb5\x00mosquitto db"
_VERSION: Final = 6
_HEADER_BYTES: Final = len(_MAGIC) + 8
_CHUNK: Final = struct.Struct(">II")
_UINT16: Final = struct.Struct(">H")
_CONFIG, _STORED_MESSAGE, _CLIENT_MESSAGE, _RETAINED, _SUBSCRIPTION, _CLIENT = range(1, 7)
# Of each kind that names a client: where the length of its id stands, and where the id begins.
_CLIENT_ID_AT: Final = {_CLIENT_MESSAGE: (10, 16), _SUBSCRIPTION: (4, 12), _CLIENT: (14, 24)}

# Mosquitto's words when it ends because of the file.
_REFUSED: Final = ("Couldn't open database", "Unable to restore persistent database")


class _DamagedError(Exception):
    """The file breaks off in a chunk, or holds one that no version writes."""


def is_damaged(path: Path) -> bool:
    """Return whether Mosquitto would end because of this file, or read it only in part; a missing one is whole.

    Raises OSError when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size == 0:
                return False  # Mosquitto starts with it, empty
            if size < _HEADER_BYTES:
                return True
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if content[: len(_MAGIC)] != _MAGIC:
                    return True
                for _ in _chunks(content):
                    pass
    except FileNotFoundError:
        return False
    except _DamagedError:
        return True
    return False


def session_sizes(path: Path) -> dict[str, int]:
    """Return the bytes that each session holds in the file, by client id: queued messages, subscriptions, itself.

    A message queued for several sessions counts for each. Empty when there is no file or it cannot be understood.
    """
    sizes: dict[str, int] = {}
    stored: dict[bytes, int] = {}
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for kind, start, length in _chunks(content):
                if kind == _STORED_MESSAGE:
                    stored[content[start : start + 8]] = length
                elif kind in _CLIENT_ID_AT:
                    length_at, id_at = (start + offset for offset in _CLIENT_ID_AT[kind])
                    (id_length,) = _UINT16.unpack_from(content, length_at)
                    client_id = content[id_at : id_at + id_length].decode("utf-8", "replace")
                    message = stored.get(content[start : start + 8], 0) if kind == _CLIENT_MESSAGE else 0
                    sizes[client_id] = sizes.get(client_id, 0) + length + message
    except (FileNotFoundError, ValueError, struct.error, _DamagedError):
        return {}  # missing, empty, or being replaced
    return sizes


def is_refusal(lines: list[str]) -> bool:
    """Return whether Mosquitto's last lines say that it ended because of its persistence file."""
    return any(reason in line for line in lines for reason in _REFUSED)


def _chunks(content: mmap.mmap) -> Iterator[tuple[int, int, int]]:
    """Yield kind, start and length of each chunk's body; nothing for another version."""
    (version,) = struct.unpack_from(">I", content, len(_MAGIC) + 4)
    if version != _VERSION:
        return
    at, end = _HEADER_BYTES, len(content)
    while at < end:
        if end - at < _CHUNK.size:
            raise _DamagedError
        kind, length = _CHUNK.unpack_from(content, at)
        at += _CHUNK.size
        if not _CONFIG <= kind <= _CLIENT or length > end - at:
            raise _DamagedError
        yield kind, at, length
        at += length
