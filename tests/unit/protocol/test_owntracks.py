"""Every element and trigger of OwnTracks' documentation is read as its vector says, and nothing else is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.protocol.codec import decode_locations, encode
from services.protocol.location import Location, OwnTracksOther
from services.protocol.topics import Uplink, UplinkKind, parse_uplink

FOLDER = Path(__file__).parents[2] / "vectors" / "owntracks"
VECTORS: list[dict[str, Any]] = [
    vector for path in sorted(FOLDER.glob("*.json")) for vector in json.loads(path.read_text())
]

# As the documentation lists them.
ELEMENTS = {
    "acc", "alt", "batt", "bs", "cog", "lat", "lon", "rad", "t", "tid", "tst", "vac", "vel", "p", "poi", "image",
    "imagename", "conn", "tag", "topic", "inregions", "inrids", "SSID", "BSSID", "created_at", "m", "_id",
    "motionactivities", "dist", "trip", "source",
}  # fmt: skip
QUECLINK_ELEMENTS = {
    "odometer", "hmc", "ubatt", "uext", "vin", "imei", "name", "don", "doff", "aiv", "rpm", "fcon", "flvl", "anum",
    "adid-01", "adty-01", "adda-01", "temp_c-01", "can", "din1", "din2", "dout1", "dout2", "ign", "motion", "tow",
    "fake", "sens", "sent", "mcc", "mnc", "lac", "cid", "nmds", "rit", "rty", "rid", "mst", "count", "raw_line",
    "counter", "ignored",
}  # fmt: skip
# Of the objects that are no location.
OTHER_ELEMENTS = {
    "lwt": {"tst"},
    "waypoint": {"desc", "lat", "lon", "rad", "tst", "uuid", "major", "minor", "rid"},
    "transition": {"wtst", "lat", "lon", "tst", "acc", "tid", "event", "desc", "t", "rid"},
    "beacon": {"desc", "uuid", "major", "minor", "tst", "acc", "rssi", "prox"},
    "steps": {"tst", "steps", "from", "to"},
    "card": {"name", "face", "tid"},
    "waypoints": {"_creator", "waypoints"},
    "encrypted": {"data"},
}
APP_TRIGGERS, GREENWICH_TRIGGERS, QUECLINK_TRIGGERS = "pcCbrutva", "fmtTkvlL", "oM!aiIeE1239hs"
TRIGGERS = {*APP_TRIGGERS, *GREENWICH_TRIGGERS, *QUECLINK_TRIGGERS}
TYPES = {
    "beacon", "card", "cmd", "configuration", "encrypted", "location", "lwt", "request", "status", "steps",
    "transition", "waypoint", "waypoints",
}  # fmt: skip
TRANSITIONS = {"c", "b", "l", "w"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_it_is_read_as_its_vector_says(vector: dict[str, Any]) -> None:
    topic = "/".join(filter(None, ("sw/v1/w-7k3q2v2m4x5d/up/location", vector["leaf"])))
    user = parse_uplink(topic)
    assert isinstance(user, Uplink)
    assert user.kind is UplinkKind.LOCATION
    batch = decode_locations(json.dumps(vector["payload"]).encode())
    [entry] = batch.entries
    assert isinstance(entry, Location if vector["kept"] else OwnTracksOther)
    read = {name: value for name, value in json.loads(encode(entry)).items() if value != []}
    assert read == vector["read"]


def test_nothing_of_the_documentation_is_left_out() -> None:
    locations = [vector["payload"] for vector in VECTORS if vector["payload"]["_type"] == "location"]
    assert {name for payload in locations for name in payload} >= ELEMENTS | QUECLINK_ELEMENTS
    for kind, elements in OTHER_ELEMENTS.items():
        of_kind = [vector["payload"] for vector in VECTORS if vector["payload"]["_type"] == kind]
        assert {name for payload in of_kind for name in payload} >= elements
    assert {payload["t"] for payload in locations if "t" in payload} == TRIGGERS
    assert {vector["payload"]["_type"] for vector in VECTORS} == TYPES
    assert {
        vector["payload"].get("t") for vector in VECTORS if vector["payload"]["_type"] == "transition"
    } == TRANSITIONS


def test_an_array_of_all_of_them_keeps_each_fix() -> None:
    for start in range(0, len(VECTORS), 50):
        part = VECTORS[start : start + 50]
        batch = decode_locations(json.dumps([vector["payload"] for vector in part]).encode())
        assert batch.rejected == []
        assert [isinstance(entry, Location) for entry in batch.entries] == [vector["kept"] for vector in part]
