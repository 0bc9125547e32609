"""Web Push: encryption of a note for one browser (RFC 8291) and identification of the sender (VAPID, RFC 8292)."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.core.devices.push.errors import PushKeysInvalidError
from services.core.platform.crypto.vault import Vault

_CURVE: Final = ec.SECP256R1()
# FIPS 186-4 D.1.2.3: the order of P-256's base point; a private key is below it and not zero.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_AUTH_BYTES: Final = 16
_POINT_BYTES: Final = 65
_RECORD_BYTES: Final = 4096
# RFC 8292 section 2: at most 24 hours.
_TOKEN_LIVES: Final = timedelta(hours=12)


@dataclass(frozen=True)
class BrowserKeys:
    """The keys of a subscription: the browser's public point and its authentication secret."""

    point: bytes
    auth: bytes


def browser_keys(p256dh: str, auth: str) -> BrowserKeys:
    """Return the keys of a subscription, base64url as browsers write them. Raises PushKeysInvalidError."""
    try:
        keys = BrowserKeys(_unpadded(p256dh), _unpadded(auth))
        if len(keys.auth) != _AUTH_BYTES or len(keys.point) != _POINT_BYTES:
            raise PushKeysInvalidError
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, keys.point)
    except (binascii.Error, ValueError) as error:
        raise PushKeysInvalidError from error
    return keys


def encrypt_notification(
    keys: BrowserKeys, note: bytes, *, ephemeral: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """Return the body of a push message: header and one record, readable by the browser alone.

    ``ephemeral`` and ``salt`` are random; only the test with the example of the RFC passes them.
    """
    mine = ephemeral or ec.generate_private_key(_CURVE)
    salt = salt or secrets.token_bytes(16)
    shared = mine.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, keys.point))
    my_point = _point(mine.public_key())
    secret = _derived(shared, keys.auth, b"WebPush: info\x00" + keys.point + my_point, 32)
    content_key = _derived(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\x00", 12)
    # RFC 8188 section 2: 0x02 ends the last record.
    sealed = AESGCM(content_key).encrypt(nonce, note + b"\x02", None)
    return salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(my_point)]) + my_point + sealed


class PushIdentity:
    """The key that identifies this sender to push services, derived from the master key, so that it is not stored."""

    def __init__(self, vault: Vault) -> None:
        number = int.from_bytes(vault.keyed_hash("vapid", "push-identity"), "big")
        self._private = ec.derive_private_key(number % (_ORDER - 1) + 1, _CURVE)
        self.public_key = base64.urlsafe_b64encode(_point(self._private.public_key())).decode().rstrip("=")

    def authorization(self, origin: str, subject: str, now: datetime) -> str:
        """Return the Authorization header for a push service of this origin (scheme and host)."""
        claims = {"aud": origin, "exp": int((now + _TOKEN_LIVES).timestamp()), "sub": subject}
        return f"vapid t={jwt.encode(claims, self._private, algorithm='ES256')}, k={self.public_key}"


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def _unpadded(written: str) -> bytes:
    return base64.b64decode(written.rstrip("=") + "=" * (-len(written.rstrip("=")) % 4), altchars=b"-_", validate=True)
