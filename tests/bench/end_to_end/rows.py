"""The rows of the bench: what is measured, on how many families, against which baselines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.end_to_end.crowd import Person
from tests.bench.end_to_end.downwards import voice_down
from tests.bench.end_to_end.gets import OfPerson, gets
from tests.bench.end_to_end.loads import Measured, Side, checkins, hellos, to_guardians

FAMILIES: Final = 300
# How many times the rows of a first half year lie in the database.
SIZES: Final = (1, 10, 100)
Load = Callable[[Side, Sequence[Person]], Awaitable[Measured]]


@dataclass(frozen=True)
class Row:
    """One row of the table: what one message of it is, its load on so many families, and its baselines.

    ``module`` is the program of the baselines: with the word `lean` it writes the product's rows, with `bare` one row a
    message. The bare side is measured with once the data only: it reads none of it.
    """

    name: str
    each: str
    module: str
    people: int
    load: Load
    # Whether recordings wait for their rendition afterwards.
    makes_clips: bool = False
    makes_alerts: bool = False
    # Seconds that connecting and settling take beside the load.
    besides_s: float = 2.0

    def baselines(self, times: int) -> tuple[str, ...]:
        """Return the baselines that take turns with the product at this size."""
        if self.module == "lean_api":
            return ("lean",)
        return ("lean", "bare") if times == 1 else ("lean",)


def uplinks(seconds: float, clip: bytes) -> list[Row]:
    """Return the rows of watches; ``seconds`` is how long one side is measured in one round."""

    def fixes(each: int, window: int) -> Load:
        return lambda side, people: checkins(side, people, each=each, window=window, seconds=seconds)

    def events(sound: bytes | None, pause_s: float, *, one_by_one: bool = False, in_turns: bool = False) -> Load:
        return lambda side, people: to_guardians(
            side, people, clip=sound, seconds=seconds, pause_s=pause_s, one_by_one=one_by_one, in_turns=in_turns
        )

    def down(side: Side, people: Sequence[Person]) -> Awaitable[Measured]:
        return voice_down(side, people, clip=clip, seconds=seconds)

    return [
        Row("checkin-single", "check-in to its receipt", "reader", 100, fixes(1, 10)),
        Row("checkin-array", "fix of an array of 50 to its receipt", "reader", 100, fixes(50, 1)),
        # One sender who lets the machine rest: within the pause the rendition of the message before is made.
        Row("voice", "15 s in 6 chunks, `end` to the guardian's event", "relay", 1, events(clip, 0.2),
            makes_clips=True),
        Row("voice-slow", "the same without a rest, a chunk after the PUBACK before", "relay", 1,
            events(clip, 0.02, one_by_one=True), makes_clips=True),
        Row("voice-full", "the same, 8 senders without a pause", "relay", 8, events(clip, 0), makes_clips=True),
        Row("voice-down", "POST of a clip to its sound verified on the watch, one sender", "relay", 1, down,
            makes_clips=True),
        Row("voice-down-full", "the same, 8 senders", "relay", 8, down, makes_clips=True),
        Row("hello", "reconnect and hello to `down/time`, 200 at once", "relay", 200, hellos, besides_s=3.0),
        # As in life: each child presses once. The 20 ms between two presses are less than a first press causes.
        Row("sos", "SOS to the guardian's event, each of another child", "relay", 100,
            events(None, 0.02, in_turns=True), makes_alerts=True),
        Row("sos-again", "the same, one child again and again", "relay", 1, events(None, 0.02), makes_alerts=True),
    ]  # fmt: skip


def reads(seconds: float) -> list[Row]:
    """Return the rows of what phones read."""

    def load(product: OfPerson, lean: OfPerson) -> Load:
        return lambda side, people: gets(
            side, people, path=product if side.says_hello else lean, seconds=seconds
        )  # fmt: skip

    loads = {
        "history": load(
            lambda person: f"/v1/children/{person.child_id}/messages", lambda person: f"/history/{person.child_id}"
        ),
        "children": load(
            lambda person: f"/v1/families/{person.family_id}/children", lambda person: f"/children/{person.family_id}"
        ),
        "sync": load(lambda _: "/v1/sync", lambda person: f"/sync/{person.family_id}"),
        "latest": load(
            lambda person: f"/v1/children/{person.child_id}/checkins/latest",
            lambda person: f"/latest%20place/{person.child_id}",
        ),
        "home": load(lambda _: "/v1/home", lambda person: f"/home/{person.family_id}"),
    }
    return [
        Row(name, f"GET of {name}", "lean_api", FAMILIES, of, besides_s=0.3) for name, of in loads.items()
    ]  # fmt: skip
