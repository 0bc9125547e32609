"""Password hashes in the format of Mosquitto's password file."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

# Mosquitto computes this in its one thread at every login and 101 is its own number: passwords here are random and of
# at least 128 bits, so stretching would only slow down 10,000 watches that come back at once.
_ITERATIONS = 101
_SALT_BYTES = 12
_FORM = re.compile(r"\$7\$(\d{1,7})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{86}==)")


def mosquitto_hash(password: str) -> str:
    """Return ``$7$iterations$salt$hash`` (PBKDF2-SHA512) of a password; every call salts anew."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_mosquitto_hash(text: str) -> bool:
    """Return whether Mosquitto accepts this as a password hash."""
    return _FORM.fullmatch(text) is not None


def mosquitto_hash_fits(password: str, password_hash: str) -> bool:
    """Return whether the password matches the hash; a malformed hash matches none."""
    parts = _FORM.fullmatch(password_hash)
    if parts is None:
        return False
    salt = base64.b64decode(parts[2])
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, int(parts[1]))
    return hmac.compare_digest(digest, base64.b64decode(parts[3]))
