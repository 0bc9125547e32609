"""The real sandbox, with its real processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from services.core.platform.audio.sandbox import AudioSandbox


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sandbox() -> AsyncIterator[AudioSandbox]:
    """One sandbox for the tests of a module."""
    async with AudioSandbox() as sandbox:
        yield sandbox
