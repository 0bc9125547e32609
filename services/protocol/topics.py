"""Topics of the watch protocol: built and parsed here only.

Everything a client sends stands below `sw/v1/<user>/up/`, everything it receives below `sw/v1/<user>/down/`.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.protocol import limits

ROOT: Final = "sw/v1"
_ROOT_LEVELS: Final = ROOT.split("/")

_SERIAL = re.compile(rf"[A-Z0-9]{{{limits.SERIAL_MIN_CHARS},{limits.SERIAL_MAX_CHARS}}}")
_PAIRED_NAME = re.compile(rf"[a-z2-7]{{{limits.PAIRED_NAME_MIN_CHARS},{limits.PAIRED_NAME_MAX_CHARS}}}")
_WATCH_ID = re.compile(rf"[A-Za-z0-9-]{{{limits.ID_MIN_CHARS},{limits.ID_MAX_CHARS}}}")
_REF = re.compile(rf"[A-Za-z0-9-]{{{limits.REF_MIN_CHARS},{limits.ID_MAX_CHARS}}}")
# Decimal without leading zeros; the clip limit bounds it.
_CHUNK = re.compile(r"0|[1-9][0-9]{0,3}")
_KIND = re.compile(rf"[a-z0-9_-]{{1,{limits.WORD_MAX_CHARS}}}")
# Suffixes under which the OwnTracks app publishes other objects, below its base topic.
_OWNTRACKS_LEAVES: Final = frozenset(
    {"cmd", "event", "waypoint", "waypoints", "status", "step", "beacon", "dump", "info", "request"}
)


class Identity(StrEnum):
    FACTORY = "factory"  # f-<serial>: may be paired, nothing else
    PAIRED = "paired"  # w-<random>: one child's watch, until unpaired


@dataclass(frozen=True, slots=True)
class User:
    """The MQTT user `name` of a watch. `bare` is the part after `f-` or `w-`."""

    identity: Identity
    bare: str
    # Read a dozen times on the way of a message: joined once.
    name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{'f' if self.identity is Identity.FACTORY else 'w'}-{self.bare}")

    @property
    def serial(self) -> str | None:
        """The serial of a factory identity, None for a paired one."""
        return self.bare if self.identity is Identity.FACTORY else None

    @property
    def prefix(self) -> str:
        return f"{ROOT}/{self.name}"

    @property
    def subscription(self) -> str:
        """The filter to which a watch subscribes."""
        return f"{self.prefix}/down/#"


class UplinkKind(StrEnum):
    PAIRING = "pairing"
    HELLO = "hello"
    STATUS = "status"
    VOICE_CHUNK = "voice_chunk"
    VOICE_END = "voice_end"
    TEXT = "text"
    FETCH = "fetch"
    RECEIPT = "receipt"
    LOCATION = "location"
    ACK = "ack"
    ALERT = "alert"
    USAGE = "usage"


class DownlinkKind(StrEnum):
    PAIRING = "pairing"
    TIME = "time"
    RECEIPT = "receipt"
    STATE = "state"
    ITEM = "item"
    ITEM_CHUNK = "item_chunk"
    COMMAND = "command"
    CONTACTS = "contacts"
    CONFIG = "config"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Uplink:
    """A known uplink. `ref` is the clip id of voice chunks and ends, `chunk` the number of a chunk."""

    user: User
    kind: UplinkKind
    ref: str | None = None
    chunk: int | None = None


@dataclass(frozen=True, slots=True)
class Downlink:
    """A known downlink. `ref` is the item id of items and their chunks, `chunk` the number of a chunk."""

    user: User
    kind: DownlinkKind
    ref: str | None = None
    chunk: int | None = None


@dataclass(frozen=True, slots=True)
class UnknownKind:
    """A well-formed topic of a kind this version does not know. Uplink: answer `retry`. Downlink: ignore.

    `ref` is the second level where it looks like an id, so that the answer can name it.
    """

    user: User
    kind: str
    ref: str | None = None


class TopicFault(StrEnum):
    TOO_LONG = "too_long"
    NOT_OURS = "not_ours"  # another root or version, or the wrong direction
    USER = "user"  # neither f-<serial> nor w-<random>
    LEVELS = "levels"  # too many, too few, or a bad kind
    ID = "id"
    CHUNK = "chunk"  # not a decimal number without leading zeros, or beyond the largest clip


@dataclass(frozen=True, slots=True)
class MalformedTopic:
    """A malformed topic. `user` is set where it could be read, so that the user can be answered."""

    fault: TopicFault
    user: User | None = None


_PLAIN_UPLINKS: Final = {
    kind.value: kind for kind in UplinkKind if kind not in {UplinkKind.VOICE_CHUNK, UplinkKind.VOICE_END}
}
_PLAIN_DOWNLINKS: Final = {
    kind.value: kind for kind in DownlinkKind if kind not in {DownlinkKind.ITEM, DownlinkKind.ITEM_CHUNK}
}


# ---------------------------------------------------------------- users


def factory_user(serial: str) -> User:
    """Return the factory identity of a serial. Raises ValueError for an invalid serial."""
    if not _SERIAL.fullmatch(serial):
        raise ValueError("serial must be 4 to 20 of A-Z0-9")
    return User(Identity.FACTORY, serial)


def paired_user(bare: str) -> User:
    """Return the identity of one pairing from its random part (12 to 32 of a-z2-7). Raises ValueError otherwise."""
    if not _PAIRED_NAME.fullmatch(bare):
        raise ValueError("the random part must be 12 to 32 of a-z2-7")
    return User(Identity.PAIRED, bare)


def parse_user(name: str) -> User | None:
    """Return the watch identity of an MQTT user name, or None for other users (the backend, for example)."""
    if name.startswith("f-") and _SERIAL.fullmatch(name, 2):
        return User(Identity.FACTORY, name[2:])
    if name.startswith("w-") and _PAIRED_NAME.fullmatch(name, 2):
        return User(Identity.PAIRED, name[2:])
    return None


def is_watch_id(text: str) -> bool:
    """Return whether a watch may use a text as an id: 12 to 36 of A-Za-z0-9-."""
    return _WATCH_ID.fullmatch(text) is not None


def is_ref(text: str) -> bool:
    """Return whether a text is an id of the protocol: 1 to 36 of A-Za-z0-9-."""
    return _REF.fullmatch(text) is not None


# ---------------------------------------------------------------- building


def uplink(user: User, kind: UplinkKind, ref: str | None = None, chunk: int | None = None) -> str:
    """Return the topic on which a watch publishes. Raises ValueError where ref or chunk is wrong for the kind."""
    if kind is UplinkKind.VOICE_CHUNK:
        return f"{user.prefix}/up/voice/{_checked_id(ref, _WATCH_ID)}/{_checked_chunk(chunk)}"
    if kind is UplinkKind.VOICE_END:
        return f"{user.prefix}/up/voice/{_checked_id(ref, _WATCH_ID)}/end"
    _refuse_extra(ref, chunk)
    return f"{user.prefix}/up/{kind.value}"


def downlink(user: User, kind: DownlinkKind, ref: str | None = None, chunk: int | None = None) -> str:
    """Return the topic on which the backend publishes. Raises ValueError where ref or chunk is wrong for the kind."""
    if kind is DownlinkKind.ITEM_CHUNK:
        return f"{user.prefix}/down/item/{_checked_id(ref, _REF)}/{_checked_chunk(chunk)}"
    if kind is DownlinkKind.ITEM:
        return f"{user.prefix}/down/item/{_checked_id(ref, _REF)}"
    _refuse_extra(ref, chunk)
    return f"{user.prefix}/down/{kind.value}"


def _checked_id(ref: str | None, pattern: re.Pattern[str]) -> str:
    if ref is None or not pattern.fullmatch(ref):
        raise ValueError("this kind needs a valid id")
    return ref


def _checked_chunk(chunk: int | None) -> int:
    if chunk is None or not 0 <= chunk < limits.CLIP_MAX_CHUNKS:
        raise ValueError("this kind needs a chunk number")
    return chunk


def _refuse_extra(ref: str | None, chunk: int | None) -> None:
    if ref is not None or chunk is not None:
        raise ValueError("this kind has neither id nor chunk in its topic")


# ---------------------------------------------------------------- reading


def parse_uplink(topic: str) -> Uplink | UnknownKind | MalformedTopic:
    """Parse the topic of an uplink. Never raises."""
    start = _split(topic, "up")
    if isinstance(start, MalformedTopic):
        return start
    user, levels = start
    match levels:
        case ["voice", ref, last]:
            return _parse_voice(user, ref, last)
        case ["location", leaf] if leaf in _OWNTRACKS_LEAVES:
            return Uplink(user, UplinkKind.LOCATION)
        case [word] if word in _PLAIN_UPLINKS:
            return Uplink(user, _PLAIN_UPLINKS[word])
        case _:
            return _parse_other(user, levels, known={"voice", *_PLAIN_UPLINKS})


def parse_downlink(topic: str) -> Downlink | UnknownKind | MalformedTopic:
    """Parse the topic of a downlink. Never raises."""
    start = _split(topic, "down")
    if isinstance(start, MalformedTopic):
        return start
    user, levels = start
    match levels:
        case ["item", ref]:
            return _parse_item(user, ref, None)
        case ["item", ref, last]:
            return _parse_item(user, ref, last)
        case [word] if word in _PLAIN_DOWNLINKS:
            return Downlink(user, _PLAIN_DOWNLINKS[word])
        case _:
            return _parse_other(user, levels, known={"item", *_PLAIN_DOWNLINKS})


def _split(topic: str, direction: str) -> tuple[User, list[str]] | MalformedTopic:
    # UTF-8 needs at least a byte a character, so the cheap test bounds the work before the exact one.
    if len(topic) > limits.TOPIC_MAX_BYTES or len(topic.encode(errors="replace")) > limits.TOPIC_MAX_BYTES:
        levels = topic[: limits.TOPIC_MAX_BYTES].split("/")
        return MalformedTopic(TopicFault.TOO_LONG, _user_of(levels, direction))
    levels = topic.split("/")
    if levels[:2] != _ROOT_LEVELS or levels[3:4] != [direction]:
        return MalformedTopic(TopicFault.NOT_OURS)
    user = parse_user(levels[2])
    if user is None:
        return MalformedTopic(TopicFault.USER)
    return user, levels[4:]


def _user_of(levels: list[str], direction: str) -> User | None:
    if levels[:2] == _ROOT_LEVELS and levels[3:4] == [direction]:
        return parse_user(levels[2])
    return None


def _parse_voice(user: User, ref: str, last: str) -> Uplink | MalformedTopic:
    if not _WATCH_ID.fullmatch(ref):
        return MalformedTopic(TopicFault.ID, user)
    if last == "end":
        return Uplink(user, UplinkKind.VOICE_END, ref)
    number = _parse_chunk(last)
    if number is None:
        return MalformedTopic(TopicFault.CHUNK, user)
    return Uplink(user, UplinkKind.VOICE_CHUNK, ref, number)


def _parse_item(user: User, ref: str, last: str | None) -> Downlink | MalformedTopic:
    if not _REF.fullmatch(ref):
        return MalformedTopic(TopicFault.ID, user)
    if last is None:
        return Downlink(user, DownlinkKind.ITEM, ref)
    number = _parse_chunk(last)
    if number is None:
        return MalformedTopic(TopicFault.CHUNK, user)
    return Downlink(user, DownlinkKind.ITEM_CHUNK, ref, number)


def _parse_chunk(text: str) -> int | None:
    if not _CHUNK.fullmatch(text):
        return None
    number = int(text)
    return number if number < limits.CLIP_MAX_CHUNKS else None


def _parse_other(user: User, levels: list[str], known: set[str]) -> UnknownKind | MalformedTopic:
    if not levels or levels[0] in known or not _KIND.fullmatch(levels[0]):
        return MalformedTopic(TopicFault.LEVELS, user)
    ref = levels[1] if len(levels) > 1 and _WATCH_ID.fullmatch(levels[1]) else None
    return UnknownKind(user, levels[0], ref)
