"""Sealing of small values and keyed hashes, all under the master keys.

A sealed value is ``version 1 (1 byte) | nonce (12 bytes) | AES-256-GCM ciphertext and tag``. The context (what the
value is and whose) is authenticated with it, so that a sealed value moved to another row does not open.

What is sealed under a master key says under which: ``version 2 (1 byte) | length of the id (1) | id | sealed value``.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Final, Self

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.core.platform.crypto.errors import MasterKeyMissingError
from services.core.platform.settings import Settings

# The id of a master key that was given alone, without one.
FIRST_KEY_ID: Final = "first"
KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VERSION: Final = b"\x01"
_VERSION_WITH_ID: Final = b"\x02"
_NONCE_BYTES: Final = 12

log = structlog.get_logger()


class SealBrokenError(Exception):
    """A sealed value cannot be opened: wrong key, wrong context, or altered bytes."""


def seal(key: bytes, plaintext: bytes, context: str) -> bytes:
    """Encrypt ``plaintext`` under a 32-byte ``key``; opens only with the same key and context."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + _cipher(key).encrypt(nonce, plaintext, context.encode())


def unseal(key: bytes, sealed: bytes, context: str) -> bytes:
    """Decrypt what :func:`seal` made; raises :class:`SealBrokenError`."""
    if sealed[:1] != _VERSION:
        raise SealBrokenError
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return _cipher(key).decrypt(nonce, ciphertext, context.encode())
    except (InvalidTag, ValueError) as error:
        # ValueError: too short to hold a nonce.
        raise SealBrokenError from error


def mark_of(key_id: str) -> bytes:
    """Return the prefix of every value that is sealed under this master key."""
    return _VERSION_WITH_ID + bytes([len(key_id)]) + key_id.encode()


def key_id_of(sealed: bytes) -> str:
    """Return the id of the master key that a value needs; empty for destroyed values and those older than key ids."""
    if sealed[:1] != _VERSION_WITH_ID:
        return ""
    return sealed[2 : 2 + sealed[1]].decode("ascii", "replace") if len(sealed) > 1 else ""


class Vault:
    """Operations with a master key: sealing, data keys, keyed hashes. Subkeys per purpose by HKDF (RFC 5869).

    The first of the master keys seals, all of them open. Hashes have a key of their own that never changes: what was
    stored under one is found again whichever master key is in use (docs/decisions/0016-key-rotation.md).
    """

    def __init__(self, master_keys: str | Mapping[str, str], hash_key: str | None = None) -> None:
        """Take base64 of 32 bytes each: one master key alone, or ids and keys; without ``hash_key`` the first hashes.

        Raises ValueError for an empty list or an id that is none.
        """
        given = {FIRST_KEY_ID: master_keys} if isinstance(master_keys, str) else dict(master_keys)
        if not given or any(KEY_ID.fullmatch(key_id) is None for key_id in given):
            message = "master keys have ids of 1 to 32 letters, digits, - or _"
            raise ValueError(message)
        self._keys = {key_id: base64.b64decode(key) for key_id, key in given.items()}
        self.newest_key_id = next(iter(self._keys))
        self._hash_key = self._keys[self.newest_key_id] if hash_key is None else base64.b64decode(hash_key)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the vault that the settings name."""
        if not settings.master_keys:
            alone = settings.master_key.get_secret_value()
            return cls(alone, settings.hash_key.get_secret_value() or None)
        keys = {key_id: key.get_secret_value() for key_id, key in settings.master_keys.items()}
        return cls(keys, settings.hash_key.get_secret_value())

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the configured master keys, newest first."""
        return tuple(self._keys)

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Seal a small value (a password in transit, a code still valid) under the newest master key."""
        return self._seal("seal", plaintext, context)

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Open what :meth:`seal` made; raises :class:`SealBrokenError`, MasterKeyMissingError."""
        return self._unseal("seal", sealed, context)

    def keyed_hash(self, value: str, purpose: str) -> bytes:
        """Return 32 bytes by which a short value (a code) can be looked up without storing it."""
        return hmac.new(_subkey(self._hash_key, f"hash/{purpose}"), value.encode(), hashlib.sha256).digest()

    def signing_seed(self, purpose: str) -> bytes:
        """Return 32 bytes for a key that signs; the same in every process and after every change of master keys."""
        return _subkey(self._hash_key, f"sign/{purpose}")

    def new_wrapped_key(self, context: str) -> bytes:
        """Make a 32-byte data key and return it wrapped; the plain key never reaches the database."""
        return self._seal("wrap", secrets.token_bytes(32), context)

    def unwrap_key(self, wrapped: bytes, context: str) -> bytes:
        """Return the data key that :meth:`new_wrapped_key` wrapped; raises SealBrokenError, MasterKeyMissingError."""
        return self._unseal("wrap", wrapped, context)

    def rewrap_key(self, wrapped: bytes, context: str) -> bytes:
        """Return the same data key wrapped under the newest master key; raises as :meth:`unwrap_key`."""
        return self._seal("wrap", self.unwrap_key(wrapped, context), context)

    def _seal(self, purpose: str, plaintext: bytes, context: str) -> bytes:
        key = _subkey(self._keys[self.newest_key_id], purpose)
        return mark_of(self.newest_key_id) + seal(key, plaintext, context)

    def _unseal(self, purpose: str, sealed: bytes, context: str) -> bytes:
        if sealed[:1] != _VERSION_WITH_ID:
            return self._unseal_without_id(purpose, sealed, context)
        key_id = key_id_of(sealed)
        if key_id not in self._keys:
            log.error("master_key_missing", key_id=key_id)
            raise MasterKeyMissingError(key_id)
        return unseal(_subkey(self._keys[key_id], purpose), sealed[len(mark_of(key_id)) :], context)

    def _unseal_without_id(self, purpose: str, sealed: bytes, context: str) -> bytes:
        """Open a value older than key ids by trying each key: only the right one opens it."""
        for key in self._keys.values():
            try:
                return unseal(_subkey(key, purpose), sealed, context)
            except SealBrokenError:
                continue
        raise SealBrokenError


# One only: the key of a child that is erased stays no longer than until the next message of another child.
@functools.lru_cache(maxsize=1)
def _cipher(key: bytes) -> AESGCM:
    """Return the cipher of a key: an array of fixes, and a page of messages, use one key fifty times in a row."""
    return AESGCM(key)


@functools.lru_cache(maxsize=64)
def _subkey(key: bytes, purpose: str) -> bytes:
    """Derive once: each message opens the key of a child."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"smartwatch/{purpose}".encode()).derive(key)
