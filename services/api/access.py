"""The one access rule that guardians and staff share: a route that is open to everybody."""

from typing import ClassVar

from fastapi import Depends


class Open:
    """Everybody: log-in itself, public texts, health."""

    access_rule: ClassVar[str] = "open"

    async def __call__(self) -> None:
        """Let everyone through."""


OPEN = Depends(Open())
"""Declare this in the decorator of a route that everybody may use."""
