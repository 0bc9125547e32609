"""Write docs/limits.md from the limits: ``python -m services.api.limits_page > docs/limits.md``."""

from __future__ import annotations

import sys
from datetime import timedelta

from services.api.body_limits import (
    BODY_GRACE_S,
    BODY_MAX_BYTES,
    BODY_MIN_BYTES_PER_S,
    LIST_BODY_MAX_BYTES,
    RECORDING_BODY_MAX_BYTES,
    SESSION_MAX_BYTES,
    SESSIONS_MAX_BYTES,
    STRANGERS_MAX_BYTES,
)
from services.api.http_server import HEADERS_WITHIN_S, MAX_CONNECTIONS
from services.api.json_bodies import JSON_MAX_DEPTH
from services.core.platform.limits.rules import MOST_STREAMS_OF_GUARDIAN, MOST_STREAMS_OF_SESSION, Limit, Limits

_HEAD = """# Limits

Each limit is a token bucket: a burst at once, then an even refill. A refused request takes no token from any bucket.
The API answers it with 429 `too_many_requests`, `retry_after_s` and the header `Retry-After`. A watch gets a receipt
`retry` with `retry_after_s`, and keeps its message.

The database holds the buckets, so all processes count together; it stores the owner of a bucket as a keyed hash.
Limits marked *per process* bound the load alone and guard neither money nor a secret: each process counts them in its
memory. With N processes of the API a caller gets between one and N times the limit, and a restart fills the bucket. The
limits of watches are counted by the one bridge that reads.

The client address is the address of the socket. Behind a proxy named in `SMARTWATCH_TRUSTED_PROXIES` it is the last
address in `X-Forwarded-For` that is not such a proxy. Of an IPv6 address the first 64 bits count.

A phone that has logged in before sends its device token and uses buckets of its own: strangers who request codes for
its number do not use them up. No limit locks anybody out: the last column is the longest wait for the next token.

This page is written by `python -m services.api.limits_page`; a test compares it with the code.
"""

_FOOT = f"""## Open at the same time

Event streams (`GET /v1/events`), counted over all processes: {MOST_STREAMS_OF_SESSION} for each session,
{MOST_STREAMS_OF_GUARDIAN} for each guardian. One more is opened and the oldest is closed: a phone that lost its network
cannot close its old streams. Unfinished uploads, exports and files in the making have bounds of their own, answered as
problems.

## Bodies

At most {BODY_MAX_BYTES // 1024} KiB, a recording {RECORDING_BODY_MAX_BYTES // 1024} KiB, a list
{LIST_BODY_MAX_BYTES // 1024} KiB. Bytes are counted while they are read. A recording or a list without a valid access
token is refused unread. JSON nests at most {JSON_MAX_DEPTH} levels, counted before it is parsed, and names no key
twice. A body with a `Content-Encoding` is refused.

The headers of a request arrive within {HEADERS_WITHIN_S:g} s, its body at {BODY_MIN_BYTES_PER_S} bytes a second or more
after the first {BODY_GRACE_S:g} s; a slower one is answered 408 `request_too_slow`. One process buffers
{STRANGERS_MAX_BYTES // 2**20} MiB of bodies without a token, {SESSIONS_MAX_BYTES // 2**20} MiB of bodies with one, and
{SESSION_MAX_BYTES // 2**20} MiB of one session. Beyond that a request is answered 503 `try_again` with `Retry-After`;
of requests without a token that is the oldest one whose body is still incomplete.

An idle connection is kept for the seconds that `SMARTWATCH_API_KEEP_ALIVE_S` says. A process keeps
{MAX_CONNECTIONS} connections, fewer where it may open fewer files; beyond that it closes the oldest ones on which no
request is being answered.
"""


def limits_page() -> str:
    """Return the page: every limit, in the order in which they are charged."""
    rows = [
        f"| {limit.value.each} | {limit.value.what}{'' if limit.value.is_shared else ' (per process)'} "
        f"| {limit.value.burst} | {limit.value.refill} {_span(limit.value.span)} | {_wait(limit.value)} |"
        for limit in Limits
    ]
    return "\n".join(
        [
            _HEAD,
            "| for each | what | at once | then | longest wait for one |",
            "|---|---|---|---|---|",
            *rows,
            "",
            _FOOT,
        ]
    )


def _span(span: timedelta) -> str:
    return "a day" if span == timedelta(days=1) else "an hour"


def _wait(limit: Limit) -> str:
    wait_s = 1 / limit.tokens_per_s
    return f"{wait_s:.3g} s" if wait_s < 60 else f"{wait_s / 60:.3g} min"  # noqa: PLR2004 - a minute


if __name__ == "__main__":
    sys.stdout.write(limits_page())
