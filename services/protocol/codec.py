"""Decode payloads to messages and encode messages. Every reader raises `ProtocolError` and nothing else."""

import base64
import binascii
import codecs
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.protocol import limits
from services.protocol.downlink import (
    Item,
    ItemEmoji,
    ItemRemoved,
    ItemText,
    ItemUnknown,
    ItemVoice,
    Receipt,
    RejectedEntry,
)
from services.protocol.errors import (
    FieldRefusedError,
    PayloadMalformedError,
    PayloadTooLargeError,
    ProtocolError,
    VersionRefusedError,
)
from services.protocol.fields import WireMessage
from services.protocol.json_values import first_value, is_too_deep
from services.protocol.location import Location, OwnTracksOther
from services.protocol.pairing import (
    NotPaired,
    PairedWithCredentials,
    PairingAnswer,
    PairingCode,
    PairingRefused,
    StillPaired,
    Unpaired,
)
from services.protocol.topics import is_ref, is_watch_id
from services.protocol.uplink import Alert, Hello, Usage, VoiceEnd
from services.protocol.words import Detail, ReceiptCode

M = TypeVar("M", bound=WireMessage)
JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch(Generic[M]):
    """The entries of an array that could be read, in order, and those that were rejected."""

    entries: list[M]
    rejected: list[RejectedEntry]


# ---------------------------------------------------------------- reading


def decode_json(payload: bytes, model: type[M], *, ref: str | None = None) -> M:
    """Return the message in a payload. Raises ProtocolError, with `ref` as its id if the payload holds none.

    Unknown fields are ignored, missing optional ones have their default, of duplicate keys the last counts.
    """
    return _read_object(_parse(payload, ref), model, ref)


def decode_locations(payload: bytes) -> Batch[Location | OwnTracksOther]:
    """Return one location or an array of at most 50; a bad entry does not affect the others.

    A single object that is bad, and an array that is too long, raise ProtocolError.
    """
    return _read_batch(payload, _read_owntracks)


def is_array(payload: bytes) -> bool:
    """Return whether a decoded payload held an array instead of one object; the answer has the same form."""
    return payload.removeprefix(codecs.BOM_UTF8).lstrip(b"\x00 \t\r\n").startswith(b"[")


def decode_usage(payload: bytes) -> Batch[Usage]:
    """Return one usage record or an array of at most 50; a bad entry does not affect the others."""
    return _read_batch(payload, lambda given: _read_object(given, Usage, None))


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """An `up/alert` as far as it can be read; there is one for any payload.

    `alert` None: not readable. Without a usable id its `id` is a stand-in from the digest. `sent_id` is the id as it
    was sent, cut to 36 characters, for the receipt; None: there was none. `digest` is the SHA-256 (hex) of the payload;
    of JSON without its white space, order and `location`, which must not be guessable from what is stored.
    """

    alert: Alert | None
    sent_id: str | None
    digest: str
    has_usable_id: bool
    has_clock: bool

    def repeat_key(self, received_s: int) -> str:
        """Return a text that a message without a usable id has in common with its repeats.

        Without a clock in the payload two calls of a child look alike. Then messages coincide within the longest wait
        between two repeats (`received_s` is in Unix seconds), and a later one is a call of its own.
        """
        return self.digest if self.has_clock else f"{self.digest}/{received_s // limits.RECEIPT_REPEAT_MAX_S}"


def decode_alert(payload: bytes) -> ReceivedAlert:
    """Return an `up/alert`. Never raises: a message that cannot be read is a call of the watch all the same."""
    try:
        given = _parse(payload, None)
    except ProtocolError:
        return ReceivedAlert(None, None, hashlib.sha256(payload).hexdigest(), has_usable_id=False, has_clock=False)
    fields: JsonObject = given if isinstance(given, dict) else {}
    placeless = {name: value for name, value in fields.items() if name != "location"} or given
    digest = hashlib.sha256(json.dumps(placeless, sort_keys=True).encode()).hexdigest()
    sent = fields.get("id")
    has_usable_id = isinstance(sent, str) and is_watch_id(sent)
    try:
        id_or_stand_in = sent if has_usable_id else digest[: limits.ID_DIGEST_CHARS]
        alert = _read_object({**fields, "id": id_or_stand_in}, Alert, None)
    except ProtocolError:
        alert = None
    has_clock = any(_is_positive(fields.get(name)) for name in ("tst", "mono_s"))
    return ReceivedAlert(alert, _sent_id(sent), digest, has_usable_id=has_usable_id, has_clock=has_clock)


def _sent_id(value: object) -> str | None:
    """Return an id as a receipt can repeat it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).encode(errors="replace").decode().replace("\x00", "?")
    return text[: limits.ID_MAX_CHARS] or None


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def decode_item(payload: bytes, *, ref: str | None = None) -> Item:
    """Return a `down/item` by its kind; one of a later version becomes ItemUnknown. Raises ProtocolError."""
    given = _parse(payload, ref)
    model: type[Item] = ItemUnknown
    if isinstance(given, dict):
        kind = given.get("kind")
        model = _ITEM_MODELS.get(kind, ItemUnknown) if isinstance(kind, str) else ItemUnknown
    return _read_object(given, model, ref)


def decode_pairing_answer(payload: bytes) -> PairingAnswer:
    """Return a `down/pairing` by its fields. Raises ProtocolError."""
    given = _parse(payload, None)
    model: type[PairingAnswer] = PairingCode
    if isinstance(given, dict):
        model = _pairing_model(given)
    return _read_object(given, model, None)


def decode_chunk(payload: bytes, *, binary: bool = True) -> bytes:
    """Return the bytes of a chunk; after `"binary": false` in hello it is base64 text. Raises ProtocolError.

    That all but the last have at least 512 bytes shows only when the clip is whole.
    """
    most = limits.CHUNK_MAX_BYTES if binary else -(-limits.CHUNK_MAX_BYTES // 3) * 4
    if len(payload) > most:
        raise PayloadTooLargeError(max_bytes=limits.CHUNK_MAX_BYTES)
    if not binary:
        try:
            payload = base64.b64decode(payload, validate=True)
        except (binascii.Error, ValueError):
            raise PayloadMalformedError from None
    if len(payload) > limits.CHUNK_MAX_BYTES:
        raise PayloadTooLargeError(max_bytes=limits.CHUNK_MAX_BYTES)
    if not payload:
        raise PayloadMalformedError
    return payload


def find_ref(payload: bytes) -> str | None:
    """Return the id (or ref) in a payload of an unknown kind, for the receipt `retry`. Never raises."""
    try:
        return _ref_in(_parse(payload, None))
    except ProtocolError as error:
        return error.ref


# ---------------------------------------------------------------- writing


def encode(message: WireMessage) -> bytes:
    """Return compact UTF-8 JSON with the names of the contract, without absent fields."""
    return message.model_dump_json(by_alias=True).encode()


def encode_short_receipt(code: str, ref: str) -> bytes:
    """Return ``encode(Receipt(code=code, ref=ref))`` for a word of the contract and a valid id, which need no escapes.

    Nearly every receipt is one; building and writing the model costs ten times as much.
    """
    return f'{{"code":"{code}","ref":"{ref}"}}'.encode()


def encode_chunk(sound: bytes, *, binary: bool = True) -> bytes:
    """Return a chunk unchanged, or as base64 text for a watch whose hello has `"binary": false`."""
    return sound if binary else base64.b64encode(sound)


def receipt_for_error(error: ProtocolError, topic: str) -> Receipt:
    """Return the receipt for an error: by id where one was found, else by topic."""
    return Receipt(
        code=ReceiptCode.REJECTED,
        ref=error.ref,
        topic=printable_topic(topic) if error.ref is None else None,
        detail=error.detail,
        min=error.min if isinstance(error, VersionRefusedError) else None,
        max=error.max if isinstance(error, VersionRefusedError) else None,
    )


def printable_topic(topic: str) -> str:
    """Return a topic in the form that a receipt may carry: within the limit, valid UTF-8, without NUL."""
    text = topic.encode(errors="replace")[: limits.TOPIC_MAX_BYTES].decode(errors="ignore")
    return text.replace("\x00", "?")


# ---------------------------------------------------------------- sameness


def fingerprint(message: WireMessage) -> str:
    """Return the SHA-256 (hex) over the known fields, by which a repeat of an id is recognised as the same content.

    Voice: sha256, to and codec only, since a repeat may be cut into other chunks. Fields at their default are left
    out, so that a field added in a later version does not make an old record look different. Unknown fields, order
    and white space do not count. The kind counts: ids are unique over all kinds.
    """
    known: JsonObject | None
    if isinstance(message, VoiceEnd):
        known = message.model_dump(mode="json", include={"sha256", "to", "codec"})
    else:
        known = message.flat_fields()
        if known is None:
            known = message.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    canonical = _CANONICAL.encode({"kind": message.wire_kind, "fields": known})
    return hashlib.sha256(canonical.encode()).hexdigest()


_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


# ---------------------------------------------------------------- inside


def _parse(payload: bytes, ref: str | None) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return the first JSON value in a payload; a byte order mark before it and all text after it are ignored.

    Bytes that are no UTF-8 become lone surrogates: content that holds one is rejected, a label is cleaned.
    """
    if len(payload) > limits.JSON_MAX_BYTES:
        raise PayloadTooLargeError(ref=ref, max_bytes=limits.JSON_MAX_BYTES)
    try:
        return first_value(payload.decode("utf-8", errors="surrogateescape"))
    except (ValueError, RecursionError):
        # JSONDecodeError is a ValueError.
        raise PayloadMalformedError(ref=ref) from None


def _read_object(given: object, model: type[M], ref: str | None) -> M:
    if not isinstance(given, dict) or is_too_deep(given):
        raise PayloadMalformedError(ref=_ref_in(given) or ref)
    known_ref = model.wire_ref or _ref_in(given) or ref
    if model is Hello:
        _refuse_other_versions(given)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # `from None`: the original error holds the child's text.
        raise FieldRefusedError(_detail_of(first), ref=known_ref, field=_path_of(first)) from None
    except UnicodeError:
        raise FieldRefusedError(Detail.TEXT_INVALID, ref=known_ref) from None


def _read_batch(payload: bytes, read: Callable[[object], M]) -> Batch[M]:
    given = _parse(payload, None)
    if not isinstance(given, list):
        return Batch([read(given)], [])
    if len(given) > limits.ARRAY_MAX_ITEMS:
        raise FieldRefusedError(Detail.ARRAY_TOO_LONG)
    batch: Batch[M] = Batch([], [])
    for index, entry in enumerate(given):
        try:
            batch.entries.append(read(entry))
        except ProtocolError as error:
            batch.rejected.append(RejectedEntry(ref=error.ref, detail=error.detail, index=index))
    return batch


def _refuse_other_versions(given: JsonObject) -> None:
    # Checked before all other fields, which a later version may have changed.
    version = given.get("protocol", limits.PROTOCOL_MIN)
    if type(version) is int and not limits.PROTOCOL_MIN <= version <= limits.PROTOCOL_MAX:
        raise VersionRefusedError


def _read_owntracks(given: object) -> Location | OwnTracksOther:
    if isinstance(given, dict) and given.get("_type", "location") != "location":
        return _read_object(given, OwnTracksOther, None)
    return _read_object(given, Location, None)


def _ref_in(given: object) -> str | None:
    if not isinstance(given, dict):
        return None
    for key in ("id", "ref"):
        value = given.get(key)
        if isinstance(value, str) and is_ref(value):
            return value
    return None


_RANGE_ERRORS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal", "int_parsing_size"})
_DETAIL_VALUES = frozenset(detail.value for detail in Detail)
_RANGE_DETAILS = {"lat": Detail.LAT_OUT_OF_RANGE, "lon": Detail.LON_OUT_OF_RANGE}
_DETAILS_BY_ERROR = {
    "string_too_long": Detail.TEXT_TOO_LONG,
    "string_unicode": Detail.TEXT_INVALID,
    "too_long": Detail.ARRAY_TOO_LONG,
}


def _detail_of(error: ErrorDetails) -> Detail:
    kind = error["type"]
    last = error["loc"][-1] if error["loc"] else ""
    if kind in _DETAIL_VALUES:
        return Detail(kind)
    if kind in _RANGE_ERRORS:
        return _RANGE_DETAILS.get(str(last), Detail.OUT_OF_RANGE)
    if kind == "string_pattern_mismatch" and last == "id":
        return Detail.ID_INVALID
    return _DETAILS_BY_ERROR.get(kind, Detail.MALFORMED)


def _path_of(error: ErrorDetails) -> str | None:
    return ".".join(str(step) for step in error["loc"]) or None


_ITEM_MODELS: dict[str, type[Item]] = {
    "text": ItemText,
    "emoji": ItemEmoji,
    "voice": ItemVoice,
    "removed": ItemRemoved,
}


def _pairing_model(given: JsonObject) -> type[PairingAnswer]:
    if given.get("unpaired") is True:
        return Unpaired
    if given.get("paired") is True:
        return PairedWithCredentials if "credentials" in given else StillPaired
    if given.get("paired") is False:
        return NotPaired
    return PairingRefused if "error" in given else PairingCode
