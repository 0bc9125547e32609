"""Reads a scenario file. Everything is checked before anything is played; errors name line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from services.device_sim.watch.modems import MODEMS
from services.device_sim.watch.quirks import QUIRKS
from services.protocol.words import Codec

_MAKE: Final = ("modem", "quirks", "records")
_DAY_S: Final = 86_400.0
FAMILIES_MAX: Final = 200
WITHIN_DEFAULT_S: Final = 30.0
_SPAN = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?P<unit>ms|s|min|h|d)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_ACTOR = re.compile(r"(?P<role>watch|parent)(?P<number>[1-9][0-9]*)?")
# The subjects of a look, and the form of the value.
OBSERVABLES: Final[Mapping[str, type]] = {
    "watch.paired": bool, "watch.online": bool, "watch.locked": bool, "watch.settled": bool, "watch.location": bool,
    "watch.quiet": bool, "watch.worn": bool, "watch.flat": bool, "watch.battery_at_most": int, "watch.fixes": int,
    "watch.inbox": list,
    "watch.sent": list, "watch.told": list, "watch.contacts": list, "watch.saw": list,
    "parent.history": list, "parent.told": str, "parent.alerts": list, "parent.place": str, "parent.child": str,
    "parent.stays": int,
}  # fmt: skip
# Looks whose number is a bound: at most this battery, at least so many of the others.
AT_MOST: Final = frozenset({"battery_at_most"})
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOMENT = re.compile(r"(?:(?P<day>Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
_POWER: Final = ("off", "on", "cycle")


class ScenarioError(Exception):
    """A file that cannot be played; the message begins with file, line and column."""


@dataclass(frozen=True)
class Step:
    """One step. `actor` is empty for steps of the whole scenario; `line` is where it stands in the file."""

    kind: str  # command, fails, pair, power, pass, until, expect, system, everyone
    line: int
    shown: str
    role: str = ""
    number: int = 1
    text: str = ""
    seconds: float = 0.0
    expected: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Make:
    """The make of the watches: a profile of MODEMS, habits of QUIRKS, and the codec that they record with."""

    modem: str = ""
    quirks: tuple[str, ...] = ()
    records: str = ""


@dataclass(frozen=True)
class Scenario:
    """A whole file. `text` is the file itself, for a replay."""

    name: str
    about: str
    seed: int
    families: int
    traits: Mapping[str, Any]
    make: Make
    steps: tuple[Step, ...]
    text: str

    def flat(self) -> list[Step]:
        """Return the steps, those of `everyone` included."""
        return [step for outer in self.steps for step in (outer, *outer.steps)]

    @property
    def passes_s(self) -> float:
        """Seconds that the scenario lets pass; a moment of the week is up to a week away, one of the day a day."""
        return sum(step.seconds for step in self.flat() if step.kind in {"pass", "until"})


def read_scenario(text: str, source: str) -> Scenario:
    """Return a scenario; raises ScenarioError."""
    return _Reader(source).read(text)


class _Reader:
    """Reads the nodes of YAML, which know their places; plain values do not."""

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, text: str) -> Scenario:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            place = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
            raise ScenarioError(f"{self._source}{place}: {error.problem}") from None
        if root is None:
            raise ScenarioError(f"{self._source}:1:1: the file is empty")
        given = self._mapping(root, {"name", "about", "seed", "families", "watch", "steps"}, {"name", "steps"})
        families = self._number(given["families"], 1, FAMILIES_MAX) if "families" in given else 1
        return Scenario(
            name=self._text(given["name"]),
            about=self._text(given["about"]) if "about" in given else "",
            seed=self._number(given["seed"], 0, 2**31) if "seed" in given else 0,
            families=families,
            traits=self._traits(given["watch"]) if "watch" in given else {},
            make=self._make(given["watch"]) if "watch" in given else Make(),
            steps=self._steps(given["steps"], families),
            text=text,
        )

    def _fail(self, node: Node, message: str) -> ScenarioError:
        return ScenarioError(f"{self._source}:{node.start_mark.line + 1}:{node.start_mark.column + 1}: {message}")

    # ---------------------------------------------------------------- plain values

    def _mapping(self, node: Node, known: set[str], needed: set[str]) -> dict[str, Node]:
        if not isinstance(node, MappingNode):
            raise self._fail(node, "expected names and values")
        nodes: dict[str, Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if name not in known:
                raise self._fail(key, f"unknown name {name!r}; one of: {', '.join(sorted(known))}")
            if name in nodes:
                raise self._fail(key, f"{name!r} stands here twice")
            nodes[name] = value
        for name in sorted(needed - set(nodes)):
            raise self._fail(node, f"{name!r} is missing")
        return nodes

    def _value(self, node: Node) -> Any:  # noqa: ANN401 - any value of YAML
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node, deep=True)
        except yaml.YAMLError:
            raise self._fail(node, "this value cannot be read") from None

    def _text(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self._fail(node, "expected a text")
        return str(node.value)

    def _number(self, node: Node, least: int, most: int) -> int:
        value = self._value(node)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self._fail(node, f"expected a whole number from {least} to {most}")
        return value

    def _span(self, node: Node) -> float:
        match = _SPAN.fullmatch(self._text(node).replace(" ", ""))
        if match is None:
            raise self._fail(node, "expected a time such as 500ms, 20s, 5min, 8h or 7d")
        return float(match["count"]) * _UNIT_S[match["unit"]]

    def _traits(self, node: Node) -> dict[str, Any]:
        known: dict[str, type] = {
            "battery_pct": int, "max_payload_bytes": int, "chunk_bytes": int, "fetch_window": int, "binary": bool,
            "alert_states": bool, "max_clip_bytes": int, "sound_room_bytes": int,
        }  # fmt: skip
        values = {}
        for name, part in self._mapping(node, {*known, *_MAKE}, set()).items():
            if name in _MAKE:
                continue
            value = self._value(part)
            if type(value) is not known[name]:
                raise self._fail(part, f"{name} is a {known[name].__name__}")
            values[name] = value
        return values

    def _make(self, node: Node) -> Make:
        given = {self._text(key): value for key, value in node.value}
        quirks = self._value(given["quirks"]) if "quirks" in given else []
        if not isinstance(quirks, list) or not set(quirks) <= set(QUIRKS):
            raise self._fail(given["quirks"], f"quirks are a list of: {', '.join(QUIRKS)}")
        return Make(
            self._word(given, "modem", MODEMS),
            tuple(quirks),
            self._word(given, "records", [word.value for word in Codec]),
        )

    def _word(self, given: Mapping[str, Node], name: str, known: Collection[str]) -> str:
        if name not in given:
            return ""
        word = self._text(given[name])
        if word not in known:
            raise self._fail(given[name], f"{name} is one of: {', '.join(known)}")
        return word

    # ---------------------------------------------------------------- steps

    def _steps(self, node: Node, families: int) -> tuple[Step, ...]:
        if not isinstance(node, SequenceNode) or not node.value:
            raise self._fail(node, "expected a list of steps")
        return tuple(self._step(entry, families) for entry in node.value)

    def _step(self, node: Node, families: int) -> Step:
        if not isinstance(node, MappingNode) or len(node.value) != 1:
            raise self._fail(node, "a step is one name and its value, such as `watch: write family hello`")
        key, value = node.value[0]
        name, line = self._text(key), key.start_mark.line + 1
        reader = self._kinds().get(name)
        if reader is not None:
            return reader(value, line, families)
        role, number = self._actor(key, name, families)
        return Step("command", line, f"{name}: {self._text(value)}", role, number, self._text(value))

    def _kinds(self) -> Mapping[str, Callable[[Node, int, int], Step]]:
        return {
            "pair": self._pair, "fails": self._fails, "power": self._power, "pass": self._pass, "until": self._until,
            "expect": self._expect, "system": self._system, "everyone": self._everyone,
        }  # fmt: skip

    def _actor(self, node: Node, name: str, families: int) -> tuple[str, int]:
        match = _ACTOR.fullmatch(name)
        if match is None:
            kinds = ", ".join(sorted(self._kinds()))
            raise self._fail(node, f"there is no step {name!r}; one of: watch, parent, {kinds}")
        number = int(match["number"] or 1)
        if number > families:
            raise self._fail(node, f"there are {families} families; {name!r} is of none of them")
        return match["role"], number

    def _pair(self, node: Node, line: int, families: int) -> Step:
        _, number = self._actor(node, self._text(node), families)
        return Step("pair", line, f"pair {self._text(node)}", "watch", number)

    def _fails(self, node: Node, line: int, families: int) -> Step:
        inner = self._step(node, families)
        if inner.kind != "command":
            raise self._fail(node, "only a command can be expected to fail")
        return Step("fails", line, f"{inner.shown} (fails)", inner.role, inner.number, inner.text)

    def _power(self, node: Node, line: int, families: int) -> Step:
        given = self._mapping(node, {f"watch{n}" for n in ("", *range(1, families + 1))}, set())
        if len(given) != 1:
            raise self._fail(node, "expected one watch, such as `power: {watch: cycle}`")
        ((name, value),) = given.items()
        if self._text(value) not in _POWER:
            raise self._fail(value, f"expected one of: {', '.join(_POWER)}")
        _, number = self._actor(node, name, families)
        return Step("power", line, f"power {name} {self._text(value)}", "watch", number, self._text(value))

    def _pass(self, node: Node, line: int, _families: int) -> Step:
        return Step("pass", line, f"pass {self._text(node)}", seconds=self._span(node))

    def _until(self, node: Node, line: int, _families: int) -> Step:
        shown = self._text(node)
        if _MOMENT.fullmatch(shown) is None:
            raise self._fail(node, "expected a moment such as `16:45` or `Mon 07:40`")
        return Step("until", line, f"until {shown}", text=shown, seconds=_DAY_S if ":" in shown[:3] else 7 * _DAY_S)

    def _system(self, node: Node, line: int, _families: int) -> Step:
        return Step("system", line, f"system: {self._text(node)}", text=self._text(node))

    def _everyone(self, node: Node, line: int, families: int) -> Step:
        steps = self._steps(node, families)
        for step, entry in zip(steps, node.value, strict=True):
            if step.kind in {"everyone", "pass", "until", "system"}:
                raise self._fail(entry, f"{step.kind!r} cannot stand inside `everyone`")
        return Step("everyone", line, f"everyone: {len(steps)} steps", steps=steps)

    def _expect(self, node: Node, line: int, families: int) -> Step:
        numbers = ("", *range(2, families + 1))
        names = {f"{role}{n}.{what}" for n in numbers for role, what in (name.split(".") for name in OBSERVABLES)}
        given = self._mapping(node, {*names, "within"}, set())
        within_s = self._span(given.pop("within")) if "within" in given else WITHIN_DEFAULT_S
        if not given:
            raise self._fail(node, "expected something to look at")
        expected: dict[str, Any] = {}
        for name, part in given.items():
            value, wanted = self._value(part), OBSERVABLES[re.sub(r"\d+(?=\.)", "", name)]
            if wanted is str and isinstance(value, bool | int | float):
                value = self._text(part)
            if not isinstance(value, wanted):
                raise self._fail(part, f"{name} is a {wanted.__name__}")
            expected[name] = [str(entry) for entry in value] if isinstance(value, list) else value
        shown = ", ".join(f"{name} {value}" for name, value in expected.items())
        return Step("expect", line, f"expect {shown}", seconds=within_s, expected=expected)


def seconds_until(moment: str, wall: datetime) -> float:
    """Return how long it takes from a time on a wall clock to the next such moment: `16:45` or `Mon 07:40`."""
    match = _MOMENT.fullmatch(moment)
    if match is None:
        raise ValueError(moment)
    then = wall.replace(hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0)
    while then <= wall or (match["day"] and _WEEKDAYS[then.weekday()] != match["day"]):
        then += timedelta(days=1)
    return (then - wall).total_seconds()
