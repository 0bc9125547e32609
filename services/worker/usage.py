"""What the worker does for usage: count what happened, forget who is not to be counted, publish weeks, end files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.core.db.database import UnitOfWork
from services.core.usage.counting import count_some
from services.core.usage.export_jobs import expire_one_file
from services.core.usage.forgetting import forget_one_long_over, forget_one_unmeasured
from services.core.usage.publishing import publish_one_week

# In this order: who is forgotten first is in nothing that follows.
USAGE_SWEEPS: tuple[Callable[[UnitOfWork], Awaitable[bool]], ...] = (
    forget_one_unmeasured, forget_one_long_over, count_some, publish_one_week, expire_one_file,
)  # fmt: skip
