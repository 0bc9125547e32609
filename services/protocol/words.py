"""The lists of words of the protocol. They grow and never shrink; a reader ignores a new word."""

from enum import StrEnum
from typing import Final


class ReceiptCode(StrEnum):
    """The answer of the backend to a message of a watch."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    RETRY = "retry"
    REJECTED = "rejected"


class Detail(StrEnum):
    """Reason of a rejection (both directions) or of a failed command."""

    # the frame
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    ARRAY_TOO_LONG = "array_too_long"
    OUT_OF_RANGE = "out_of_range"
    PROTOCOL = "protocol"
    RETAINED = "retained"
    # fields
    ID_INVALID = "id_invalid"
    ID_CONFLICT = "id_conflict"
    TEXT_INVALID = "text_invalid"
    TEXT_TOO_LONG = "text_too_long"
    EMOJI_UNKNOWN = "emoji_unknown"
    LAT_OUT_OF_RANGE = "lat_out_of_range"
    LON_OUT_OF_RANGE = "lon_out_of_range"
    # the family's decisions
    RECIPIENT_REMOVED = "recipient_removed"
    LOCATION_OFF = "location_off"
    CONSENT_MISSING = "consent_missing"
    NOT_PAIRED = "not_paired"
    BEFORE_PAIRING = "before_pairing"  # measured before this watch was this child's
    UNKNOWN_REF = "unknown_ref"
    # said by the watch
    UNSUPPORTED_KIND = "unsupported_kind"
    UNSUPPORTED_CODEC = "unsupported_codec"
    CLIP_TOO_LARGE = "clip_too_large"
    NO_ROOM = "no_room"
    UNSUPPORTED = "unsupported"
    NO_FIX = "no_fix"
    LOW_BATTERY = "low_battery"
    SIGNATURE_INVALID = "signature_invalid"
    CANCELLED = "cancelled"


class PairingAsk(StrEnum):
    CODE = "code"
    STATUS = "status"


class PairingErrorWord(StrEnum):
    """Reason why `down/pairing` carries no code."""

    TOO_MANY = "too_many"  # asked too often: retry_after_s
    UNKNOWN_WATCH = "unknown_watch"  # logged in, but no longer in the register
    RETIRED = "retired"  # lost, broken or returned: staff must release it first
    MALFORMED = "malformed"
    UNAVAILABLE = "unavailable"  # ours to mend: retry_after_s


class Presence(StrEnum):
    ONLINE = "online"
    ASLEEP = "asleep"
    OFFLINE = "offline"
    OFF = "off"  # said before it is switched off by hand


class ReceiptState(StrEnum):
    """`up/receipt`: what became of an item on the watch."""

    DELIVERED = "delivered"
    PLAYED = "played"
    LATER = "later"
    REJECTED = "rejected"
    SEEN = "seen"  # the child has been shown a down/state


class MessageState(StrEnum):
    """`down/state`: what became of the child's message at one recipient."""

    DELIVERED = "delivered"
    PLAYED = "played"
    EXPIRED = "expired"
    REJECTED = "rejected"


class AckState(StrEnum):
    TAKEN = "taken"  # a command is on the watch, which has begun with it; another state follows
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class ItemKind(StrEnum):
    VOICE = "voice"
    TEXT = "text"
    EMOJI = "emoji"
    REMOVED = "removed"


class CommandKind(StrEnum):
    LOCATE = "locate"
    RING = "ring"
    RESTART = "restart"
    LOST = "lost"  # lock the screen
    FOUND = "found"  # and open it again
    WIPE = "wipe"
    FIRMWARE = "firmware"  # reserved


class AlertKind(StrEnum):
    SOS = "sos"
    SOS_CANCELLED = "sos_cancelled"
    LOW_BATTERY = "low_battery"
    TAKEN_OFF = "taken_off"
    FALL = "fall"
    TAMPER = "tamper"
    FACTORY_RESET = "factory_reset"


class CallState(StrEnum):
    """`down/alert`: what becomes of the child's call."""

    CALLING = "calling"  # the family is being called
    SEEN = "seen"  # somebody has seen it
    UNANSWERED = "unanswered"  # everybody was called and nobody takes care


class Codec(StrEnum):
    AMR_NB = "amr-nb"  # a file with the #!AMR header, 8 kHz mono
    OPUS = "opus"  # Ogg, mono


class LocationSource(StrEnum):
    GPS = "gps"
    WIFI = "wifi"
    CELL = "cell"


class Relation(StrEnum):
    MOTHER = "mother"
    FATHER = "father"
    GRANDMOTHER = "grandmother"
    GRANDFATHER = "grandfather"
    SISTER = "sister"
    BROTHER = "brother"
    AUNT = "aunt"
    UNCLE = "uncle"
    TEACHER = "teacher"
    NEIGHBOUR = "neighbour"
    FRIEND = "friend"
    OTHER = "other"


class Emoji(StrEnum):
    """Words, not code points: a watch draws its own pictures, and no two vendors' fonts agree."""

    HEART = "heart"
    SMILE = "smile"
    LAUGH = "laugh"
    HUG = "hug"
    KISS = "kiss"
    STAR = "star"
    THUMBS_UP = "thumbs_up"
    CLAP = "clap"
    WAVE = "wave"
    OK = "ok"
    SAD = "sad"
    ANGRY = "angry"
    SURPRISED = "surprised"
    SLEEPY = "sleepy"
    SICK = "sick"
    MOON = "moon"
    SUN = "sun"
    RAINBOW = "rainbow"
    FLOWER = "flower"
    CAKE = "cake"
    RICE = "rice"
    BALL = "ball"
    GIFT = "gift"
    BOOK = "book"
    SCHOOL = "school"
    HOME = "home"
    CAT = "cat"
    DOG = "dog"


EMOJI_GLYPHS: Final[dict[Emoji, str]] = {
    Emoji.HEART: "❤️",
    Emoji.SMILE: "😊",
    Emoji.LAUGH: "😂",
    Emoji.HUG: "🤗",
    Emoji.KISS: "😘",
    Emoji.STAR: "⭐",
    Emoji.THUMBS_UP: "👍",
    Emoji.CLAP: "👏",
    Emoji.WAVE: "👋",
    Emoji.OK: "👌",
    Emoji.SAD: "😢",
    Emoji.ANGRY: "😠",
    Emoji.SURPRISED: "😮",
    Emoji.SLEEPY: "😴",
    Emoji.SICK: "🤒",
    Emoji.MOON: "🌙",
    Emoji.SUN: "☀️",
    Emoji.RAINBOW: "🌈",
    Emoji.FLOWER: "🌸",
    Emoji.CAKE: "🎂",
    Emoji.RICE: "🍚",
    Emoji.BALL: "⚽",
    Emoji.GIFT: "🎁",
    Emoji.BOOK: "📖",
    Emoji.SCHOOL: "🏫",
    Emoji.HOME: "🏠",
    Emoji.CAT: "🐱",
    Emoji.DOG: "🐶",
}

# `to` of an uplink for every guardian with may_message at that moment.
FAMILY: Final = "family"
# `ref` of a hello's receipt, and of the acks of lists.
HELLO: Final = "hello"
CONTACTS: Final = "contacts"
CONFIG: Final = "config"
