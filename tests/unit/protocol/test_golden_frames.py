"""Every golden frame is read, or refused, exactly as it says."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from services.protocol import codec, frames, topics
from services.protocol.errors import ProtocolError
from services.protocol.fields import WireMessage

VECTORS = Path(__file__).parents[2] / "vectors" / "frames"


def _frames(direction: str) -> list[Any]:
    return [
        pytest.param(frame, id=f"{path.stem}: {frame['name']}")
        for path in sorted(VECTORS.glob(f"{direction}_*.json"))
        for frame in json.loads(path.read_text())
    ]


def _payload(frame: dict[str, Any]) -> bytes:
    if "payload_base64" in frame:
        return base64.b64decode(frame["payload_base64"])
    text: str = frame["payload"]
    return text.encode()


def _plain(message: object) -> object:
    if isinstance(message, codec.Batch):
        return {
            "entries": [_plain(entry) for entry in message.entries],
            "rejected": [_plain(entry) for entry in message.rejected],
        }
    if isinstance(message, bytes):
        return {"bytes": len(message), "sha256": hashlib.sha256(message).hexdigest()}
    assert isinstance(message, WireMessage)
    return json.loads(codec.encode(message))


def _plain_alert(received: codec.ReceivedAlert) -> dict[str, Any]:
    """An alert without a usable id shows the id as it was sent, and one that cannot be read has nothing parsed."""
    if received.alert is None:
        return {"parsed": None, "sent_id": received.sent_id}
    parsed = json.loads(codec.encode(received.alert))
    if received.has_usable_id:
        return {"parsed": parsed}
    return {"parsed": {name: value for name, value in parsed.items() if name != "id"}, "sent_id": received.sent_id}


def _read(frame: dict[str, Any], direction: str) -> dict[str, Any]:
    parse = topics.parse_uplink if direction == "up" else topics.parse_downlink
    topic = parse(frame["topic"])
    if isinstance(topic, topics.MalformedTopic):
        return {"topic_fault": topic.fault.value}
    if isinstance(topic, topics.UnknownKind):
        return {"unknown_kind": topic.kind, "ref": topic.ref}
    binary = frame.get("binary", True)
    try:
        if isinstance(topic, topics.Uplink):
            message: object = frames.read_uplink(topic, _payload(frame), binary=binary)
        else:
            message = frames.read_downlink(topic, _payload(frame), binary=binary)
    except ProtocolError as error:
        return {"detail": error.detail.value, "ref": error.ref}
    of_topic = {"ref": topic.ref, "chunk": topic.chunk}
    return {
        "kind": topic.kind.value,
        **(_plain_alert(message) if isinstance(message, codec.ReceivedAlert) else {"parsed": _plain(message)}),
        **{name: value for name, value in of_topic.items() if value is not None},
    }


@pytest.mark.parametrize("frame", _frames("up"))
def test_an_uplink_is_read_as_the_vectors_say(frame: dict[str, Any]) -> None:
    assert _read(frame, "up") == frame["expect"]


@pytest.mark.parametrize("frame", _frames("down"))
def test_a_downlink_is_read_as_the_vectors_say(frame: dict[str, Any]) -> None:
    assert _read(frame, "down") == frame["expect"]


def test_every_kind_has_a_good_frame_and_a_bad_one() -> None:
    good: set[str] = set()
    bad: set[str] = set()
    for path in VECTORS.glob("*.json"):
        direction = path.stem.partition("_")[0]
        for frame in json.loads(path.read_text()):
            parse = topics.parse_uplink if direction == "up" else topics.parse_downlink
            topic = parse(frame["topic"])
            if isinstance(topic, topics.Uplink | topics.Downlink):
                (good if frame["expect"].get("parsed") is not None else bad).add(f"{direction} {topic.kind}")
    kinds = {f"up {kind}" for kind in topics.UplinkKind} | {f"down {kind}" for kind in topics.DownlinkKind}
    assert good == kinds
    assert bad == kinds - {"down item_chunk"}, "a bad chunk down shows in its hash only"


def test_what_is_read_and_written_again_is_read_the_same() -> None:
    for path in sorted(VECTORS.glob("*.json")):
        for frame in json.loads(path.read_text()):
            parsed = frame["expect"].get("parsed")
            if not isinstance(parsed, dict) or "entries" in parsed or set(parsed) == {"bytes", "sha256"}:
                continue
            if "sent_id" in frame["expect"]:
                continue
            again = {"topic": frame["topic"], "payload": json.dumps(parsed)}
            assert _read(again, path.stem.partition("_")[0])["parsed"] == parsed, frame["name"]
