"""Messages of a watch, one model each; locations are in location.py."""

from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from services.protocol import limits
from services.protocol.fields import (
    ADVISORY,
    Address,
    AdvisoryCodecs,
    AdvisoryCount,
    AdvisoryDbm,
    AdvisoryDurationMs,
    AdvisoryLabel,
    AdvisoryPercent,
    AdvisoryUnixSeconds,
    AdvisoryVersion,
    ChunkBytes,
    ChunkCount,
    ChunkNumber,
    ClipBytes,
    CodecWord,
    Count,
    Dated,
    Lenient,
    MessageText,
    OpenWord,
    Ref,
    Sha256,
    WatchId,
    WireMessage,
    refuse,
)
from services.protocol.location import Place
from services.protocol.words import (
    CONFIG,
    CONTACTS,
    HELLO,
    AckState,
    AlertKind,
    Codec,
    Detail,
    Emoji,
    PairingAsk,
    Presence,
    ReceiptState,
)


class PairingRequest(WireMessage):
    """`up/pairing`, the only message of a factory identity: requests a code, or the standing of its pairing."""

    ask: Annotated[PairingAsk | str, OpenWord(PairingAsk)]


class Hello(Dated):
    """`up/hello`: first message of every connection. Answered by `down/time`."""

    wire_ref: ClassVar[str | None] = HELLO

    conn: Ref
    protocol: Count = 1
    firmware: AdvisoryLabel = ""
    model: AdvisoryLabel = ""
    iccid: Annotated[
        Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{5,22}$")] | None, Lenient, Field(repr=False), ADVISORY
    ] = None
    battery_pct: AdvisoryPercent = None
    plays: AdvisoryCodecs = Field(default=[Codec.AMR_NB])
    records: AdvisoryCodecs = Field(default=[Codec.AMR_NB])
    chunk_bytes: ChunkBytes = limits.CHUNK_DEFAULT_BYTES
    max_payload_bytes: Annotated[int, Field(ge=limits.MAX_PAYLOAD_FLOOR_BYTES, le=limits.INT4_MAX)] = (
        limits.MAX_PAYLOAD_DEFAULT_BYTES
    )
    max_clip_bytes: Annotated[int, Field(ge=1, le=limits.INT4_MAX)] = limits.CLIP_DEFAULT_BYTES
    max_play_s: Annotated[int, Field(ge=1, le=limits.INT4_MAX)] = limits.CLIP_MAX_S
    contacts_version: AdvisoryVersion = 0
    config_version: AdvisoryVersion = 0
    binary: bool = True
    # The watch understands `state` in `down/alert`; without it only acknowledgements are sent.
    alert_states: Annotated[bool | None, Lenient, ADVISORY] = None
    # The watch promises to send something at least this often (`up/status` when there is nothing else). After one and
    # a half of it without a message the watch counts as offline.
    keepalive_s: Annotated[
        Annotated[int, Field(ge=limits.KEEPALIVE_MIN_S, le=limits.KEEPALIVE_MAX_S)] | None, Lenient, ADVISORY
    ] = None

    @property
    def downlink_chunk_bytes(self) -> int:
        """Bytes of sound in each chunk to this watch: its chunk_bytes, within its max_payload_bytes.

        Base64 makes 4 characters of 3 bytes; 1,024 still leaves 768, above the least chunk of 512.
        """
        room_bytes = self.max_payload_bytes if self.binary else self.max_payload_bytes // 4 * 3
        return min(self.chunk_bytes, room_bytes)


class Status(WireMessage):
    """`up/status`, also the will: `offline` counts only with the `conn` of the latest hello. Not answered."""

    state: Annotated[Presence | str, OpenWord(Presence)]
    conn: Annotated[Ref | None, Lenient, ADVISORY] = None
    until_tst: AdvisoryUnixSeconds = 0


class VoiceEnd(Dated):
    """`up/voice/<id>/end`: completes a clip. Answered by a receipt that names the id of the topic."""

    wire_kind: ClassVar[str] = "voice"

    to: Address
    codec: CodecWord
    bytes: ClipBytes
    chunks: ChunkCount
    sha256: Sha256
    duration_ms: AdvisoryDurationMs = None

    @model_validator(mode="after")
    def _chunks_can_hold_bytes(self) -> Self:
        least = (self.chunks - 1) * limits.CHUNK_MIN_BYTES + 1
        most = self.chunks * limits.CHUNK_MAX_BYTES
        if not least <= self.bytes <= most:
            raise refuse(Detail.OUT_OF_RANGE, "chunks of 512 to 16,384 bytes cannot make these bytes")
        return self


def _known_emoji(word: object) -> object:
    if isinstance(word, str):
        try:
            return Emoji(word)
        except ValueError:
            raise refuse(Detail.EMOJI_UNKNOWN, "not in the list of emoji") from None
    return word


class Text(Dated):
    """`up/text`: a text or an emoji, never both. Answered by a receipt."""

    wire_kind: ClassVar[str] = "text"

    id: WatchId
    to: Address
    text: MessageText | None = Field(default=None, repr=False)
    emoji: Annotated[Emoji, BeforeValidator(_known_emoji)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.emoji is None):
            raise refuse(Detail.MALFORMED, "either text or emoji")
        return self


class Fetch(WireMessage):
    """`up/fetch`: requests `count` chunks of an item, from chunk `from`. Answered by the chunks, or by `removed`."""

    ref: Ref
    first_chunk: ChunkNumber = Field(default=0, alias="from")
    count: ChunkCount = 1


class UpReceipt(Dated):
    """`up/receipt`: what became of an item. Sent again until a `down/receipt` repeats its state.

    `seen` (with `of`) says that the child has been shown what became of its own message `ref`.
    """

    wire_kind: ClassVar[str] = "receipt"

    ref: Ref
    state: Annotated[ReceiptState | str, OpenWord(ReceiptState)]
    detail: Annotated[Annotated[Detail | str, OpenWord(Detail)] | None, Lenient, ADVISORY] = None
    of: Annotated[ReceiptState | str, OpenWord(ReceiptState)] | None = None


class Ack(Dated):
    """`up/ack`: a command's outcome, or the version of contacts or config now in use. Not answered."""

    wire_kind: ClassVar[str] = "ack"

    ref: Ref
    state: Annotated[AckState | str, OpenWord(AckState)]
    version: Count | None = None
    detail: Annotated[Annotated[Detail | str, OpenWord(Detail)] | None, Lenient, ADVISORY] = None

    @model_validator(mode="after")
    def _lists_have_versions(self) -> Self:
        if self.ref in {CONTACTS, CONFIG} and self.version is None:
            raise refuse(Detail.MALFORMED, "contacts and config are acknowledged by version")
        return self


def _lower_case(word: object) -> object:
    return word.strip().lower() if isinstance(word, str) else word


class Alert(Dated):
    """`up/alert`. Answered by a receipt. Only its kind counts: nothing else in it is a reason to reject it.

    Without a usable id it gets one from the digest of its payload; the receipt repeats the id as it was sent. An alert
    that cannot be read at all is still shown to the guardians as a call of the watch whose details are unreadable.
    """

    wire_kind: ClassVar[str] = "alert"

    id: WatchId
    # Read without regard to case.
    kind: Annotated[AlertKind | str, OpenWord(AlertKind), BeforeValidator(_lower_case)]
    location: Annotated[Place | None, Lenient, ADVISORY] = Field(default=None, repr=False)


class Usage(WireMessage):
    """`up/usage`, one or an array of at most 50: counters of a period; an absent one was not measured.

    Answered by a receipt.
    """

    wire_kind: ClassVar[str] = "usage"

    id: WatchId
    from_tst: AdvisoryUnixSeconds = 0
    to_tst: AdvisoryUnixSeconds = 0
    boot: AdvisoryCount = None
    mono_s: AdvisoryCount = None  # at to_tst
    worn_s: Count | None = None
    screen_on_s: Count | None = None
    recordings: Count | None = None
    plays: Count | None = None
    calls_in: Count | None = None
    calls_out: Count | None = None
    call_s: Count | None = None
    reboots: Count | None = None
    battery_min_pct: AdvisoryPercent = None
    signal_min_dbm: AdvisoryDbm = None
    offline_s: Count | None = None
    bytes_up: Annotated[int, Field(ge=0, le=limits.INT8_MAX)] | None = None
    bytes_down: Annotated[int, Field(ge=0, le=limits.INT8_MAX)] | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.from_tst and self.to_tst and self.to_tst < self.from_tst:
            raise refuse(Detail.OUT_OF_RANGE, "to_tst before from_tst")
        return self
