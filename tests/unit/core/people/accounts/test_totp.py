"""Codes of authenticator apps, against the table of RFC 6238, each good for one use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.core.people.accounts.totp import code_of, matching_step, new_totp_secret, otpauth_url, step_of

# RFC 6238 appendix B: the secret, and the last six digits of the eight it lists for SHA-1.
SECRET = b"12345678901234567890"
TABLE = [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]


@pytest.mark.parametrize(("second", "code"), TABLE)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    now = datetime.fromtimestamp(second, UTC)
    assert code_of(SECRET, step_of(now)) == code
    assert matching_step(SECRET, code, now, None) == step_of(now)


def test_a_code_works_half_a_minute_around_its_own_and_not_beyond() -> None:
    now = datetime.fromtimestamp(1_234_567_890, UTC)
    offsets = [
        offset
        for offset in range(-4, 5)
        if matching_step(SECRET, "005924", now + timedelta(seconds=30 * offset), None) is not None
    ]
    assert offsets == [-1, 0, 1]


def test_a_used_code_and_older_ones_are_refused() -> None:
    now = datetime.fromtimestamp(1_234_567_890, UTC)
    used = step_of(now)
    assert matching_step(SECRET, code_of(SECRET, used), now, used) is None
    assert matching_step(SECRET, code_of(SECRET, used - 1), now, used) is None
    assert matching_step(SECRET, code_of(SECRET, used + 1), now, used) == used + 1


def test_what_is_no_code_matches_nothing() -> None:
    for word in ("", "5924", "0059245", "\N{FULLWIDTH DIGIT ZERO}05924", "abcdef"):
        assert matching_step(SECRET, word, datetime.fromtimestamp(1_234_567_890, UTC), None) is None


def test_secrets_are_of_160_bits_and_the_url_is_what_apps_read() -> None:
    assert len(new_totp_secret()) == 20
    url = otpauth_url(SECRET, "ming@wecare.example")
    assert url.startswith("otpauth://totp/SmartWatch:ming%40wecare.example?")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in url
