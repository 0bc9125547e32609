"""Example payloads of every message by model name: part of the AsyncAPI document, and read by tests."""

from collections.abc import Mapping
from typing import Any, Final

_SHA256: Final = "5d1b0f7a3c9e4826b7d4a1f0c8e39256749ad0b1e2f3c4d5a6978812340fedcb"
_USER: Final = "w-7k3q2v2m4x5d"
_CREDENTIALS: Final = {
    "username": _USER,
    "password": "q8Zt3vXo1LrWc7KdYhN2uE5sPbGmJf4a",
    "client_id": _USER,
    "prefix": f"sw/v1/{_USER}",
    "host": "watch.example.org",
    "port": 8883,
}

EXAMPLES: Final[Mapping[str, tuple[Any, ...]]] = {
    # ------------------------------------------------------------ up
    "PairingRequest": ({"ask": "code"}, {"ask": "status"}),
    "Hello": (
        {
            "tst": 1764000000,
            "boot": 7,
            "mono_s": 42,
            "conn": "9d2f",
            "protocol": 1,
            "firmware": "1.4.2",
            "model": "sim-1",
            "iccid": "89860012345678901234",
            "battery_pct": 81,
            "plays": ["amr-nb", "opus"],
            "records": ["amr-nb"],
            "chunk_bytes": 4096,
            "max_payload_bytes": 4096,
            "max_clip_bytes": 262144,
            "max_play_s": 60,
            "contacts_version": 0,
            "config_version": 0,
            "keepalive_s": 600,
            "alert_states": True,
        },
        {"conn": "9d2f"},
    ),
    "Status": (
        {"state": "online"},
        {"state": "asleep", "until_tst": 1764003600},
        {"state": "offline", "conn": "9d2f"},
        {"state": "off"},
    ),
    "VoiceEnd": (
        {
            "to": "family",
            "codec": "amr-nb",
            "bytes": 7032,
            "chunks": 2,
            "sha256": _SHA256,
            "duration_ms": 4400,
            "tst": 1764000010,
        },
    ),
    "Text": (
        {"id": "t81kd02mq7zr", "to": "g-1", "text": "hi", "tst": 1764000020},
        {"id": "t92kd03nb4ws", "to": "family", "emoji": "heart", "tst": 0, "boot": 7, "mono_s": 61},
    ),
    "Fetch": ({"ref": "9f2c81aa", "from": 0, "count": 2},),
    "UpReceipt": (
        {"ref": "9f2c81aa", "state": "delivered", "tst": 1764000031},
        {"ref": "9f2c81aa", "state": "played", "tst": 1764000052},
        {"ref": "9f2c81aa", "state": "later"},
        {"ref": "c0ffee99", "state": "rejected", "detail": "unsupported_kind"},
        {"ref": "k3m9q2x7d5fa", "state": "seen", "of": "played"},
    ),
    "Location": (
        {
            "_type": "location",
            "lat": 23.02,
            "lon": 113.75,
            "acc": 18,
            "batt": 80,
            "tst": 1764000040,
            "tid": "me",
            "id": "l7f3k2m1x9qd",
            "source": "gps",
        },
        {
            "_type": "location",
            "lat": 23.021,
            "lon": 113.751,
            "acc": 400,
            "tst": 1764000041,
            "id": "l8g4l3n2y0re",
            "source": "wifi",
            "reply_to": "c4",
            "wifi": [{"bssid": "02:00:5e:10:00:01", "rssi": -61}],
            "cells": [{"mcc": 460, "mnc": 0, "lac": 9876, "cid": 12345678, "rssi": -95}],
        },
    ),
    "OwnTracksOther": ({"_type": "lwt", "tst": 1764000000},),
    "Ack": (
        {"ref": "contacts", "version": 3, "state": "done"},
        {"ref": "config", "version": 2, "state": "done"},
        {"ref": "c4", "state": "taken"},
        {"ref": "c4", "state": "failed", "detail": "no_fix"},
    ),
    "Alert": (
        {
            "id": "a5d8k2m1w3pz",
            "kind": "sos",
            "tst": 1764000050,
            "location": {"lat": 23.02, "lon": 113.75, "acc": 18, "tst": 1764000048, "source": "gps"},
        },
        {"id": "a6e9l3n2x4qy", "kind": "low_battery", "tst": 1764000055},
    ),
    "Usage": (
        {
            "id": "u5d8k2m1h6vb",
            "from_tst": 1763996400,
            "to_tst": 1764000000,
            "worn_s": 3400,
            "screen_on_s": 120,
            "recordings": 2,
            "plays": 3,
            "calls_in": 1,
            "calls_out": 0,
            "call_s": 64,
            "reboots": 0,
            "battery_min_pct": 64,
            "signal_min_dbm": -109,
            "offline_s": 0,
            "bytes_up": 8210,
            "bytes_down": 9123,
        },
    ),
    # ------------------------------------------------------------ down, factory identity
    "PairingCode": ({"code": "482913", "qr": "https://watch.example.org/pair#482913", "expires_tst": 1764000600},),
    "PairingRefused": ({"error": "too_many", "retry_after_s": 60},),
    "NotPaired": ({"paired": False},),
    "PairedWithCredentials": ({"paired": True, "child_name": "Mei", "credentials": _CREDENTIALS},),
    "StillPaired": ({"paired": True, "username": _USER},),
    "Unpaired": ({"unpaired": True, "username": _USER},),
    # ------------------------------------------------------------ down, paired identity
    "Time": ({"tst": 1764000001},),
    "Receipt": (
        {"ref": "k3m9q2x7d5fa", "code": "stored"},
        {"ref": "k3m9q2x7d5fa", "code": "missing", "missing": [1]},
        {"ref": "k3m9q2x7d5fa", "code": "rejected", "detail": "recipient_removed"},
        {"ref": "9f2c81aa", "state": "played", "code": "stored"},
        {"ref": "a5d8k2m1w3pz", "code": "retry", "retry_after_s": 3600},
        {
            "refs": ["l7f3k2m1x9qd", "l8g4l3n2y0re"],
            "code": "stored",
            "rejected": [{"ref": "l9h5m4p3z1sf", "detail": "lat_out_of_range", "index": 2}],
        },
        {"ref": None, "topic": f"sw/v1/{_USER}/up/text", "code": "rejected", "detail": "malformed"},
        {"ref": "hello", "code": "rejected", "detail": "protocol", "min": 1, "max": 1},
    ),
    "State": (
        {"ref": "k3m9q2x7d5fa", "by": "g-1", "state": "played"},
        {"ref": "k3m9q2x7d5fa", "by": "g-2", "state": "rejected", "detail": "recipient_removed"},
    ),
    "ItemVoice": (
        {
            "seq": 12,
            "kind": "voice",
            "from": "g-1",
            "tst": 1764000030,
            "voice": {
                "codec": "amr-nb",
                "bytes": 9000,
                "chunk_bytes": 4096,
                "chunks": 3,
                "sha256": _SHA256,
                "duration_ms": 5600,
            },
        },
    ),
    "ItemText": (
        {"seq": 13, "kind": "text", "from": "g-1", "tst": 1764000035, "text": "早点睡 🌙"},
        {
            "seq": 15,
            "kind": "text",
            "from": "g-1",
            "tst": 1764000036,
            "text": "first part, ",
            "part": 1,
            "parts": 2,
        },
    ),
    "ItemEmoji": ({"seq": 16, "kind": "emoji", "from": "g-1", "tst": 1764000037, "emoji": "hug"},),
    "ItemRemoved": ({"seq": 14, "kind": "removed", "ref": "9f2c81aa"},),
    "Command": (
        {"id": "c4", "kind": "locate", "by": "g-1", "ttl_s": 90, "expires_tst": 1764000130},
        {"id": "c5", "kind": "wipe"},
    ),
    "Contacts": (
        {
            "version": 3,
            "part": 1,
            "parts": 1,
            "contacts": [
                {
                    "id": "g-1",
                    "name": "Mama",
                    "relation": "mother",
                    "number": "+8613800138000",
                    "may_message": True,
                    "may_call": True,
                    "position": 1,
                    "emergency": True,
                    "busy_until_tst": 1764010800,
                }
            ],
        },
        {"version": 4, "part": 1, "parts": 1, "contacts": []},
    ),
    "Config": (
        {
            "version": 2,
            "part": 1,
            "parts": 1,
            "checkin_interval_s": 1800,
            "location": False,
            "quiet": [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "16:30"}],
            "timezone": "Asia/Shanghai",
            "utc_offset_s": 28800,
            "language": "zh-Hans",
            "volume_pct": 70,
        },
    ),
    "AlertSeen": (
        {"ref": "a5d8k2m1w3pz", "seen_by": "g-1", "tst": 1764000070},
        {"ref": "a5d8k2m1w3pz", "state": "calling", "tst": 1764000001},
        {"ref": "a5d8k2m1w3pz", "state": "seen", "seen_by": "g-1", "tst": 1764000070},
        {"ref": "a5d8k2m1w3pz", "state": "unanswered", "tst": 1764000120},
    ),
}
