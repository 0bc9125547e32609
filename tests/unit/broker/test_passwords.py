"""Valid lines of a password file, and when Mosquitto may be signalled to read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.broker.errors import PasswordFileBrokenError
from services.broker.passwords import BrokerLogin, is_watch_login, render_passwords, verify_passwords
from services.core.platform.crypto.broker_password import is_mosquitto_hash, mosquitto_hash, mosquitto_hash_fits

# Made by mosquitto_passwd 2.0.11 of the password "secret".
BY_MOSQUITTO = (
    "$7$101$AUAZi/mpefo7MXdE$Oa5OzUI75eFOQeY5g8s6M5smqBMAeSCTCxt3E7xQbksKUSvk6XvoN2prPtlEjiHYSWeZwRI5xbEGr3mbG/z8bQ=="
)
HASH = mosquitto_hash("secret")


def test_a_hash_is_what_mosquittos_own_tool_makes() -> None:
    assert is_mosquitto_hash(BY_MOSQUITTO)
    assert mosquitto_hash_fits("secret", BY_MOSQUITTO)
    assert not mosquitto_hash_fits("Secret", BY_MOSQUITTO)


def test_every_hash_is_salted_anew_and_fits_its_password_only() -> None:
    assert mosquitto_hash("secret") != HASH
    assert mosquitto_hash_fits("secret", HASH)
    assert not mosquitto_hash_fits("", HASH)
    assert mosquitto_hash_fits("密码\N{WATCH}", mosquitto_hash("密码\N{WATCH}"))


@pytest.mark.parametrize(
    "text", ["", "$7$", HASH[:-1], HASH + "A", HASH + "\n", f" {HASH}", HASH.replace("$7", "$6", 1)]
)
def test_what_mosquitto_would_not_read_as_a_hash_fits_nothing(text: str) -> None:
    assert not is_mosquitto_hash(text)
    assert not mosquitto_hash_fits("secret", text)


@pytest.mark.parametrize("name", ["f-SIM1", "f-A1B2C3D4E5F6G7H8I9J0", "w-7k3q2v2m4x5d", "w-" + "a" * 32])
def test_names_of_watches_may_be_written(name: str) -> None:
    assert is_watch_login(BrokerLogin(name, HASH))


@pytest.mark.parametrize(
    "name",
    ["", "f-", "f-abcd", "f-ABC", "w-7k3q2v2m4x5", "w-7k3q2v2m4x50", "w-aaaaaaaaaaaa\nx:y", "w-aaaaaaaaaaaa\n",
     "sw-backend", "sw-probe", "w-aaaaaaaaaa+a", "w-aaaaaaaaaa/a", "w-aaaaaaaaaa:a", "#", "W-AAAAAAAAAAAA"],
)  # fmt: skip
def test_other_names_may_not(name: str) -> None:
    assert not is_watch_login(BrokerLogin(name, HASH))


def test_the_same_users_give_the_same_bytes_in_any_order() -> None:
    users = [BrokerLogin("w-bbbbbbbbbbbb", HASH), BrokerLogin("f-SIM1", HASH)]
    assert render_passwords(users) == render_passwords(reversed(users))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        f"sw-probe:{HASH}".encode()[:-1],
        f"sw-probe:{HASH}\n\n".encode(),
        f"sw-probe:{HASH}\nsw-probe:{HASH}\n".encode(),
        f"sw-other:{HASH}\n".encode(),
        f"sw-probe:{HASH}\nw-aaaaaaaaaaaa:{HASH}\n".encode(),
        b"sw-probe:\n",
        b"\x00\xff",
    ],
)
def test_a_file_that_does_not_hold_exactly_its_users_is_not_handed_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "passwords"
    path.write_bytes(content)
    with pytest.raises(PasswordFileBrokenError):
        verify_passwords(path, {"sw-probe": HASH})


def test_a_file_that_is_not_there_or_would_hold_nobody_is_not_handed_over(tmp_path: Path) -> None:
    with pytest.raises(PasswordFileBrokenError):
        verify_passwords(tmp_path / "passwords", {"sw-probe": HASH})
    (tmp_path / "passwords").write_bytes(b"")
    with pytest.raises(PasswordFileBrokenError):
        verify_passwords(tmp_path / "passwords", {})


def test_a_file_as_it_was_rendered_is_handed_over(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    path.write_bytes(render_passwords([BrokerLogin("sw-probe", HASH), BrokerLogin("f-SIM1", HASH)]))
    verify_passwords(path, {"sw-probe": HASH, "f-SIM1": HASH})
