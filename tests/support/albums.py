"""An export's document of a small family, and its album."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.core.privacy.copies.album.days import Material
from services.core.privacy.copies.album.page import album_page
from services.core.privacy.copies.album.sketches import TrackPoint

CHILD: Final = "11111111-1111-1111-1111-111111111111"
MUM: Final = "33333333-3333-3333-3333-333333333333"
NOTHING_BESIDE: Final = Material({}, {})
_FIRST: Final = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)


def message(**fields: Any) -> dict[str, Any]:
    """Return a text of the guardian to the child, as the document states it."""
    return {
        "direction": "to_child", "kind": "text", "content": "good morning", "sent_at": None,
        "received_at": _FIRST.isoformat(), "audio": None, "duration_ms": None, "kept": False, **fields,
    }  # fmt: skip


def document_of(sound: str = "audio/2026-11-25_07-31-00.m4a") -> dict[str, Any]:
    """Return a document with a day of everything that an album shows."""

    def later(minutes: int) -> str:
        return (_FIRST + timedelta(minutes=minutes)).isoformat()

    return {
        "made_at": later(3000),
        "guardians": [
            {"guardian_id": MUM, "display_name": "", "relation": "mother", "joined_at": later(-60_000)},
        ],
        "children": [
            {
                "child_id": CHILD, "name": "Mei", "birth_date": "2016-05-04", "birth_year": None,
                "settings": {"timezone": "Asia/Shanghai"}, "contacts": [{"name": "Mum"}, {"name": "Teacher Li"}],
                "places_with": [], "checkins": f"checkins/{CHILD}.csv",
                "messages": [
                    message(),
                    message(direction="to_family", kind="voice", content=None, received_at=later(1), audio=sound,
                            duration_ms=4200, kept=True),
                    message(direction="to_family", kind="emoji", content="heart", received_at=later(2)),
                    message(kind="voice", content=None, received_at=later(1500), audio="gone", duration_ms=7000),
                ],
                "zones": [
                    {"name": "School", "shape": {"kind": "circle", "lat": 23.027, "lon": 113.752, "radius_m": 120.0}}
                ],
                "passages": [{"kind": "entered", "zone_name": "School", "happened_at": later(25)}],
                "alerts": [
                    {"kind": "sos", "raised_at": later(600), "all_right_at": later(630), "all_right_by": MUM,
                     "place": {"lat": 23.02, "lon": 113.75}},
                ],
            }
        ],
        "records": {
            "pairings": [{"child_id": CHILD, "serial": "SWTEST0001", "issued_at": later(-50_000), "ended_at": None}]
        },
    }  # fmt: skip


def tracks() -> dict[str, list[TrackPoint]]:
    """Return a way to school and back, on the first day."""
    way = [(23.0200, 113.7500), (23.0215, 113.7512), (23.0240, 113.7510), (23.0270, 113.7520), (23.0230, 113.7530)]
    return {CHILD: [TrackPoint(_FIRST + timedelta(minutes=10 * n), lat, lon) for n, (lat, lon) in enumerate(way)]}


def page_of(locale: str, document: dict[str, Any] | None = None, sounds: dict[str, str] | None = None) -> str:
    """Return the album of a document."""
    return album_page(document or document_of(), Material(sounds or {}, tracks()), locale, beside_before=None)
