"""Sealing of small values and keyed hashes, all under the master key.

A sealed value is ``version (1 byte) | nonce (12 bytes) | AES-256-GCM ciphertext and tag``. The context (what the value
is and whose) is authenticated with it, so that a sealed value moved to another row does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE_BYTES = 12


class SealBrokenError(Exception):
    """A sealed value does not open: wrong key, wrong context, or altered bytes."""


def seal(key: bytes, plaintext: bytes, context: str) -> bytes:
    """Encrypt ``plaintext`` under a 32-byte ``key``; opens only with the same key and context."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode())


def unseal(key: bytes, sealed: bytes, context: str) -> bytes:
    """Decrypt what :func:`seal` made; raises :class:`SealBrokenError`."""
    if sealed[:1] != _VERSION:
        raise SealBrokenError
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, context.encode())
    except InvalidTag as error:
        raise SealBrokenError from error


class Vault:
    """What needs the master key: sealing, data keys, keyed hashes. Subkeys per purpose by HKDF (RFC 5869)."""

    def __init__(self, master_key_base64: str) -> None:
        self._master = base64.b64decode(master_key_base64)

    def _subkey(self, purpose: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"smartwatch/{purpose}".encode()).derive(
            self._master
        )

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Seal a small value (a password in transit, a code still valid) under the master key."""
        return seal(self._subkey("seal"), plaintext, context)

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Open what :meth:`seal` made; raises :class:`SealBrokenError`."""
        return unseal(self._subkey("seal"), sealed, context)

    def keyed_hash(self, value: str, purpose: str) -> bytes:
        """Return 32 bytes by which a short value (a code) can be looked up without storing it."""
        return hmac.new(self._subkey(f"hash/{purpose}"), value.encode(), hashlib.sha256).digest()

    def new_wrapped_key(self, context: str) -> bytes:
        """Make a 32-byte data key and return it wrapped; the plain key never reaches the database."""
        return seal(self._subkey("wrap"), secrets.token_bytes(32), context)

    def unwrap_key(self, wrapped: bytes, context: str) -> bytes:
        """Return the data key that :meth:`new_wrapped_key` wrapped; raises :class:`SealBrokenError`."""
        return unseal(self._subkey("wrap"), wrapped, context)
