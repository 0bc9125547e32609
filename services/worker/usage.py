"""What the worker does for usage: count what happened, forget who is not to be counted, publish weeks, end files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.core.measurement.counting.actions import count_some
from services.core.measurement.counting.purging import purge_one_long_over, purge_one_unmeasured
from services.core.measurement.exports.actions import expire_one_file
from services.core.measurement.publishing.actions import publish_one_week
from services.core.platform.db.database import UnitOfWork

# In this order: who is forgotten first is in nothing that follows.
USAGE_SWEEPS: tuple[Callable[[UnitOfWork], Awaitable[bool]], ...] = (
    purge_one_unmeasured, purge_one_long_over, count_some, publish_one_week, expire_one_file,
)  # fmt: skip
