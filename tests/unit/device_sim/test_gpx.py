"""Recorded ways: what is read of a GPX file, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.device_sim.watch.body import Fix
from services.device_sim.watch.gpx import TrackRefusedError, read_track
from tests.vectors.tracks.make_tracks import FOLDER, read_gpx

WHEN = "2026-03-04T00:00:00Z"


def gpx(points: str, head: str = "") -> bytes:
    space = "http://www.topografix.com/GPX/1/1"
    tracks = f"<trk><trkseg>{points}</trkseg></trk>"
    return f'<?xml version="1.0"?>{head}<gpx version="1.1" creator="test" xmlns="{space}">{tracks}</gpx>'.encode()


def point(inside: str = f"<time>{WHEN}</time>", lat: str = "23.02", lon: str = "113.75") -> str:
    return f'<trkpt lat="{lat}" lon="{lon}">{inside}</trkpt>'


def test_a_recorded_day_is_read_as_its_generator_wrote_it() -> None:
    path = FOLDER / "home_school_home.gpx"
    truth = [
        (point.at, Fix(point.lat, point.lon, point.accuracy_m, point.source)) for point in read_gpx(path.read_text())
    ]
    assert [(point.at, point.fix) for point in read_track(path)] == truth


@pytest.mark.parametrize(
    ("inside", "accuracy_m"),
    [("", 10), ("<hdop>2.5</hdop>", 12.5), ("<hdop>-1</hdop>", 10), ("<hdop>nan</hdop>", 10),
     ("<hdop>1</hdop><extensions><accuracy_m>70</accuracy_m></extensions>", 70)],
)  # fmt: skip
def test_accuracy_is_what_the_file_says_or_a_guess(inside: str, accuracy_m: float) -> None:
    (read,) = read_track(gpx(point(f"<time>{WHEN}</time>{inside}")))
    assert read.fix.acc == accuracy_m


def test_points_come_in_order_of_time_whatever_their_offset() -> None:
    later, earlier = "2026-03-04T08:00:01+08:00", "2026-03-04T00:00:00"
    read = read_track(gpx(point(f"<time>{later}</time>") + point(f"<time> {earlier} </time>")))
    began_at = datetime(2026, 3, 4, tzinfo=UTC)
    assert [point.at for point in read] == [began_at, began_at + timedelta(seconds=1)]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no gpx", gpx(point(f"<time>{WHEN}</time><hdop>x</hdop>")),
        gpx(""), gpx(point("")), gpx(point("<time>yesterday</time>")), gpx(point(lat="91")),
        gpx(point(lon="nan")), gpx('<trkpt lat="1"></trkpt>'), gpx(point())[:-3],
        gpx(point("<time>&when;</time>"), f'<!DOCTYPE gpx [<!ENTITY when "{WHEN}">]>'),
        gpx(point("<time>&when;</time>"), '<!DOCTYPE gpx [<!ENTITY when SYSTEM "elsewhere.xml">]>'),
    ],
)  # fmt: skip
def test_what_is_no_track_is_refused(content: bytes) -> None:
    with pytest.raises(TrackRefusedError):
        read_track(content)


def test_a_file_that_is_not_there_or_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackRefusedError, match="No such file"):
        read_track(tmp_path / "none.gpx")
    with (tmp_path / "long.gpx").open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(TrackRefusedError, match="16 MiB"):
        read_track(tmp_path / "long.gpx")
