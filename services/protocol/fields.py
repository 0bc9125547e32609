"""Types of fields, and the base class of all messages."""

import functools
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from services.protocol import limits
from services.protocol.words import Codec, Detail


class WireMessage(BaseModel):
    """Base of all messages: unknown fields ignored, types strict (true is not 1), no NaN, immutable.

    Encoded without its None fields, except those in `kept_when_none`; null is read as absent.
    """

    model_config = ConfigDict(
        strict=True,
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        # A validation error must never carry a child's text into a log.
        hide_input_in_errors=True,
    )
    kept_when_none: ClassVar[frozenset[str]] = frozenset()
    # Name of this kind in fingerprints. They are stored, so that it never changes, even if the class is renamed.
    wire_kind: ClassVar[str] = ""
    # Names this kind in a receipt where the message has no id of its own.
    wire_ref: ClassVar[str | None] = None

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        # Most messages hold no null, and this runs for each of them.
        if not isinstance(given, dict) or None not in given.values():
            return given
        return {key: value for key, value in given.items() if value is not None or key in cls.kept_when_none}

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        kept, dropped = self._kept_when_none(), self._dropped()
        return {
            key: value
            for key, value in handler(self).items()
            if (value is not None or key in kept) and key not in dropped
        }

    def flat_fields(self) -> dict[str, str | float] | None:
        """Return ``model_dump(mode="json", by_alias=True, exclude_defaults=True)`` of a message of plain values.

        None for a message that holds lists or objects: it needs model_dump, which costs four times as much.
        """
        if self._dropped():
            return None
        fields: dict[str, str | float] = {}
        names_and_defaults, values = _names_and_defaults(type(self)), self.__dict__
        for attribute in self.__pydantic_fields_set__:
            name, default = names_and_defaults[attribute]
            value = values[attribute]
            if value == default:
                continue
            if not isinstance(value, _PLAIN):
                return None
            fields[name] = value
        return fields

    def _kept_when_none(self) -> frozenset[str]:
        """Return the names of the fields that are written even when they are null."""
        return self.kept_when_none

    def _dropped(self) -> frozenset[str]:
        """Return the names of the fields that are not written although they have a value."""
        return frozenset()


# `isinstance` of a union builds the union first.
_PLAIN: Final = (str, int, float)


@functools.cache
def _names_and_defaults(model: type[WireMessage]) -> dict[str, tuple[str, object]]:
    """Return name on the wire and default of each field, by the name of its attribute."""
    return {
        attribute: (field.alias or attribute, field.get_default(call_default_factory=True, validated_data={}))
        for attribute, field in model.model_fields.items()
    }


# ---------------------------------------------------------------- text


def refuse(detail: Detail, sentence: str) -> PydanticCustomError:
    """Return the error for a validator to raise, so that the receipt carries exactly this detail."""
    return PydanticCustomError(detail.value, "{sentence}", {"sentence": sentence})


def clean_text(text: str) -> str:
    """Return the text; reject NUL, which Postgres cannot store, and lone surrogates, which UTF-8 cannot encode."""
    if "\x00" in text:
        raise refuse(Detail.TEXT_INVALID, "NUL is not text")
    # Nearly all strings encode: trying is faster than a look at every character.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise refuse(Detail.TEXT_INVALID, "a lone surrogate is not text") from None
    return text


_clean = AfterValidator(clean_text)

# The length is checked before the content, so that a long text costs nothing.
MessageText = Annotated[str, Field(min_length=1, max_length=limits.TEXT_MAX_CHARS), _clean]
Name = Annotated[str, Field(min_length=1, max_length=limits.NAME_MAX_CHARS), _clean]
Label = Annotated[str, Field(max_length=limits.LABEL_MAX_CHARS), _clean]
Url = Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=limits.URL_MAX_CHARS)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$", max_length=limits.HOST_MAX_CHARS)]


# ---------------------------------------------------------------- advisory fields

# Marks the field in the AsyncAPI document: a value that cannot be read or is out of range counts as absent.
ADVISORY: Final = Field(json_schema_extra={"x-advisory": True})


@dataclass(frozen=True)
class FallsBack:
    """Reads a value that its type rejects as ``default``: an advisory field must never cost the message it stands in.

    pydantic does it without a call of Python, which would be the larger part of reading a check-in.
    """

    default: int | None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=self.default, on_error="default")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # The default of the field itself is the one that readers of the contract need.
        return {name: value for name, value in handler(schema).items() if name != "default"}


def _readable_entries(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Drop the entries of a list that cannot be read; a value that is no list counts as absent."""
    if not isinstance(value, list):
        return []
    return read([entry for entry in value if _is_readable(entry, read)])


def _is_readable(entry: object, read: ValidatorFunctionWrapHandler) -> bool:
    try:
        read([entry])
    except ValueError:
        return False
    return True


def _readable_codecs(value: object, read: ValidatorFunctionWrapHandler) -> object:
    return _readable_entries(value, read) if isinstance(value, list) else [Codec.AMR_NB]


def _cut_label(value: object) -> object:
    """Cut a label to its limit and replace what is no text; a value that is no string counts as empty."""
    if not isinstance(value, str):
        return ""
    return value[: limits.LABEL_MAX_CHARS].replace("\x00", "").encode(errors="replace").decode()


Lenient = FallsBack(None)
LenientZero = FallsBack(0)
# Of a list, the entries that cannot be read are dropped. Its length stays a limit.
LenientEntries = WrapValidator(_readable_entries)

# ---------------------------------------------------------------- names of things

WatchId = Annotated[str, Field(pattern=rf"^[A-Za-z0-9-]{{{limits.ID_MIN_CHARS},{limits.ID_MAX_CHARS}}}$")]
Ref = Annotated[str, Field(pattern=rf"^[A-Za-z0-9-]{{{limits.REF_MIN_CHARS},{limits.ID_MAX_CHARS}}}$")]
# An id as it was sent, which a receipt repeats.
RepeatedId = Annotated[str, Field(min_length=1, max_length=limits.ID_MAX_CHARS), _clean]
Address = Ref  # a contact id, or the word `family`
Username = Annotated[
    str,
    Field(pattern=rf"^w-[a-z2-7]{{{limits.PAIRED_NAME_MIN_CHARS},{limits.PAIRED_NAME_MAX_CHARS}}}$"),
]
# Hexadecimal digits may be capitals; they are compared and stored in lower case.
Sha256 = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{64}$"), AfterValidator(str.lower)]

# ---------------------------------------------------------------- numbers

Count = Annotated[int, Field(ge=0, le=limits.INT4_MAX)]
Sequence = Annotated[int, Field(ge=1, le=limits.INT8_MAX)]
UnixSeconds = Annotated[int, Field(ge=0, le=limits.UNIX_MAX_S)]
Percent = Annotated[int, Field(ge=0, le=100)]
Dbm = Annotated[int, Field(ge=limits.DBM_MIN, le=limits.DBM_MAX)]
ClipBytes = Annotated[int, Field(ge=1, le=limits.CLIP_MAX_BYTES)]
ChunkBytes = Annotated[int, Field(ge=limits.CHUNK_MIN_BYTES, le=limits.CHUNK_MAX_BYTES)]
ChunkCount = Annotated[int, Field(ge=1, le=limits.CLIP_MAX_CHUNKS)]
ChunkNumber = Annotated[int, Field(ge=0, lt=limits.CLIP_MAX_CHUNKS)]
DurationMs = Annotated[int, Field(ge=0, le=limits.DURATION_MAX_MS)]
AdvisoryUnixSeconds = Annotated[UnixSeconds, LenientZero, ADVISORY]
AdvisoryCount = Annotated[Count | None, Lenient, ADVISORY]
AdvisoryPercent = Annotated[Percent | None, Lenient, ADVISORY]
AdvisoryDbm = Annotated[Dbm | None, Lenient, ADVISORY]
AdvisoryDurationMs = Annotated[DurationMs | None, Lenient, ADVISORY]
# A version that cannot be read counts as 0, so that the list is announced.
AdvisoryVersion = Annotated[Count, LenientZero, ADVISORY]
AdvisoryLabel = Annotated[Label, BeforeValidator(_cut_label), ADVISORY]
Part = Annotated[int, Field(ge=1, le=limits.PARTS_MAX)]

# ---------------------------------------------------------------- words

_WORD_PATTERN = rf"^[A-Za-z0-9_.-]{{1,{limits.WORD_MAX_CHARS}}}$"


@dataclass(frozen=True)
class OpenWord:
    """A word of a list that may grow: a known word becomes its enum member, a new one stays a string.

    So a reader compares with the members it knows and never crashes on the others.
    """

    words: type[StrEnum]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        known = {word.value: word for word in self.words}
        return core_schema.no_info_after_validator_function(
            lambda text: known.get(text, text),
            core_schema.str_schema(pattern=_WORD_PATTERN, strict=True),
            serialization=core_schema.to_string_ser_schema(),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [
                {"type": "string", "enum": [word.value for word in self.words]},
                {
                    "type": "string",
                    "pattern": _WORD_PATTERN,
                    "description": "a word of a later version: go on without it",
                },
            ],
        }


CodecWord = Annotated[Codec | str, OpenWord(Codec)]
# Every watch plays and records AMR-NB.
AdvisoryCodecs = Annotated[
    list[CodecWord], Field(max_length=limits.ARRAY_MAX_ITEMS), WrapValidator(_readable_codecs), ADVISORY
]


class Dated(WireMessage):
    """The time of an event. `tst` is in Unix seconds, 0 = unknown; then `boot` and `mono_s` let the backend date it."""

    tst: AdvisoryUnixSeconds = 0
    boot: AdvisoryCount = None
    mono_s: AdvisoryCount = None
