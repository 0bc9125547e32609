"""Firmware quirks: harmless habits of real watches that a backend has to put up with. Each changes payloads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Fields = dict[str, Any]
_SINCE_BOOT: Final = ("boot", "mono_s")
_BEIJING_S: Final = 8 * 3600


@dataclass(frozen=True)
class Quirk:
    """A habit; `change` returns the fields of a message as this firmware would send them."""

    about: str
    change: Callable[[Fields], Fields]


def _local_time(fields: Fields) -> Fields:
    return {**fields, "tst": fields["tst"] + _BEIJING_S} if fields.get("tst") else fields


def _undated(fields: Fields) -> Fields:
    return {name: 0 if name == "tst" else value for name, value in fields.items() if name not in _SINCE_BOOT}


def _battery_steps(fields: Fields) -> Fields:
    step = 25
    return {
        name: -(-value // step) * step if name in {"batt", "battery_pct"} and isinstance(value, int) else value
        for name, value in fields.items()
    }


def _coarse(fields: Fields) -> Fields:
    return {name: round(value, 3) if name in {"lat", "lon"} else value for name, value in fields.items()}


QUIRKS: Final[Mapping[str, Quirk]] = {
    "local-time": Quirk("dates in Beijing time instead of UTC", _local_time),
    "undated": Quirk(
        "neither date nor boot count",
        _undated,
    ),
    "battery-steps": Quirk("the battery in quarters", _battery_steps),
    "coarse-places": Quirk("coordinates with three digits", _coarse),
    "unknown-accuracy": Quirk(
        "accuracy -1", lambda fields: {**fields, "acc": -1} if "lat" in fields else fields
    ),
    "vendor-fields": Quirk(
        "fields of its maker beside those of the contract",
        lambda fields: {**fields, "imei": "860000000000017", "vendor": {"rssi": [1, 2], "fw": None}},
    ),
    "loud-alerts": Quirk(
        "kinds of alerts in capitals",
        lambda fields: {**fields, "kind": str(fields["kind"]).upper()} if "kind" in fields else fields,
    ),
    "wild-hello": Quirk(
        "advisory fields of hello that are malformed",
        lambda fields: {**fields, "battery_pct": "full", "firmware": 17, "iccid": ""} if "conn" in fields else fields,
    ),
}  # fmt: skip


def changed(payload: bytes, quirks: Sequence[str]) -> bytes:
    """Return the payload as firmware with these quirks sends it; what is no JSON object is left alone."""
    if not quirks:
        return payload
    try:
        fields = json.loads(payload)
    except ValueError:
        return payload
    entries = fields if isinstance(fields, list) else [fields]
    if not all(isinstance(entry, dict) for entry in entries):
        return payload
    for name in quirks:
        entries = [QUIRKS[name].change(entry) for entry in entries]
    return json.dumps(entries if isinstance(fields, list) else entries[0], separators=(",", ":")).encode()
