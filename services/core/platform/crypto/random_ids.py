"""Random ids and secrets: no id can be guessed from another one."""

from __future__ import annotations

import secrets

# RFC 4648 base32 in lower case: no 0/1/8/9, so that nothing is misread when typed from a watch's screen or a log.
BASE32_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LETTER_OF_BYTE = (BASE32_ALPHABET * 8).encode()


def new_ref(length: int = 16) -> str:
    """Return a random word of ``length`` letters a-z2-7, 5 bits each (16 letters: 80 bits)."""
    # All bytes by one system call; 256 is a multiple of 32, so that every letter is as likely.
    return secrets.token_bytes(length).translate(_LETTER_OF_BYTE).decode()


def new_secret() -> str:
    """Return a secret of 256 bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def new_digits(length: int = 6) -> str:
    """Return ``length`` random decimal digits, for codes that people type."""
    return "".join(secrets.choice("0123456789") for _ in range(length))
