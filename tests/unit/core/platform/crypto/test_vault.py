"""Master keys with ids: the first seals, all open, and hashes stay what they were."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from services.core.platform.crypto.errors import MasterKeyMissingError
from services.core.platform.crypto.vault import SealBrokenError, Vault, key_id_of, mark_of, seal
from services.core.platform.settings import Settings

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
BOTH = {"new": NEW, "first": OLD}


@given(plain=some.binary(max_size=200), context=some.text(max_size=20))
def test_what_is_sealed_opens_under_the_same_key_and_context_only(plain: bytes, context: str) -> None:
    sealed = Vault(OLD).seal(plain, context)
    assert key_id_of(sealed) == "first"
    assert Vault(BOTH, OLD).unseal(sealed, context) == plain
    for other in (Vault(NEW), Vault({"first": NEW, "second": OLD})):
        with pytest.raises(SealBrokenError):
            other.unseal(sealed, context)
    with pytest.raises(SealBrokenError):
        Vault(OLD).unseal(sealed, f"{context}/")


def test_the_first_of_several_seals_and_says_so() -> None:
    vault = Vault(BOTH, OLD)
    assert (vault.newest_key_id, vault.key_ids) == ("new", ("new", "first"))
    assert vault.seal(b"x", "c").startswith(mark_of("new"))
    assert vault.new_wrapped_key("c").startswith(mark_of("new"))
    assert Vault({"new": NEW}, OLD).unseal(vault.seal(b"x", "c"), "c") == b"x"


def test_a_key_that_is_not_there_is_named_and_nothing_else_is_said() -> None:
    sealed = Vault(OLD).seal(b"x", "c")
    with pytest.raises(MasterKeyMissingError) as refused:
        Vault({"new": NEW}, OLD).unseal(sealed, "c")
    assert refused.value.fields() == {"retry_after_s": 60, "key_id": "first"}


def test_a_wrapped_key_is_the_same_key_afterwards() -> None:
    wrapped = Vault(OLD).new_wrapped_key("child/1")
    again = Vault(BOTH, OLD).rewrap_key(wrapped, "child/1")
    assert key_id_of(again) == "new"
    assert Vault({"new": NEW}, OLD).unwrap_key(again, "child/1") == Vault(OLD).unwrap_key(wrapped, "child/1")
    with pytest.raises(SealBrokenError):
        Vault(BOTH, OLD).rewrap_key(wrapped, "child/2")


@given(damaged=some.binary(max_size=80), mark=some.sampled_from([b"", b"\x01", b"\x02", b"\x02\x05first", b"\x02\xff"]))
def test_what_is_no_sealed_value_is_refused_as_one(damaged: bytes, mark: bytes) -> None:
    with pytest.raises((SealBrokenError, MasterKeyMissingError)):
        Vault(OLD).unseal(mark + damaged, "c")


def test_what_was_sealed_before_keys_had_ids_opens_still() -> None:
    # The form of that time: the sealed value alone, under the same subkey.
    without_id = Vault(OLD).seal(b"x", "c").removeprefix(mark_of("first"))
    assert key_id_of(without_id) == ""
    assert Vault(BOTH, OLD).unseal(without_id, "c") == b"x"
    with pytest.raises(SealBrokenError):
        Vault({"new": NEW}, OLD).unseal(without_id, "c")
    with pytest.raises(SealBrokenError):
        Vault(OLD).unseal(seal(b"k" * 32, b"x", "c"), "c")


def test_hashes_follow_their_own_key_and_no_master_key() -> None:
    before = Vault(OLD).keyed_hash("482913", "pairing-code")
    for later in (Vault(BOTH, OLD), Vault({"new": NEW}, OLD), Vault({"x": NEW, "y": OLD}, OLD)):
        assert later.keyed_hash("482913", "pairing-code") == before
    assert Vault(NEW).keyed_hash("482913", "pairing-code") != before
    assert Vault(OLD).keyed_hash("482913", "login-code") != before


@pytest.mark.parametrize("key_id", ["", "a b", "x" * 33, "a:b", "ü"])
def test_an_id_that_is_none_is_refused(key_id: str) -> None:
    with pytest.raises(ValueError, match="ids of 1 to 32"):
        Vault({key_id: OLD}, OLD)


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in given.items():
        monkeypatch.setenv(f"SMARTWATCH_{name.upper()}", value)
    return Settings()


def test_one_key_alone_is_called_first(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault.of(settings(monkeypatch, master_key=OLD))
    assert vault.key_ids == ("first",)
    assert vault.unseal(Vault(OLD).seal(b"x", "c"), "c") == b"x"
    assert vault.keyed_hash("1", "p") == Vault(OLD).keyed_hash("1", "p")


def test_a_list_takes_the_place_of_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(monkeypatch, master_key=NEW, master_keys=f"2027:{NEW}, first:{OLD}", hash_key=OLD)
    vault = Vault.of(given)
    assert vault.key_ids == ("2027", "first")
    assert vault.keyed_hash("1", "p") == Vault(OLD).keyed_hash("1", "p")
    assert given.development_secrets() == ["mqtt_backend_password", "token_keys"]


@pytest.mark.parametrize(
    ("master_keys", "hash_key", "message"),
    [
        (f"2027:{NEW}", "", "needs a hash_key beside it"),
        (NEW, OLD, "comma separated list of key-id:secret"),
        (f"a:{NEW},a:{OLD}", OLD, "same key-id twice"),
        (f"a b:{NEW}", OLD, "the id of a master key"),
        ("a:c2hvcnQ=", OLD, "the key a must be base64 of 32 bytes"),
        ("a:???", OLD, "the key a is not base64"),
        (f"a:{NEW}", "c2hvcnQ=", "hash_key must be base64 of 32 bytes"),
    ],
)
def test_a_list_that_would_lose_something_is_refused_without_quoting_it(
    monkeypatch: pytest.MonkeyPatch, master_keys: str, hash_key: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(monkeypatch, master_keys=master_keys, hash_key=hash_key)
    messages = " ".join(fault["msg"] for fault in refused.value.errors())
    assert message in messages
    assert NEW not in messages
    assert OLD not in messages


def test_the_development_key_in_a_list_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Settings().master_key.get_secret_value()
    given = settings(monkeypatch, master_keys=f"a:{shared}", hash_key=shared)
    assert given.development_secrets()[:2] == ["master_keys", "hash_key"]
