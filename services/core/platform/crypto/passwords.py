"""Passwords of staff, kept as argon2id."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from services.core.platform.crypto.random_ids import new_secret

# 46 MiB, one pass, one lane: the least that OWASP's password storage cheat sheet lists for argon2id. What is guessed is
# 125 random bits, and a dearer log-in is a better lever for whoever wants to keep the processors busy.
_HASHER: Final = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=47_104, parallelism=1),))


async def hash_password(password: str) -> str:
    """Return the salted hash of a password. It needs a noticeable time: run it off the event loop."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def password_fits(password: str, password_hash: str | None) -> bool:
    """Return whether a password matches the hash; without a hash, False after the same amount of work."""
    fits = await asyncio.to_thread(_HASHER.verify, password, password_hash or _hash_of_nothing())
    return fits and password_hash is not None


@cache
def _hash_of_nothing() -> str:
    return _HASHER.hash(new_secret())
