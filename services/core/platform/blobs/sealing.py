"""Sealing of blobs in chunks, so that a range can be opened without the rest.

``version (1 byte) | salt (16) | chunk | chunk | ...``; a chunk is 64 KiB of plain bytes (the last one less, perhaps
none) as AES-256-GCM ciphertext with its tag of 16 bytes.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): each blob has a key of its own, by HKDF-SHA256
from the child's data key, the random salt and the blob's id, so that a nonce may be a counter: ``0 (7 bytes) | number
of the chunk (4) | 1 for the last, else 0 (1)``. A chunk that was cut off, moved, repeated, or taken from another blob
does not open.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.core.platform.blobs.errors import BlobBrokenError

CHUNK_BYTES = 64 * 1024
_TAG_BYTES = 16
_SEALED_CHUNK_BYTES = CHUNK_BYTES + _TAG_BYTES
_VERSION = b"\x01"
_SALT_BYTES = 16
HEADER_BYTES = 1 + _SALT_BYTES


def seal_blob(key: bytes, name: str, plaintext: bytes) -> bytes:
    """Seal ``plaintext`` under a 32-byte data key; opens only under the same name."""
    salt = secrets.token_bytes(_SALT_BYTES)
    cipher = AESGCM(_key_of_blob(key, name, salt))
    chunks = chunk_count(len(plaintext))
    sealed = [
        cipher.encrypt(
            _nonce(number, is_last=number == chunks - 1),
            plaintext[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES],
            None,
        )
        for number in range(chunks)
    ]
    return b"".join([_VERSION, salt, *sealed])


def open_chunks(key: bytes, name: str, header: bytes, sealed: bytes, *, first: int, of_chunks: int) -> bytes:
    """Return the plain bytes of whole sealed chunks, of which the first is number ``first`` of ``of_chunks``.

    Raises BlobBrokenError: another key or name, or altered, cut or moved bytes.
    """
    if header[:1] != _VERSION or len(header) != HEADER_BYTES:
        raise BlobBrokenError
    cipher = AESGCM(_key_of_blob(key, name, header[1:]))
    try:
        return b"".join(
            cipher.decrypt(
                _nonce(first + number, is_last=first + number == of_chunks - 1),
                sealed[place : place + _SEALED_CHUNK_BYTES],
                None,
            )
            for number, place in enumerate(range(0, len(sealed), _SEALED_CHUNK_BYTES))
        )
    except InvalidTag as error:
        raise BlobBrokenError from error


def chunk_count(plain_bytes: int) -> int:
    """Return how many chunks so many plain bytes make; nothing at all makes one."""
    return max(1, -(-plain_bytes // CHUNK_BYTES))


def plain_size(sealed_bytes: int) -> int:
    """Return how many plain bytes a sealed blob holds; raises BlobBrokenError for a size that none has."""
    body = sealed_bytes - HEADER_BYTES
    chunks = -(-body // _SEALED_CHUNK_BYTES)
    plain = body - chunks * _TAG_BYTES
    if chunks < 1 or plain < 0 or chunk_count(plain) != chunks:
        raise BlobBrokenError
    return plain


def span_of_chunks(first: int, last: int, sealed_bytes: int) -> tuple[int, int]:
    """Return where the sealed chunks ``first`` to ``last`` begin and end within the object."""
    start = HEADER_BYTES + first * _SEALED_CHUNK_BYTES
    return start, min(HEADER_BYTES + (last + 1) * _SEALED_CHUNK_BYTES, sealed_bytes)


def _key_of_blob(key: bytes, name: str, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=f"smartwatch/blob/{name}".encode()).derive(key)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return bytes(7) + number.to_bytes(4, "big") + bytes([is_last])
