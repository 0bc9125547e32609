"""Whatever comes in, the protocol either reads it or says why not; whatever goes out, it can be read back."""

import functools
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.protocol import codec, frames, limits, split, topics
from services.protocol.downlink import Config, Contact, ItemText, Quiet, Receipt, RejectedEntry
from services.protocol.errors import ProtocolError
from services.protocol.examples import EXAMPLES
from services.protocol.fields import WireMessage
from services.protocol.location import CellSeen, Location
from services.protocol.topics import DownlinkKind, UplinkKind
from services.protocol.uplink import Hello, Text, Usage, VoiceEnd
from services.protocol.words import Detail, Emoji, LocationSource, ReceiptCode, Relation

MODELS = [model for models in [*frames.UPLINK_MODELS.values(), *frames.DOWNLINK_MODELS.values()] for model in models]

# ---------------------------------------------------------------- what may stand on the wire

wire_text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=64)
message_text = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]),
    min_size=1,
    max_size=limits.TEXT_MAX_CHARS,
)
id_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
watch_ids = st.text(id_letters, min_size=limits.ID_MIN_CHARS, max_size=limits.ID_MAX_CHARS)
refs = st.text(id_letters, min_size=1, max_size=limits.ID_MAX_CHARS)
seconds = st.integers(0, limits.UNIX_MAX_S)
counts = st.integers(0, limits.INT4_MAX)
rooms_bytes = st.integers(limits.MAX_PAYLOAD_FLOOR_BYTES, 8192)
users = st.one_of(
    st.from_regex(r"[A-Z0-9]{4,20}", fullmatch=True).map(topics.factory_user),
    st.from_regex(r"[a-z2-7]{12,32}", fullmatch=True).map(topics.paired_user),
)
texts = st.builds(Text, id=watch_ids, to=refs, text=message_text, tst=seconds, boot=st.none() | counts)
emojis = st.builds(Text, id=watch_ids, to=refs, emoji=st.sampled_from(Emoji), tst=seconds)
hellos = st.builds(
    Hello,
    conn=refs,
    tst=seconds,
    firmware=wire_text,
    battery_pct=st.none() | st.integers(0, 100),
    plays=st.lists(st.sampled_from(["amr-nb", "opus", "lyra"]), max_size=5),
    max_payload_bytes=st.integers(limits.MAX_PAYLOAD_FLOOR_BYTES, limits.INT4_MAX),
    binary=st.booleans(),
)
usages = st.builds(Usage, id=watch_ids, worn_s=st.none() | counts, signal_min_dbm=st.integers(-200, 100))
contacts = st.builds(
    Contact,
    id=refs,
    name=wire_text,
    relation=st.sampled_from(Relation) | st.just("godmother"),
    number=st.none() | st.from_regex(r"\+?[0-9]{1,19}", fullmatch=True),
    may_message=st.booleans(),
    position=st.integers(1, limits.INT4_MAX),
)
times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
quiets = st.builds(
    # Through a function: hypothesis looks for parameters named as on the wire, and `from` can be none.
    lambda days, starts, ends: Quiet(days=days, starts=starts, ends=ends),
    st.lists(st.integers(1, 7), min_size=1, max_size=7),
    times,
    times,
)
items = st.builds(
    lambda seq, sender, tst, text: ItemText(seq=seq, sender=sender, tst=tst, text=text),
    st.integers(1, limits.INT8_MAX),
    refs,
    seconds,
    message_text,
)
locations = st.builds(
    Location,
    lat=st.floats(-90, 90),
    lon=st.integers(-180, 180) | st.floats(-180, 180),
    acc=st.none() | st.floats(-1, 1000),
    batt=st.none() | st.integers(-1, 101),
    source=st.none() | st.sampled_from([*LocationSource, "stars", "no word"]),
    id=st.none() | watch_ids,
    tid=st.none() | wire_text,
    tst=seconds | st.just(-1),
    boot=st.none() | counts,
    cells=st.just([]) | st.just([CellSeen(mcc=460, mnc=0, lac=1, cid=2)]),
)
messages: st.SearchStrategy[WireMessage] = st.one_of(texts, emojis, hellos, usages, contacts, quiets, items)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    # json.dumps writes these as escapes, as a careless firmware would.
    | st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


# ---------------------------------------------------------------- properties


@given(messages)
def test_what_is_encoded_is_decoded_the_same(message: WireMessage) -> None:
    assert codec.decode_json(codec.encode(message), type(message)) == message


@given(messages)
def test_what_is_decoded_again_has_the_same_fingerprint(message: WireMessage) -> None:
    again = codec.decode_json(codec.encode(message), type(message))
    assert codec.fingerprint(again) == codec.fingerprint(message)


@given(messages | locations)
def test_the_fields_of_a_fingerprint_are_those_that_pydantic_writes(message: WireMessage) -> None:
    fields = message.flat_fields()
    if fields is not None:
        assert fields == message.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    else:
        assert not isinstance(message, Location) or message.cells


@given(st.sampled_from([ReceiptCode.STORED, ReceiptCode.DUPLICATE]), watch_ids)
def test_a_short_receipt_is_written_as_the_model_is(code: ReceiptCode, ref: str) -> None:
    assert codec.encode_short_receipt(code, ref) == codec.encode(Receipt(code=code, ref=ref))


@given(
    st.one_of(
        st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
        st.integers(-(2**70), 2**70).map(lambda number: f"{number}.0"),
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
    )
)
def test_a_number_is_an_integer_exactly_where_it_equals_one(text: str) -> None:
    payload = f'{{"_type":"location","lat":1,"lon":1,"tst":{text}}}'.encode()
    exact = Decimal(text)
    is_time = exact == exact.to_integral_value() and 0 <= exact <= limits.UNIX_MAX_S
    [fix] = codec.decode_locations(payload).entries
    assert isinstance(fix, Location)
    assert fix.tst == (int(exact) if is_time and len(text) <= limits.NUMBER_MAX_CHARS else 0)


def _readers() -> list[Callable[[bytes], object]]:
    user = topics.paired_user("7k3q2v2m4x5d")
    readers: list[Callable[[bytes], object]] = []
    for binary in (True, False):
        for up in UplinkKind:
            chunk = 0 if up is UplinkKind.VOICE_CHUNK else None
            ref = "k3m9q2x7d5fa" if "voice" in up else None
            uplink = topics.Uplink(user, up, ref, chunk)
            readers.append(functools.partial(frames.read_uplink, uplink, binary=binary))
        for down in DownlinkKind:
            downlink = topics.Downlink(user, down, "9f2c81aa", 0)
            readers.append(functools.partial(frames.read_downlink, downlink, binary=binary))
    return readers


READERS = _readers()


def _refusal(read: Callable[[bytes], object], payload: bytes) -> ProtocolError | None:
    try:
        read(payload)
    except ProtocolError as error:
        return error
    return None


def _each_reads_or_refuses(payload: bytes) -> None:
    for read in READERS:
        refusal = _refusal(read, payload)
        if refusal is not None:
            assert refusal.detail in Detail
            assert refusal.ref is None or topics.is_ref(refusal.ref)
            receipt = codec.receipt_for_error(refusal, "sw/v1/w-7k3q2v2m4x5d/up/text")
            encoded = codec.encode(receipt)
            assert codec.decode_json(encoded, Receipt) == receipt
            assert len(encoded) <= limits.MAX_PAYLOAD_FLOOR_BYTES
    codec.find_ref(payload)


@given(st.binary(max_size=2000))
def test_no_bytes_make_a_reader_raise_anything_else(payload: bytes) -> None:
    _each_reads_or_refuses(payload)


@given(json_values)
def test_no_json_makes_a_reader_raise_anything_else(value: object) -> None:
    _each_reads_or_refuses(json.dumps(value).encode())


@settings(max_examples=400)
@given(st.data())
def test_no_wrong_field_in_a_good_message_makes_a_reader_raise_anything_else(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(EXAMPLES)))
    example: dict[str, Any] = dict(data.draw(st.sampled_from(EXAMPLES[name])))
    field = data.draw(st.sampled_from(sorted(example)))
    example[field] = data.draw(json_values)
    _each_reads_or_refuses(json.dumps(example).encode())


def _advisory_fields(model: type[WireMessage]) -> list[str]:
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and "x-advisory" in field.json_schema_extra
    ]


ADVISORY = {
    model: fields for models in frames.UPLINK_MODELS.values() for model in models if (fields := _advisory_fields(model))
}
# Output of careless firmware: JSON of any kind, numbers in every spelling, text that is no JSON.
raw_values = st.one_of(
    json_values.map(json.dumps),
    st.sampled_from(["NaN", "-Infinity", "1e999", "3.0", "3e2", "1795928981.5", "-0.0", "9" * 60]),
    st.sampled_from(['"\\ud800"', '"\x01"', '"\\u0000"']),
    st.floats().map(json.dumps),
)


def test_every_kind_of_uplink_has_its_advisory_fields() -> None:
    clock = {"tst", "boot", "mono_s"}
    place = {"acc", "alt", "vac", "vel", "cog", "batt", "source", "wifi", "cells"}
    labels = {"firmware", "model", "iccid"}
    lists = {"plays", "records", "contacts_version", "config_version"}
    assert {model.__name__: set(fields) for model, fields in ADVISORY.items()} == {
        "Hello": clock | labels | lists | {"battery_pct", "keepalive_s", "alert_states"},
        "Status": {"conn", "until_tst"},
        "VoiceEnd": clock | {"duration_ms"},
        "Text": clock,
        "UpReceipt": clock | {"detail"},
        "Ack": clock | {"detail"},
        "Alert": clock | {"location"},
        "Location": clock | place | {"tid", "t"},
        "Usage": {"from_tst", "to_tst", "boot", "mono_s", "battery_min_pct", "signal_min_dbm"},
    }


@settings(max_examples=600)
@given(st.data(), raw_values, st.binary(max_size=8))
def test_no_advisory_field_costs_the_message_in_which_it_stands(data: st.DataObject, raw: str, tail: bytes) -> None:
    model = data.draw(st.sampled_from(sorted(ADVISORY, key=lambda model: model.__name__)))
    field = data.draw(st.sampled_from(ADVISORY[model]))
    example = {name: value for name, value in EXAMPLES[model.__name__][0].items() if name != field}
    # Two clocks that can both be read may contradict each other, which is content.
    example = {name: value for name, value in example.items() if name not in {"from_tst", "to_tst"}}
    without = codec.decode_json(json.dumps(example).encode(), model)
    payload = f'{{"{field}":{raw},{json.dumps(example)[1:]}'.encode(errors="surrogatepass") + tail
    read = codec.decode_json(payload, model)
    name = next(name for name, info in model.model_fields.items() if (info.alias or name) == field)
    assert read.model_copy(update={name: getattr(without, name)}) == without
    # Whatever was read is within the limits of the field: it can be written and read again.
    assert codec.decode_json(codec.encode(read), model) == read


@given(st.binary(max_size=500) | json_values.map(lambda value: json.dumps(value).encode()))
def test_every_payload_is_an_alert_with_an_answer_and_repeats_coincide(payload: bytes) -> None:
    received = codec.decode_alert(payload)
    assert received == codec.decode_alert(payload)
    assert received.repeat_key(0) == received.repeat_key(limits.RECEIPT_REPEAT_MAX_S - 1)
    receipt = Receipt(code="stored", ref=received.sent_id, topic="sw/v1/w-7k3q2v2m4x5d/up/alert")
    assert codec.decode_json(codec.encode(receipt), Receipt) == receipt
    if received.has_usable_id:
        assert topics.is_watch_id(received.sent_id or "")


@given(messages, st.integers(0, 2000), st.integers(0, 255))
def test_no_damaged_byte_makes_a_reader_raise_anything_else(message: WireMessage, place: int, byte: int) -> None:
    payload = bytearray(codec.encode(message))
    payload[place % len(payload)] = byte
    _each_reads_or_refuses(bytes(payload))


@given(users, st.sampled_from(UplinkKind), watch_ids, st.integers(0, limits.CLIP_MAX_CHUNKS - 1))
def test_every_uplink_topic_is_read_as_it_was_built(user: topics.User, kind: UplinkKind, ref: str, chunk: int) -> None:
    voice = kind in {UplinkKind.VOICE_CHUNK, UplinkKind.VOICE_END}
    parts = (ref if voice else None, chunk if kind is UplinkKind.VOICE_CHUNK else None)
    topic = topics.uplink(user, kind, *parts)
    assert topics.parse_uplink(topic) == topics.Uplink(user, kind, *parts)
    assert len(topic.encode()) <= limits.TOPIC_MAX_BYTES
    assert isinstance(topics.parse_downlink(topic), topics.MalformedTopic)


@given(users, st.sampled_from(DownlinkKind), refs, st.integers(0, limits.CLIP_MAX_CHUNKS - 1))
def test_every_downlink_topic_is_read_as_it_was_built(
    user: topics.User, kind: DownlinkKind, ref: str, chunk: int
) -> None:
    item = kind in {DownlinkKind.ITEM, DownlinkKind.ITEM_CHUNK}
    parts = (ref if item else None, chunk if kind is DownlinkKind.ITEM_CHUNK else None)
    topic = topics.downlink(user, kind, *parts)
    assert topics.parse_downlink(topic) == topics.Downlink(user, kind, *parts)
    assert len(topic.encode()) <= limits.TOPIC_MAX_BYTES
    assert isinstance(topics.parse_uplink(topic), topics.MalformedTopic)


@given(st.one_of(st.text(max_size=120), st.lists(st.text(max_size=8)).map("/".join)))
def test_no_text_makes_a_topic_reader_raise(tail: str) -> None:
    for topic in (tail, f"sw/v1/w-7k3q2v2m4x5d/up/{tail}", f"sw/v1/w-7k3q2v2m4x5d/down/{tail}"):
        topics.parse_uplink(topic)
        topics.parse_downlink(topic)
        topics.parse_user(topic)


@given(st.lists(contacts, max_size=limits.ARRAY_MAX_ITEMS), counts, rooms_bytes)
def test_contacts_in_parts_fit_and_lose_nobody(people: list[Contact], version: int, room_bytes: int) -> None:
    parts = split.split_contacts(version, people, room_bytes)
    assert all(len(codec.encode(part)) <= room_bytes for part in parts)
    assert [contact for part in parts for contact in part.contacts] == people
    assert [part.part for part in parts] == list(range(1, len(parts) + 1))
    assert {(part.version, part.parts) for part in parts} == {(version, len(parts))}


@given(st.lists(quiets, max_size=limits.ARRAY_MAX_ITEMS), counts, rooms_bytes)
def test_a_config_in_parts_fits_and_loses_no_quiet_time(quiet: list[Quiet], version: int, room_bytes: int) -> None:
    parts = split.split_config(Config(version=version, quiet=quiet, location=True), room_bytes)
    assert all(len(codec.encode(part)) <= room_bytes for part in parts)
    assert [time for part in parts for time in part.quiet] == quiet
    assert all(part.location for part in parts)


@given(items, rooms_bytes)
def test_a_text_in_parts_fits_and_loses_no_character(item: ItemText, room_bytes: int) -> None:
    parts = split.split_text(item, room_bytes)
    assert all(len(codec.encode(part)) <= room_bytes for part in parts)
    assert "".join(part.text for part in parts) == item.text
    assert all(codec.decode_item(codec.encode(part)) == part for part in parts)


@given(
    st.lists(refs, max_size=limits.ARRAY_MAX_ITEMS),
    st.lists(
        st.builds(
            RejectedEntry,
            ref=st.none() | refs,
            detail=st.sampled_from(Detail),
            index=st.none() | st.integers(0, 49),
        ),
        max_size=limits.ARRAY_MAX_ITEMS,
    ),
    rooms_bytes,
)
def test_receipts_of_an_array_fit_and_lose_no_entry(
    accepted: list[str], rejected: list[RejectedEntry], room_bytes: int
) -> None:
    receipts = split.split_receipts(accepted, rejected, room_bytes)
    assert all(len(codec.encode(receipt)) <= room_bytes for receipt in receipts)
    assert [ref for receipt in receipts for ref in receipt.refs or []] == accepted
    assert [entry for receipt in receipts for entry in receipt.rejected or []] == rejected


@given(st.binary(min_size=1, max_size=limits.CHUNK_MAX_BYTES), st.booleans())
def test_a_chunk_comes_back_as_it_went(sound: bytes, binary: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    assert codec.decode_chunk(codec.encode_chunk(sound, binary=binary), binary=binary) == sound


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_null_and_absent_are_the_same(model: type[WireMessage]) -> None:
    for example in EXAMPLES[model.__name__]:
        names = {field.alias or name for name, field in model.model_fields.items()}
        nulls = {name: None for name in names if name not in example}
        plain = codec.decode_json(json.dumps(example).encode(), model)
        assert codec.decode_json(json.dumps({**nulls, **example}).encode(), model) == plain


@given(st.integers(1, limits.CLIP_MAX_BYTES), st.integers(limits.CHUNK_MIN_BYTES, limits.CHUNK_MAX_BYTES))
def test_an_honestly_cut_clip_is_always_plausible(size_bytes: int, chunk_bytes: int) -> None:
    end = VoiceEnd(
        to="family",
        codec="amr-nb",
        bytes=size_bytes,
        chunks=-(-size_bytes // chunk_bytes),
        sha256="0" * 64,
    )
    assert codec.decode_json(codec.encode(end), VoiceEnd) == end
