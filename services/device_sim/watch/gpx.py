"""A recorded way, read from a GPX file: where a watch would measure itself to be, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

from services.device_sim.watch.body import Fix

FILE_MAX_BYTES = 16 * 1024 * 1024
POINTS_MAX = 100_000
_LAT_MAX, _LON_MAX = 90.0, 180.0
# GPX has no accuracy. A receiver's dilution of precision times this is the usual guess; without one it sees the sky.
_METRES_A_DILUTION = 5.0
_ACCURACY_GUESSED_M = 10.0


class TrackRefusedError(Exception):
    """The file is no track that can be walked; the message is for people."""


@dataclass(frozen=True)
class TrackPoint:
    """A fix and when it was taken; `at` is aware UTC."""

    at: datetime
    fix: Fix


@dataclass
class _Reader:
    """What expat tells, put together. Names are compared without their namespace: GPX 1.0 and 1.1 differ in it only."""

    points: list[TrackPoint] = field(default_factory=list)
    _position: tuple[float, float] | None = None
    _texts: dict[str, str] = field(default_factory=dict)
    _inside: str = ""

    def begins(self, name: str, given: dict[str, str]) -> None:
        self._inside = name.rpartition(":")[2]
        if self._inside == "trkpt":
            if len(self.points) == POINTS_MAX:
                raise TrackRefusedError(f"at most {POINTS_MAX} points")
            self._position = (_degrees(given.get("lat"), _LAT_MAX), _degrees(given.get("lon"), _LON_MAX))
            self._texts = {}

    def says(self, text: str) -> None:
        if self._position is not None:
            self._texts[self._inside] = self._texts.get(self._inside, "") + text

    def ends(self, name: str) -> None:
        self._inside = ""
        if name.rpartition(":")[2] == "trkpt" and self._position is not None:
            fix = Fix(*self._position, _accuracy_m(self._texts), self._texts.get("source"))
            self.points.append(TrackPoint(_moment(self._texts.get("time", "")), fix))
            self._position = None


def read_track(content: bytes | Path) -> list[TrackPoint]:
    """Return the points of all tracks of a GPX file in order of time.

    Accuracy is `accuracy_m` of its extensions (metres), else five times `hdop`, else 10 m; `source` of its extensions
    is told along. Raises TrackRefusedError for what is no GPX, has a document type, a point without place or time, or
    is beyond 16 MiB or 100,000 points.
    """
    if isinstance(content, Path):
        content = _content_of(content)
    reader, parser = _Reader(), expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.begins
    parser.CharacterDataHandler = reader.says
    parser.EndElementHandler = reader.ends
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise TrackRefusedError(f"not XML: {expat.ErrorString(error.code)} in line {error.lineno}") from None
    if not reader.points:
        raise TrackRefusedError("there is no track point in it")
    return sorted(reader.points, key=lambda point: point.at)


def _content_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise TrackRefusedError(f"{path}: {error.strerror}") from None
    if len(content) > FILE_MAX_BYTES:
        raise TrackRefusedError(f"{path}: more than {FILE_MAX_BYTES // 2**20} MiB")
    return content


def _refuse_doctype(*_: object) -> None:
    raise TrackRefusedError("a document type is not allowed: nothing but points is read")


def _degrees(text: str | None, most: float) -> float:
    value = _number(text)
    if value is None or not -most <= value <= most:
        raise TrackRefusedError("a point that is not on the earth")
    return value


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _accuracy_m(texts: dict[str, str]) -> float:
    dilution = _number(texts.get("hdop"))
    told = (_number(texts.get("accuracy_m")), None if dilution is None else dilution * _METRES_A_DILUTION)
    # What is no length of metres (negative, not a number) is not told.
    return next((value for value in told if value is not None and 0 < value < float("inf")), _ACCURACY_GUESSED_M)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise TrackRefusedError("a point without its time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
