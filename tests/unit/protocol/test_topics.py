"""Topics are built and read by one hand, and stay within what small modems hold."""

import pytest

from services.protocol import limits, topics
from services.protocol.topics import DownlinkKind, Identity, TopicFault, UplinkKind

WATCH = topics.paired_user("7k3q2v2m4x5d")


def test_a_serial_is_the_factory_user_and_a_random_name_the_paired_one() -> None:
    factory = topics.parse_user("f-SIM000000001")
    assert factory is not None
    assert (factory.identity, factory.serial, factory.name) == (
        Identity.FACTORY,
        "SIM000000001",
        "f-SIM000000001",
    )
    assert topics.parse_user("w-7k3q2v2m4x5d") == WATCH
    assert WATCH.serial is None
    assert WATCH.subscription == "sw/v1/w-7k3q2v2m4x5d/down/#"


@pytest.mark.parametrize(
    "name",
    [
        *("", "f-", "f-ABC", "f-abcd", "f-ABCD\n", "f-" + "A" * 21, "f-ÄBCD", "F-SIM000000001", "x-SIM000000001"),
        *("w-7k3q2v2m4x5", "w-7K3Q2V2M4X5D", "w-7k3q2v2m4x51", "w-" + "a" * 33, "w-aaaaaaaaaaaa/", "sw-backend"),
    ],
)
def test_no_other_name_is_a_watch(name: str) -> None:
    assert topics.parse_user(name) is None


@pytest.mark.parametrize("bare", ["", "ABC", "abcd", "AB-CD", "A" * 21])
def test_a_user_is_not_made_of_what_is_no_serial(bare: str) -> None:
    with pytest.raises(ValueError, match="serial"):
        topics.factory_user(bare)


def test_the_longest_topic_of_all_fits() -> None:
    user = topics.paired_user("a" * limits.PAIRED_NAME_MAX_CHARS)
    longest_id = "A" * limits.ID_MAX_CHARS
    last = limits.CLIP_MAX_CHUNKS - 1
    up = topics.uplink(user, UplinkKind.VOICE_CHUNK, longest_id, last)
    down = topics.downlink(user, DownlinkKind.ITEM_CHUNK, longest_id, last)
    assert max(len(up), len(down)) <= limits.TOPIC_MAX_BYTES


def test_a_topic_is_not_built_of_an_id_that_would_lead_elsewhere() -> None:
    for ref in ("../../w-other", "k3m9q2x7d5f/", "#", "k3m9q2x7d5fa\n", None):
        with pytest.raises(ValueError, match="id"):
            topics.uplink(WATCH, UplinkKind.VOICE_END, ref)
        with pytest.raises(ValueError, match="id"):
            topics.downlink(WATCH, DownlinkKind.ITEM, ref)
    with pytest.raises(ValueError, match="neither"):
        topics.uplink(WATCH, UplinkKind.TEXT, "k3m9q2x7d5fa")
    for chunk in (None, -1, limits.CLIP_MAX_CHUNKS):
        with pytest.raises(ValueError, match="chunk"):
            topics.uplink(WATCH, UplinkKind.VOICE_CHUNK, "k3m9q2x7d5fa", chunk)


def test_a_malformed_topic_still_tells_whose_it_is() -> None:
    parsed = topics.parse_uplink("sw/v1/w-7k3q2v2m4x5d/up/voice/k3m9q2x7d5fa/007")
    assert parsed == topics.MalformedTopic(TopicFault.CHUNK, WATCH)
    long = topics.parse_uplink("sw/v1/w-7k3q2v2m4x5d/up/text/" + "x" * 100_000)
    assert long == topics.MalformedTopic(TopicFault.TOO_LONG, WATCH)


def test_an_unknown_kind_names_its_id_so_that_retry_can() -> None:
    parsed = topics.parse_uplink("sw/v1/w-7k3q2v2m4x5d/up/photo/p3m9q2x7d5fa/0")
    assert parsed == topics.UnknownKind(WATCH, "photo", "p3m9q2x7d5fa")
