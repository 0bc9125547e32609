"""Makes the noisy tracks beside this file: `python -m tests.vectors.tracks.make_tracks`. README.md states the model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from xml.etree.ElementTree import fromstring
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parent
SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Wednesday.
DAY = datetime(2026, 3, 4, tzinfo=SHANGHAI)
HOME = (23.0200, 113.7500)
METRES_A_DEGREE = 111_195.0

# Correlated error of a receiver under the sky: standard deviation on each axis, and how long it remembers.
GPS_SIGMA_M, GPS_MEMORY_S = 6.0, 90.0
WIFI_SIGMA_M = 25.0
CELL_SIGMA_M = 500.0
# How far a wrong entry in a table of networks lies, and how sure it is of itself.
WRONG_M, WRONG_ACCURACY_M = (3_000.0, 80_000.0), 25.0


@dataclass(frozen=True)
class Seen:
    """A fix as the watch would tell it."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float
    source: str


@dataclass(frozen=True)
class Leg:
    """From a moment on the child is on its way to a place (metres east and north of home), or there."""

    starts: str
    east_m: float
    north_m: float


def point(east_m: float, north_m: float) -> tuple[float, float]:
    """Return latitude and longitude of a place in metres from home."""
    return (
        HOME[0] + north_m / METRES_A_DEGREE,
        HOME[1] + east_m / (METRES_A_DEGREE * math.cos(math.radians(HOME[0]))),
    )


def clock(text: str) -> datetime:
    """Return a moment of the day from its hour and minute."""
    hours, minutes = text.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


class Receiver:
    """A watch that knows where it is, more or less."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._off_m = [0.0, 0.0]
        self._last: datetime | None = None

    def gps(self, at: datetime, east_m: float, north_m: float) -> Seen:
        """See the sky: an error that wanders, and an accuracy that is about right."""
        gap_s = math.inf if self._last is None else (at - self._last).total_seconds()
        kept = math.exp(-gap_s / GPS_MEMORY_S)
        self._last = at
        self._off_m = [
            off_m * kept + self._random.gauss(0, GPS_SIGMA_M) * math.sqrt(1 - kept * kept) for off_m in self._off_m
        ]
        accuracy_m = max(4.0, 1.5 * GPS_SIGMA_M * self._random.uniform(0.7, 1.6))
        return self._told(at, east_m + self._off_m[0], north_m + self._off_m[1], accuracy_m, "gps")

    def wifi(self, at: datetime, east_m: float, north_m: float) -> Seen:
        """See networks."""
        return self._scattered(at, east_m, north_m, WIFI_SIGMA_M, "wifi")

    def cell(self, at: datetime, east_m: float, north_m: float) -> Seen:
        """See a mast."""
        return self._scattered(at, east_m, north_m, CELL_SIGMA_M, "cell")

    def wrong(self, at: datetime, east_m: float, north_m: float) -> Seen:
        """Believe a table of networks that is out of date: somewhere else, and sure of it."""
        far_m, angle = self._random.uniform(*WRONG_M), self._random.uniform(0, 2 * math.pi)
        off_m = (far_m * math.cos(angle), far_m * math.sin(angle))
        return self._told(at, east_m + off_m[0], north_m + off_m[1], WRONG_ACCURACY_M, "wifi")

    def chance(self, part: float) -> bool:
        """Tell whether something that happens so often happens now."""
        return self._random.random() < part

    def _scattered(self, at: datetime, east_m: float, north_m: float, sigma_m: float, source: str) -> Seen:
        off_m = [self._random.gauss(0, sigma_m) for _ in range(2)]
        accuracy_m = 1.5 * sigma_m * self._random.uniform(0.8, 1.6)
        return self._told(at, east_m + off_m[0], north_m + off_m[1], accuracy_m, source)

    @staticmethod
    def _told(at: datetime, east_m: float, north_m: float, accuracy_m: float, source: str) -> Seen:
        lat, lon = point(east_m, north_m)
        return Seen(at, round(lat, 6), round(lon, 6), float(round(accuracy_m)), source)


SCHOOL = (1_500.0, 600.0)
# Home - school - home: where the child truly is.
LEGS = (
    Leg("00:00", 0, 0), Leg("07:15", 0, 0), Leg("07:40", *SCHOOL), Leg("16:05", *SCHOOL), Leg("16:32", 0, 0),
    Leg("23:59", 0, 0),
)  # fmt: skip
# Inside a building of concrete there is no fix at all, or one by networks.
GAPS = (("08:20", "11:30"), ("13:20", "15:20"))
INDOORS = (("00:00", "07:10"), ("07:45", "16:00"), ("16:40", "23:59"))


def truly_at(at: datetime) -> tuple[float, float]:
    """Return where the child truly is, in metres from home."""
    before = max((leg for leg in LEGS if clock(leg.starts) <= at), key=lambda leg: clock(leg.starts))
    after = next((leg for leg in LEGS if clock(leg.starts) > at), before)
    span_s = (clock(after.starts) - clock(before.starts)).total_seconds()
    part = (at - clock(before.starts)).total_seconds() / span_s if span_s else 0.0
    return (
        before.east_m + (after.east_m - before.east_m) * part,
        before.north_m + (after.north_m - before.north_m) * part,
    )


def _within(at: datetime, spans: tuple[tuple[str, str], ...]) -> bool:
    return any(clock(starts) <= at < clock(ends) for starts, ends in spans)


def whole_day(seed: int) -> Iterator[Seen]:
    """Home - school - home: a fix every ten minutes at a place, every minute on the way."""
    receiver, at = Receiver(seed), clock("00:03")
    while at < clock("22:00"):
        here = truly_at(at)
        moving = truly_at(at + timedelta(seconds=5)) != here
        if not _within(at, GAPS):
            yield _one(receiver, at, here)
        at += timedelta(minutes=1 if moving or _about_to_move(at) else 10)


def _about_to_move(at: datetime) -> bool:
    return any(clock(leg) - timedelta(minutes=10) < at < clock(leg) for leg in ("07:15", "16:05"))


def _one(receiver: Receiver, at: datetime, here: tuple[float, float]) -> Seen:
    if receiver.chance(0.02):
        return receiver.wrong(at, *here)
    if not _within(at, INDOORS):
        return receiver.gps(at, *here)
    if receiver.chance(0.15):
        return receiver.cell(at, *here)
    return receiver.wifi(at, *here)


def at_the_edge(seed: int) -> Iterator[Seen]:
    """A child who stands ten hours at the edge of the home's zone, under the sky and beside a window."""
    receiver = Receiver(seed)
    for minute in range(0, 600, 2):
        see: Callable[[datetime, float, float], Seen] = receiver.wifi if receiver.chance(0.3) else receiver.gps
        yield see(clock("08:00") + timedelta(minutes=minute), 150, 0)


def wrong_tables(seed: int) -> Iterator[Seen]:
    """A child who is at home all day, while every twentieth fix is somewhere else and sure of it."""
    receiver = Receiver(seed)
    for minute in range(0, 840, 5):
        see = receiver.wrong if minute and receiver.chance(0.05) else receiver.gps
        yield see(clock("08:00") + timedelta(minutes=minute), 0, 0)


def masts_only(seed: int) -> Iterator[Seen]:
    """A child who goes to town with a watch that sees masts and nothing else, after one good fix at home."""
    receiver = Receiver(seed)
    yield receiver.gps(clock("08:00"), 0, 0)
    for minute in range(1, 120):
        yield receiver.cell(clock("08:00") + timedelta(minutes=minute), minute * 60.0, 0)


TRACKS: dict[str, Callable[[int], Iterator[Seen]]] = {
    "home_school_home": whole_day,
    "at_the_edge": at_the_edge,
    "wrong_tables": wrong_tables,
    "masts_only": masts_only,
}
SEED = 20_260_308
# True crossings of the edges of the zones (circles of 150 m around home and school).
TRUTH: dict[str, list[tuple[str, str, str]]] = {
    "home_school_home": [
        ("left", "Home", "07:17"), ("entered", "School", "07:38"), ("left", "School", "16:07"),
        ("entered", "Home", "16:30"),
    ],
    "at_the_edge": [], "wrong_tables": [], "masts_only": [],
}  # fmt: skip


def gpx(name: str, seen: list[Seen]) -> str:
    """Return a track as GPX 1.1; accuracy and source stand in extensions of ours."""
    points = "".join(
        f'<trkpt lat="{fix.lat!r}" lon="{fix.lon!r}"><time>{fix.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</time>'
        f"<extensions><accuracy_m>{fix.accuracy_m!r}</accuracy_m><source>{fix.source}</source></extensions></trkpt>\n"
        for fix in seen
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="make_tracks" xmlns="http://www.topografix.com/GPX/1/1">\n'
        f"<trk><name>{name}</name><trkseg>\n{points}</trkseg></trk>\n</gpx>\n"
    )


def read_gpx(text: str) -> list[Seen]:
    """Return the fixes of a GPX file that :func:`gpx` wrote."""
    space = "{http://www.topografix.com/GPX/1/1}"
    return [
        Seen(
            datetime.fromisoformat(point.findtext(f"{space}time", "")),
            float(point.get("lat", "")),
            float(point.get("lon", "")),
            float(point.findtext(f"{space}extensions/{space}accuracy_m", "")),
            point.findtext(f"{space}extensions/{space}source", ""),
        )
        for point in fromstring(text).iter(f"{space}trkpt")  # noqa: S314 - ours
    ]


def files() -> dict[str, str]:
    """Return every file beside this one with its content."""
    made = {f"{name}.gpx": gpx(name, list(make(SEED))) for name, make in TRACKS.items()}
    made["truth.json"] = json.dumps(TRUTH, indent=1) + "\n"
    return made


if __name__ == "__main__":
    for name, content in files().items():
        (FOLDER / name).write_text(content)
