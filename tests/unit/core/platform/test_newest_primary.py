"""The servers of an address."""

from __future__ import annotations

import pytest

from services.core.platform.db.newest_primary import hosts_of


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u:p@a:5432,b:6432/name?target_session_attrs=read-write", [("a", 5432), ("b", 6432)]),
        ("postgresql://u@a,[::1]:5433/name", [("a", 5432), ("::1", 5433)]),
        ("postgresql://a/name", [("a", 5432)]),
        ("postgresql://a,b?sslmode=require", [("a", 5432), ("b", 5432)]),
        ("postgresql://u@/name?host=a,b&port=6432,6433", [("a", 6432), ("b", 6433)]),
        ("postgresql:///name?host=a,/run/postgresql&port=6432", [("a", 6432), ("/run/postgresql", 6432)]),
    ],
)
def test_hosts_are_read_from_the_url(url: str, hosts: list[tuple[str, int]]) -> None:
    assert hosts_of(url) == hosts
