"""Messages of the backend to a paired watch, one model each; answers to a factory identity are in pairing.py."""

from typing import Annotated, ClassVar, Literal, Protocol, Self, TypeVar

from pydantic import Field, model_validator

from services.protocol import limits
from services.protocol.fields import (
    ChunkBytes,
    ChunkCount,
    ChunkNumber,
    ClipBytes,
    CodecWord,
    Count,
    DurationMs,
    MessageText,
    Name,
    OpenWord,
    Part,
    Percent,
    Ref,
    RepeatedId,
    Sequence,
    Sha256,
    UnixSeconds,
    Url,
    WireMessage,
    refuse,
)
from services.protocol.words import (
    CallState,
    CommandKind,
    Detail,
    Emoji,
    MessageState,
    ReceiptCode,
    ReceiptState,
    Relation,
)

DetailWord = Annotated[Detail | str, OpenWord(Detail)]


class Time(WireMessage):
    """`down/time`: the answer to hello. Expiry is judged on it."""

    tst: UnixSeconds


class RejectedEntry(WireMessage):
    """One rejected entry of an array. Without a readable id only its index names it."""

    kept_when_none: ClassVar[frozenset[str]] = frozenset({"ref"})

    ref: Ref | None
    detail: DetailWord
    index: Annotated[int, Field(ge=0, lt=limits.ARRAY_MAX_ITEMS)] | None = None


class Receipt(WireMessage):
    """`down/receipt`: the answer to what the watch recorded.

    `ref` names one thing, `refs` those of an array; `ref` null and `topic` when no id could be read. For an alert
    whose id is unusable `ref` is the id as it was sent, cut to 36 characters. `state` and `of`
    repeat those of an `up/receipt`. `min` and `max` come with `rejected protocol`.
    """

    code: Annotated[ReceiptCode | str, OpenWord(ReceiptCode)]
    ref: RepeatedId | None = None
    refs: Annotated[list[Ref], Field(max_length=limits.ARRAY_MAX_ITEMS)] | None = None
    topic: Annotated[str, Field(max_length=limits.TOPIC_MAX_BYTES)] | None = None
    state: Annotated[ReceiptState | str, OpenWord(ReceiptState)] | None = None
    of: Annotated[ReceiptState | str, OpenWord(ReceiptState)] | None = None
    detail: DetailWord | None = None
    missing: Annotated[list[ChunkNumber], Field(max_length=limits.MISSING_MAX_ITEMS)] | None = None
    retry_after_s: Count | None = None
    rejected: Annotated[list[RejectedEntry], Field(max_length=limits.ARRAY_MAX_ITEMS)] | None = None
    min: Count | None = None
    max: Count | None = None

    def _kept_when_none(self) -> frozenset[str]:
        # `"ref":null` stands beside `topic` to show that no id could be read.
        return self.kept_when_none if self.topic is None else self.kept_when_none | {"ref"}


class State(WireMessage):
    """`down/state`: what became of the child's message `ref` at contact `by`. Repeated at hello until `seen`."""

    ref: Ref
    by: Ref
    state: Annotated[MessageState | str, OpenWord(MessageState)]
    detail: DetailWord | None = None
    tst: UnixSeconds = 0


# ---------------------------------------------------------------- items


class _HasParts(Protocol):
    @property
    def part(self) -> int: ...
    @property
    def parts(self) -> int: ...


H = TypeVar("H", bound=_HasParts)


def _checked_part(message: H) -> H:
    if message.part > message.parts:
        raise refuse(Detail.OUT_OF_RANGE, "part beyond parts")
    return message


class ItemBase(WireMessage):
    """`down/item/<id>`: announces what waits. `seq` rises, and may have holes."""

    seq: Sequence
    sender: Ref = Field(alias="from")
    tst: UnixSeconds = 0
    expires_tst: UnixSeconds = 0  # 0 = does not expire

    def _dropped(self) -> frozenset[str]:
        return frozenset() if self.expires_tst else frozenset({"expires_tst"})


class ItemText(ItemBase):
    """A text, whole or in parts that are joined in order once all are there."""

    kind: Literal["text"] = "text"
    text: MessageText = Field(repr=False)
    part: Part = 1
    parts: Part = 1

    def _dropped(self) -> frozenset[str]:
        return super()._dropped() | (frozenset({"part", "parts"}) if self.parts == 1 else frozenset())

    @model_validator(mode="after")
    def _part_of_parts(self) -> Self:
        return _checked_part(self)


class ItemEmoji(ItemBase):
    kind: Literal["emoji"] = "emoji"
    emoji: Annotated[Emoji | str, OpenWord(Emoji)]


class VoiceManifest(WireMessage):
    """Description of the whole clip. Another sha256 or chunk count than before voids the chunks held."""

    codec: CodecWord
    bytes: ClipBytes
    chunk_bytes: ChunkBytes
    chunks: ChunkCount
    sha256: Sha256
    duration_ms: DurationMs | None = None

    @model_validator(mode="after")
    def _chunks_make_bytes(self) -> Self:
        if self.chunks != -(-self.bytes // self.chunk_bytes):
            raise refuse(Detail.OUT_OF_RANGE, "chunks of chunk_bytes do not make bytes")
        return self


class ItemVoice(ItemBase):
    """A waiting clip; the watch fetches its chunks at its own pace."""

    kind: Literal["voice"] = "voice"
    voice: VoiceManifest


class ItemRemoved(WireMessage):
    """The item `ref` expired or was erased: delete the chunks held of it."""

    kind: Literal["removed"] = "removed"
    seq: Sequence
    ref: Ref


class ItemUnknown(WireMessage):
    """An item of a later version: answer `rejected unsupported_kind`."""

    kind: Annotated[str, Field(pattern=rf"^[A-Za-z0-9_.-]{{1,{limits.WORD_MAX_CHARS}}}$")]
    seq: Sequence


Item = ItemText | ItemEmoji | ItemVoice | ItemRemoved | ItemUnknown

# ---------------------------------------------------------------- commands, lists, alerts


class Command(WireMessage):
    """`down/command`. Not after `expires_tst`; an unknown kind is answered `failed unsupported`.

    The fields from `url` on belong to the reserved kind `firmware`.
    """

    id: Ref
    kind: Annotated[CommandKind | str, OpenWord(CommandKind)]
    by: Ref | None = None
    ttl_s: Annotated[int, Field(ge=1, le=limits.COMMAND_TTL_MAX_S)] | None = None
    expires_tst: UnixSeconds = 0  # 0 = does not expire
    url: Url | None = None
    size: Count | None = None
    sha256: Sha256 | None = None
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=_-]+$", max_length=256)] | None = None
    min_battery_pct: Percent | None = None


class Contact(WireMessage):
    id: Ref
    name: Name = Field(repr=False)
    relation: Annotated[Relation | str, OpenWord(Relation)] = Relation.OTHER
    number: Annotated[str, Field(pattern=r"^\+?[0-9]+$", max_length=limits.NUMBER_TEXT_MAX_CHARS)] | None = Field(
        default=None, repr=False
    )
    may_message: bool = False
    may_call: bool = False
    position: Annotated[int, Field(ge=1, le=limits.INT4_MAX)] = 1
    emergency: bool = False
    # End of the guardian's shift, during which answers may be late; 0: not on shift.
    busy_until_tst: UnixSeconds = 0

    def _dropped(self) -> frozenset[str]:
        return frozenset() if self.busy_until_tst else frozenset({"busy_until_tst"})


class Parted(WireMessage):
    """A list in parts: it replaces the one held once every part of one version is there."""

    version: Count
    part: Part = 1
    parts: Part = 1

    @model_validator(mode="after")
    def _part_of_parts(self) -> Self:
        return _checked_part(self)


class Contacts(Parted):
    """`down/contacts`: who may reach the child. Any version that differs is taken, even a lower one."""

    contacts: list[Contact] = Field(default=[], max_length=limits.ARRAY_MAX_ITEMS)


_CLOCK = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")


class Quiet(WireMessage):
    """A quiet time in the watch's time zone. Days are ISO: 1 Monday to 7 Sunday; `to` before `from` ends next day."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    starts: Annotated[str, _CLOCK] = Field(alias="from")
    ends: Annotated[str, _CLOCK] = Field(alias="to")


class Config(Parted):
    """`down/config`. Every part carries the plain settings; the `quiet` lists of the parts are joined in order."""

    checkin_interval_s: Annotated[int, Field(ge=limits.CHECKIN_INTERVAL_MIN_S, le=limits.CHECKIN_INTERVAL_MAX_S)] = (
        limits.CHECKIN_INTERVAL_DEFAULT_S
    )
    location: bool = False
    quiet: list[Quiet] = Field(default=[], max_length=limits.ARRAY_MAX_ITEMS)
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")] = "UTC"
    utc_offset_s: Annotated[int, Field(ge=-limits.UTC_OFFSET_MAX_S, le=limits.UTC_OFFSET_MAX_S)] = 0
    language: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{2,35}$")] = "en"
    volume_pct: Percent = 70


class AlertSeen(WireMessage):
    """`down/alert`: what becomes of the child's alert `ref`, which is the id as it was sent.

    Without `state` a guardian (`seen_by`) takes care. `state` comes only to a watch whose hello says `alert_states`;
    `seen_by` then stands with `seen`. `tst` is the time of the state, for `seen` that of the guardian's tap.
    """

    ref: RepeatedId
    state: Annotated[CallState | str, OpenWord(CallState)] | None = None
    seen_by: Ref | None = None
    tst: UnixSeconds = 0

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.state is None and self.seen_by is None:
            raise refuse(Detail.MALFORMED, "neither state nor seen_by")
        return self
