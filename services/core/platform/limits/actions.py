"""Charge requests to token buckets: those that all processes share, and those of this process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import NamedStatement
from services.core.platform.errors import RetryLaterError
from services.core.platform.limits.memory import local_buckets
from services.core.platform.limits.rules import ROUNDING, Limits, wait_for, whole_seconds

# Computes rules.take in one statement, so that two processes never grant the same token.
_TAKE: Final = NamedStatement(
    """
    INSERT INTO limit_bucket AS held (bucket_key, tokens, granted, filled_at, full_at)
    SELECT :key, asked.burst - asked.cost, true, asked.at, asked.at + make_interval(secs => asked.cost / asked.rate)
    FROM (
        SELECT CAST(:burst AS double precision) AS burst, CAST(:cost AS double precision) AS cost,
               CAST(:rate AS double precision) AS rate, CAST(:now AS timestamptz) AS at
    ) AS asked
    ON CONFLICT (bucket_key) DO UPDATE SET (tokens, granted, filled_at, full_at) = (
        SELECT left_over, filled + :rounding >= cost, filled_at,
               filled_at + make_interval(secs => (burst - left_over) / rate)
        FROM (
            SELECT *, CASE WHEN filled + :rounding >= cost THEN filled - cost ELSE filled END AS left_over
            FROM (
                SELECT burst, cost, rate, GREATEST(held.filled_at, at) AS filled_at,
                       LEAST(burst, held.tokens + rate * GREATEST(0, EXTRACT(EPOCH FROM at - held.filled_at))) AS filled
                FROM (
                    SELECT CAST(:burst AS double precision) AS burst, CAST(:cost AS double precision) AS cost,
                           CAST(:rate AS double precision) AS rate, CAST(:now AS timestamptz) AS at
                ) AS asked
            ) AS filling
        ) AS judged
    )
    RETURNING tokens, granted
    """
)


@dataclass(frozen=True)
class Charge:
    """The cost of one request to one limit, counted for one phone, address, account or range."""

    limit: Limits
    whose: str
    cost: int = 1


async def charge(work: UnitOfWork, *charges: Charge) -> None:
    """Charge all limits or none. Raises RetryLaterError with the wait of the first exhausted limit.

    Shared limits are committed at once, so that no other request waits for this one's transaction: then this must be
    the first call of a unit of work. Limits of this process (`Limit.is_shared`) are charged in memory, one at a time.
    """
    if not all(charge.limit.value.is_shared for charge in charges):
        [local] = charges
        wait_s = local_buckets(work).charge(local.limit, local.whose, work.now, local.cost)
        if wait_s:
            raise RetryLaterError(whole_seconds(timedelta(seconds=wait_s)))
        return
    order = list(Limits)
    # One charge is a transaction by itself; several are rolled back together when one is refused.
    take = _TAKE.fetch_last if len(charges) == 1 else _TAKE.fetch
    for charge in sorted(charges, key=lambda charge: (order.index(charge.limit), charge.whose)):
        limit = charge.limit.value
        values = {
            "key": work.vault.keyed_hash(f"{charge.limit.name}/{charge.whose}", "limit-bucket"),
            "burst": float(limit.burst), "cost": float(charge.cost), "rate": limit.tokens_per_s, "now": work.now,
            "rounding": ROUNDING,
        }  # fmt: skip
        [(tokens, is_granted)] = await take(work, values)
        if not is_granted:
            raise RetryLaterError(whole_seconds(wait_for(limit, tokens, charge.cost)))
    await work.commit_early()


async def use_once(work: UnitOfWork, purpose: str, value: str, kept_for: timedelta) -> bool:
    """Mark a value as used; return whether this was its first use. The mark is deleted some time after ``kept_for``."""
    key = work.vault.keyed_hash(f"{purpose}/{value}", "limit-bucket")
    marked = await work.fetch(
        "INSERT INTO limit_bucket (bucket_key, tokens, granted, filled_at, full_at) VALUES ($1, 0, true, $2, $3)"
        " ON CONFLICT DO NOTHING RETURNING true", key, work.now, work.now + kept_for,
    )  # fmt: skip
    return bool(marked)
