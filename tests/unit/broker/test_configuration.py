"""The one configuration: what is shipped, what is filled in, and what fails closed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from services.broker.access import ACCESS_SHA256, verify_access
from services.broker.configuration import (
    SHIPPED,
    BrokerConfiguration,
    render_configuration,
    render_reload_configuration,
)
from services.broker.errors import AccessFileBrokenError

PEM = Path("some.pem")
PLAIN = BrokerConfiguration(Path("mosquitto"), 1884, plain_port=1883)
TLS = BrokerConfiguration(Path("mosquitto"), 1884, tls_port=8883, certificate_file=PEM, key_file=PEM)


def directives(configuration: BrokerConfiguration) -> list[str]:
    lines = render_configuration(configuration).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def listeners(configuration: BrokerConfiguration) -> dict[str, list[str]]:
    """Return the directives below each listener, by port."""
    listeners: dict[str, list[str]] = {}
    port = ""
    for line in directives(configuration):
        if line.startswith("listener "):
            port = line.split()[1]
            listeners[port] = []
        elif port:
            listeners[port].append(line)
    return listeners


def test_the_shipped_access_file_is_the_one_the_code_knows() -> None:
    # A change of access rights changes this hash in the same commit.
    assert hashlib.sha256((SHIPPED / "acl").read_bytes()).hexdigest() == ACCESS_SHA256


@pytest.mark.parametrize("configuration", [PLAIN, TLS])
def test_no_listener_lets_anybody_in_without_a_name_or_gives_rights_of_its_own(
    configuration: BrokerConfiguration,
) -> None:
    lines = directives(configuration)
    first_listener = next(number for number, line in enumerate(lines) if line.startswith("listener "))
    for once in ("per_listener_settings false", "allow_anonymous false", "password_file passwords", "acl_file acl"):
        assert lines.index(once) < first_listener
        assert lines.count(once) == 1
    for port, own in listeners(configuration).items():
        assert ("use_username_as_clientid true" in own) == (port != "1884")


def test_only_the_listeners_asked_for_are_there_and_the_plain_one_on_loopback_only() -> None:
    assert set(listeners(PLAIN)) == {"1883", "1884"}
    assert set(listeners(TLS)) == {"8883", "1884"}
    assert "listener 1883 127.0.0.1" in directives(PLAIN)


def test_nothing_is_left_to_fill_in_and_no_payload_can_reach_the_log() -> None:
    text = "\n".join(directives(TLS))
    assert not re.search(r"[$]", text)
    assert {line for line in directives(TLS) if line.startswith("log_type")} == {
        "log_type error",
        "log_type warning",
        "log_type notice",
    }


@pytest.mark.parametrize("configuration", [PLAIN, TLS])
def test_at_a_reload_everything_but_the_listeners_is_read_again(configuration: BrokerConfiguration) -> None:
    whole = directives(configuration)
    first_listener = next(number for number, line in enumerate(whole) if line.startswith("listener "))
    again = render_reload_configuration(configuration).splitlines()
    assert [line for line in again if line and not line.startswith("#")] == whole[:first_listener]
    assert all("max_qos 1" in own for port, own in listeners(configuration).items() if port != "1884")


def test_a_broker_without_a_door_for_watches_or_without_its_key_is_refused() -> None:
    with pytest.raises(ValueError, match="listener for watches"):
        BrokerConfiguration(Path("mosquitto"), 1884)
    with pytest.raises(ValueError, match="certificate_file"):
        BrokerConfiguration(Path("mosquitto"), 1884, tls_port=8883)


def test_a_shipped_access_file_that_is_damaged_is_not_spread(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    for content in (b"", b"topic readwrite #\n"):
        shipped.write_bytes(content)
        with pytest.raises(AccessFileBrokenError):
            verify_access(tmp_path / "acl", None, shipped)
        assert not (tmp_path / "acl").exists()
    shipped.unlink()
    with pytest.raises(AccessFileBrokenError):
        verify_access(tmp_path / "acl", None, shipped)


def test_an_access_file_as_shipped_is_left_alone_and_another_is_replaced(tmp_path: Path) -> None:
    assert verify_access(tmp_path / "acl", None)
    assert not verify_access(tmp_path / "acl", None)
    (tmp_path / "acl").write_bytes(b"topic readwrite #\n")
    assert verify_access(tmp_path / "acl", None)
    assert (tmp_path / "acl").read_bytes() == (SHIPPED / "acl").read_bytes()
