"""A watch that talks too fast is answered each time, and what it keeps is taken later."""

from __future__ import annotations

from datetime import timedelta

from services.core.platform.limits.rules import Limit
from services.watch_link.rates import Rates
from tests.support.clock import FakeClock
from tests.support.watch import HandWatch, Stand

CLIP = "k3m9q2x7d5fa"


def _text(number: int) -> dict[str, object]:
    return {"id": f"t81kd02mq7{number:02d}", "to": "family", "text": "hi"}


async def _codes(watch: HandWatch, count: int) -> list[str]:
    """Return the codes of the next receipts, in the order of what they are about."""
    answers = [await watch.hears("receipt") for _ in range(count)]
    return [one["code"] for one in sorted(answers, key=lambda one: str(one["ref"]))]


async def test_beyond_the_limit_comes_retry_with_a_wait_and_after_it_the_same_is_stored(
    stand: Stand, clock: FakeClock
) -> None:
    _, worn = await stand.home()
    async with stand.bridge() as bridge, stand.watch(worn.username, worn.password) as watch:
        bridge.uplink.rates = Rates(Limit(2, 1, timedelta(seconds=10), "watch", "messages"))
        for number in range(3):
            await watch.say("text", _text(number))
        # A refusal does not wait for the commits before it.
        answers = sorted([await watch.hears("receipt") for _ in range(3)], key=lambda one: str(one["ref"]))
        assert [(one["ref"], one["code"]) for one in answers] == [
            ("t81kd02mq700", "stored"), ("t81kd02mq701", "stored"), ("t81kd02mq702", "retry"),
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
