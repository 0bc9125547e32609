"""Whose address a request is counted by: nobody chooses it by writing a header."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.api.client_address import client_address
from services.core.platform.settings import Environment, Settings

TRUSTED = Settings(environment=Environment.TEST, trusted_proxies="10.0.0.0/8, 192.0.2.7").trusted_networks()


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        # A stranger's header is not heard.
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        # Addresses written by the client stand left of the one that the proxy saw.
        ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.1, 192.0.2.7", "198.51.100.1"),
        ("10.1.2.3", None, "10.1.2.3"),
        ("10.1.2.3", "nonsense", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.1, unknown", "10.1.2.3"),
        ("10.1.2.3", "10.9.9.9, " * 500, "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        (None, "198.51.100.1", "unknown"),
        ("a.socket", None, "unknown"),
    ],
)
def test_the_address_counted(peer: str | None, forwarded: str | None, counted: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == counted


@pytest.mark.parametrize("word", ["everywhere", "10.0.0.1/8", "10.0.0.0/99", ";"])
def test_what_is_no_network_is_refused_at_the_start(word: str) -> None:
    with pytest.raises(ValidationError):
        Settings(environment=Environment.TEST, trusted_proxies=word)


def test_nobody_is_trusted_unless_named() -> None:
    assert Settings(environment=Environment.TEST).trusted_networks() == ()
