"""Charge requests to token buckets that all processes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from services.core.platform.db.database import UnitOfWork
from services.core.platform.errors import RetryLaterError
from services.core.platform.limits.rules import ROUNDING, Limits, wait_for, whole_seconds

# Computes rules.take in one statement, so that two processes never grant the same token.
_TAKE: Final = text(
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
    """Charge all limits or none, and commit at once, so that no other request waits for this one's transaction.

    Must be the first call of a unit of work. Raises RetryLaterError with the wait of the first exhausted limit.
    """
    order = list(Limits)
    for charge in sorted(charges, key=lambda charge: (order.index(charge.limit), charge.whose)):
        limit = charge.limit.value
        taken = await work.run(
            _TAKE,
            {
                "key": work.vault.keyed_hash(f"{charge.limit.name}/{charge.whose}", "limit-bucket"),
                "burst": float(limit.burst), "cost": float(charge.cost), "rate": limit.tokens_per_s, "now": work.now,
                "rounding": ROUNDING,
            },
        )  # fmt: skip
        row = taken.one()
        if not row.granted:
            raise RetryLaterError(whole_seconds(wait_for(limit, row.tokens, charge.cost)))
    await work.commit_early()
