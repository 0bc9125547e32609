"""The days of a child as the album shows them: messages, calls for help, passages and places by local day. Pure.

Everything is read from the export's document, so that a page can be made of any part of it, such as one year.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.core.privacy.copies.album.sketches import Sketch, TrackPoint, sketch_of
from services.core.privacy.copies.album.words import album_texts, day_title, emoji_glyphs, month_title

# A sender's clock is believed within these bounds of ours; messages wait for a network for days.
_EARLIER: Final = timedelta(days=30)
_LATER: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Entry:
    """Something that happened: ``side`` is child, me or note. ``sound`` is the address of a recording."""

    at: datetime
    time: str
    side: str
    who: str = ""
    text: str = ""
    is_emoji: bool = False
    sound: str = ""
    length: str = ""
    kept: bool = False


@dataclass(frozen=True)
class Day:
    """A day in the child's time zone."""

    title: str
    entries: Sequence[Entry]
    places: str
    sketch: Sketch | None


@dataclass(frozen=True)
class Month:
    """A month with something in it."""

    anchor: str
    title: str
    days: Sequence[Day]


@dataclass(frozen=True)
class Material:
    """What stands beside the document: addresses of recordings by file name, and good fixes by child."""

    sounds: Mapping[str, str]
    tracks: Mapping[str, Sequence[TrackPoint]]


def months_of(child: Mapping[str, Any], names: Mapping[str, str], material: Material, locale: str) -> list[Month]:
    """Return the months of a child of the document, oldest first; ``names`` are of guardians, by id."""
    timezone = ZoneInfo(child["settings"]["timezone"])
    entries: dict[date, list[Entry]] = defaultdict(list)
    for entry in _entries(child, names, material.sounds, timezone, locale):
        entries[entry.at.astimezone(timezone).date()].append(entry)
    tracks: dict[date, list[TrackPoint]] = defaultdict(list)
    for point in material.tracks.get(child["child_id"], ()):
        tracks[point.at.astimezone(timezone).date()].append(point)
    days = [
        (day, _day(day, entries.get(day, []), tracks.get(day, []), child["zones"], timezone, locale))
        for day in sorted(entries.keys() | tracks.keys())
    ]
    # The same month of two children needs two anchors.
    return [
        Month(
            f"m{uuid.UUID(child['child_id']).hex}-{key}", month_title(listed[0][0], locale), [day for _, day in listed]
        )
        for key, group in groupby(days, lambda dated: f"{dated[0]:%Y-%m}")
        if (listed := list(group))
    ]


def moment_of(message: Mapping[str, Any]) -> datetime:
    """Return when a message was sent, by the sender's clock where that is plausible, else when we received it."""
    received_at = datetime.fromisoformat(message["received_at"])
    if message["sent_at"] is None:
        return received_at
    sent_at = datetime.fromisoformat(message["sent_at"])
    return sent_at if received_at - _EARLIER <= sent_at <= received_at + _LATER else received_at


def _entries(
    child: Mapping[str, Any], names: Mapping[str, str], sounds: Mapping[str, str], timezone: ZoneInfo, locale: str
) -> Iterator[Entry]:
    texts = album_texts(locale)
    for message in child["messages"]:
        yield _message(message, child["name"], sounds, timezone, locale)
    for alert in child["alerts"]:
        at = datetime.fromisoformat(alert["raised_at"])
        text = texts.get(f"alert.{alert['kind']}", texts["alert.other"]).format(child=child["name"])
        if (place := alert["place"]) is not None:
            text += " · " + texts["place"].format(lat=f"{place['lat']:.5f}", lon=f"{place['lon']:.5f}")
        yield Entry(at, _clock(at, timezone), "note", text=text)
        if alert["all_right_at"] is not None:
            at = datetime.fromisoformat(alert["all_right_at"])
            who = names.get(alert["all_right_by"] or "", "")
            yield Entry(at, _clock(at, timezone), "note", text=texts["all_right"].format(child=child["name"], name=who))
    for passage in child["passages"]:
        at = datetime.fromisoformat(passage["happened_at"])
        text = texts[f"passage.{passage['kind']}"].format(child=child["name"], zone=passage["zone_name"])
        yield Entry(at, _clock(at, timezone), "note", text=text)


def _message(
    message: Mapping[str, Any], child_name: str, sounds: Mapping[str, str], timezone: ZoneInfo, locale: str
) -> Entry:
    texts = album_texts(locale)
    at = moment_of(message)
    is_child = message["direction"] == "to_family"
    text, sound, length = message["content"] or "", "", ""
    if message["kind"] == "emoji":
        text = emoji_glyphs().get(text, text)
    elif message["kind"] == "voice":
        name = message["audio"]
        sound = sounds.get(name, name) if name not in {"gone", "unplayable"} else ""
        text = "" if sound else texts[name]
        length = "" if message["duration_ms"] is None else _length(message["duration_ms"])
    return Entry(
        at, _clock(at, timezone), "child" if is_child else "me", child_name if is_child else texts["you"], text,
        is_emoji=message["kind"] == "emoji", sound=sound, length=length, kept=message["kept"],
    )  # fmt: skip


def _day(
    day: date, entries: Sequence[Entry], points: Sequence[TrackPoint], zones: Sequence[dict[str, Any]],
    timezone: ZoneInfo, locale: str,
) -> Day:  # fmt: skip
    places = ""
    if points:
        places = album_texts(locale)["places"].format(
            count=len(points), first=_clock(points[0].at, timezone), last=_clock(points[-1].at, timezone)
        )
    in_order = sorted(entries, key=lambda entry: entry.at.astimezone(UTC))
    return Day(day_title(day, locale), in_order, places, sketch_of(points, zones))


def _clock(at: datetime, timezone: ZoneInfo) -> str:
    return f"{at.astimezone(timezone):%H:%M}"


def _length(duration_ms: int) -> str:
    minutes, seconds = divmod(max(1, round(duration_ms / 1000)), 60)
    return f"{minutes}:{seconds:02}"
