"""A watch that talks too fast is answered each time, and what it keeps is taken later."""

from __future__ import annotations

import json
from datetime import timedelta

from services.core.platform.limits.rules import Limit, Limits
from services.watch_link.rates import Rates
from tests.support.clock import FakeClock
from tests.support.watch import HandWatch, Stand

CLIP = "k3m9q2x7d5fa"


def _text(number: int) -> dict[str, object]:
    return {"id": f"t81kd02m{number:04d}", "to": "family", "text": "hi"}


async def _codes(watch: HandWatch, count: int) -> list[str]:
    """Return the codes of the next receipts, in the order of what they are about."""
    answers = [await watch.hears("receipt") for _ in range(count)]
    return [answer["code"] for answer in sorted(answers, key=lambda receipt: str(receipt["ref"]))]


async def test_beyond_the_limit_comes_retry_with_a_wait_and_after_it_the_same_is_stored(
    stand: Stand, clock: FakeClock
) -> None:
    _, worn = await stand.home()
    async with stand.bridge() as bridge, stand.watch(worn.username, worn.password) as watch:
        bridge.uplink.rates = Rates(Limit(2, 1, timedelta(seconds=10), "watch", "messages"))
        for number in range(3):
            await watch.say("text", _text(number))
        # A refusal does not wait for the commits before it.
        answers = sorted([await watch.hears("receipt") for _ in range(3)], key=lambda receipt: str(receipt["ref"]))
        assert [(answer["ref"], answer["code"]) for answer in answers] == [
            ("t81kd02m0000", "stored"), ("t81kd02m0001", "stored"), ("t81kd02m0002", "retry"),
        ]  # fmt: skip
        assert answers[2]["retry_after_s"] == 10
        # Chunks have no receipt: the end of their clip says it.
        await watch.say(f"voice/{CLIP}/0", b"x" * 600)
        await watch.say(f"voice/{CLIP}/end", {"to": "family", "codec": "amr-nb", "bytes": 600, "chunks": 1})
        answer = await watch.hears("receipt")
        assert (answer["ref"], answer["code"], answer["retry_after_s"]) == (CLIP, "retry", 10)
        await watch.say("telepathy", {"id": "t81kd02mq7zz"})
        assert (await watch.hears("receipt"))["code"] == "retry"
        clock.advance(seconds=10)
        await watch.say("text", _text(2))
        assert (await watch.hears("receipt"))["code"] == "stored"


async def test_a_second_bridge_reads_no_uplink_and_counts_from_the_moment_it_takes_over(stand: Stand) -> None:
    _, worn = await stand.home()
    narrow = Limit(2, 1, timedelta(seconds=3600), "watch", "messages")
    async with stand.watch(worn.username, worn.password) as watch:
        async with stand.bridge() as first:
            first.uplink.rates = Rates(narrow)
            async with stand.bridge(reads=False) as second:
                second.uplink.rates = Rates(narrow)
                # Two bridges share nothing: were both reading, four texts would be taken at once.
                for number in range(4):
                    await watch.say("text", _text(number))
                assert await _codes(watch, 4) == ["stored", "stored", "retry", "retry"]
                assert (first.uplink.connected, second.uplink.connected) == (True, False)
                assert second.uplink.standby
        # The next one begins with full buckets: one burst more, and then its own count.
        async with stand.bridge() as third:
            third.uplink.rates = Rates(narrow)
            for number in range(2, 6):
                await watch.say("text", _text(number))
            assert await _codes(watch, 4) == ["stored", "stored", "retry", "retry"]


async def test_bytes_beyond_the_limit_are_answered_retry(stand: Stand) -> None:
    _, worn = await stand.home()
    text_bytes = len(json.dumps(_text(0)).encode())
    async with stand.bridge() as bridge, stand.watch(worn.username, worn.password) as watch:
        bridge.uplink.rates = Rates(size_bytes=Limit(2 * text_bytes, 1, timedelta(hours=1), "watch", "bytes"))
        for number in range(3):
            await watch.say("text", _text(number))
        assert await _codes(watch, 3) == ["stored", "stored", "retry"]


async def test_a_flood_is_answered_retry_up_to_the_limit_of_such_answers(stand: Stand, clock: FakeClock) -> None:
    _, worn = await stand.home()
    _, quiet = await stand.home()
    limit = Limits.RETRIES_OF_WATCH.value
    async with (
        stand.bridge() as bridge, stand.watch(worn.username, worn.password) as watch,
        stand.watch(quiet.username, quiet.password) as other,
    ):  # fmt: skip
        bridge.uplink.rates = Rates(Limit(1, 1, timedelta(days=1), "watch", "messages"))
        await watch.say("text", _text(0))
        assert (await watch.hears("receipt"))["code"] == "stored"
        for number in range(1, limit.burst + 4):
            await watch.say("text", _text(number))
        refs = [(await watch.hears("receipt"))["ref"] for _ in range(limit.burst)]
        assert refs == [_text(number)["id"] for number in range(1, limit.burst + 1)]
        # The bridge reads in the order of arrival: by the receipt of another watch, the flood is read to its end.
        await other.say("text", _text(0))
        assert (await other.hears("receipt"))["code"] == "stored"
        # The next token answers the next message: the three between have no answer.
        clock.advance(seconds=limit.span.total_seconds() / limit.refill)
        await watch.say("text", _text(limit.burst + 4))
        assert (await watch.hears("receipt"))["ref"] == _text(limit.burst + 4)["id"]
