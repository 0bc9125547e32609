"""Every limit of the watch protocol, published in the AsyncAPI document.

A limit may be loosened in a later version of this file, never tightened: a watch in the field was built against it.
"""

from typing import Final

# ---------------------------------------------------------------- version
# The range this backend speaks. Outside it, hello is answered `rejected protocol` with these two numbers.
PROTOCOL_MIN: Final = 1
PROTOCOL_MAX: Final = 1

# ---------------------------------------------------------------- topics
# Cat-1 modems with AT commands commonly hold a topic in a fixed buffer of 128 bytes; 96 leaves room for theirs.
TOPIC_MAX_BYTES: Final = 96
# Serials are printed on labels and typed by hand.
SERIAL_MIN_CHARS: Final = 4
SERIAL_MAX_CHARS: Final = 20
# 12 letters of base32 are 60 random bits. 32 keeps `sw/v1/w-<32>/down/item/<36>/2047` at 92 bytes.
PAIRED_NAME_MIN_CHARS: Final = 12
PAIRED_NAME_MAX_CHARS: Final = 32
# Ids made by a watch: 12 characters of base36 or base64 carry the required 48 random bits; 36 is a UUID with dashes.
ID_MIN_CHARS: Final = 12
ID_MAX_CHARS: Final = 36
# An alert without a usable id is stored under the beginning of its digest: 128 bits.
ID_DIGEST_CHARS: Final = 32
# Ids made by the backend (items, commands, contacts) may be short, because the backend keeps them unique.
REF_MIN_CHARS: Final = 1
# A word of a list, known to the reader or not.
WORD_MAX_CHARS: Final = 32

# ---------------------------------------------------------------- payloads
# Uplink JSON: an array of 50 locations with Wi-Fi lists fits, and one payload stays cheap to parse.
JSON_MAX_BYTES: Final = 64 * 1024
# No message nests deeper than 4 (array, location, wifi, entry); the rest is room for unknown fields.
JSON_MAX_DEPTH: Final = 16
# No number of the protocol has more digits; a longer one is an attack on the parser or a fault.
NUMBER_MAX_CHARS: Final = 40
# The broker disconnects a client that sends more (max_packet_size); the watch then splits. 64 KiB of JSON and the
# longest topic fit.
PACKET_MAX_BYTES: Final = 80 * 1024
# Bytes that the broker keeps for a watch without clean_session: queued messages, subscriptions, the session.
SESSION_MAX_BYTES: Final = 1024 * 1024
SESSION_KEPT_MAX_S: Final = 3600
# Arrays: locations and usage in one payload, Wi-Fi and cell lists, refs of one receipt, contacts, quiet times.
ARRAY_MAX_ITEMS: Final = 50
# The least that every watch must accept: before hello (pairing), and the default without a value in hello.
MAX_PAYLOAD_FLOOR_BYTES: Final = 1024
MAX_PAYLOAD_DEFAULT_BYTES: Final = 4096
# A list or a text in parts: two digits for part and parts are reserved while packing.
PARTS_MAX: Final = 99
# `missing` lists the first 32, so that the receipt fits the smallest watch.
MISSING_MAX_ITEMS: Final = 32

# ---------------------------------------------------------------- voice
# Below 512 bytes the topic and TCP overhead outweigh the sound; 16 KiB is what small modems buffer at most.
CHUNK_MIN_BYTES: Final = 512
CHUNK_MAX_BYTES: Final = 16 * 1024
CHUNK_DEFAULT_BYTES: Final = 4096
# One minute, as the recording screens of watch and phone allow; a minute of Opus at 128 kbit/s fits 1 MiB.
CLIP_MAX_S: Final = 60
CLIP_MAX_BYTES: Final = 1024 * 1024
CLIP_MAX_CHUNKS: Final = CLIP_MAX_BYTES // CHUNK_MIN_BYTES
CLIP_DEFAULT_BYTES: Final = 256 * 1024
# `duration_ms` is advisory; the bound of ten minutes keeps nonsense out of sums.
DURATION_MAX_MS: Final = 600_000
# A partial upload waits this long for its missing chunks.
PARTIAL_UPLOAD_MAX_DAYS: Final = 30

# ---------------------------------------------------------------- text (characters are Unicode code points)
TEXT_MAX_CHARS: Final = 500
# 64 characters are at most 384 bytes as JSON (every one escaped), so one contact always fits 1,024 bytes.
NAME_MAX_CHARS: Final = 64
LABEL_MAX_CHARS: Final = 64
# E.164 allows 15 digits and a plus; short emergency numbers are shorter.
NUMBER_TEXT_MAX_CHARS: Final = 20
URL_MAX_CHARS: Final = 256
HOST_MAX_CHARS: Final = 128
PASSWORD_MAX_CHARS: Final = 64

# ---------------------------------------------------------------- numbers
# Bounds of a Postgres `integer` and `bigint`.
INT4_MAX: Final = 2**31 - 1
INT8_MAX: Final = 2**63 - 1
# 9999-12-31T23:59:59Z, the last second a date can name.
UNIX_MAX_S: Final = 253_402_300_799
DBM_MIN: Final = -200
DBM_MAX: Final = 100
UTC_OFFSET_MAX_S: Final = 14 * 3600

# ---------------------------------------------------------------- connection
KEEPALIVE_MIN_S: Final = 60
KEEPALIVE_MAX_S: Final = 1200
# No `down/time` this long after hello: hello again after each of HELLO_REPEAT_S, then reconnect.
HELLO_ANSWER_TIMEOUT_S: Final = 20
HELLO_REPEATS: Final = 3
# The waits before each repeat, with jitter of a fifth: thousands of watches that return at once must spread.
HELLO_REPEAT_S: Final = (20, 40, 80)
# 5 s, doubling with jitter to 10 minutes.
RECONNECT_FIRST_S: Final = 5
RECONNECT_MAX_S: Final = 600
# A refused login: the watch keeps everything and asks `status` as factory identity after this.
REFUSED_LOGIN_ASK_STATUS_S: Final = 60

# ---------------------------------------------------------------- repeats
# No receipt: the last part again after 30 s, then doubling to 15 minutes with jitter; at once after a reconnect.
RECEIPT_TIMEOUT_S: Final = 30
# Without a `down/alert` for this long after an SOS the watch shows whom the child can call.
ALERT_ANSWER_TIMEOUT_S: Final = 60
# A `seen` that is older is shown with its time, not as news.
ALERT_LATE_S: Final = 60
RECEIPT_REPEAT_MAX_S: Final = 900
# `retry_after_s` for a kind that is not served yet.
RETRY_AFTER_DEFAULT_S: Final = 3600
# Messages of one user: a burst, then a rate an hour. Beyond them: `retry`.
MESSAGES_AT_ONCE_MAX: Final = 3000
MESSAGES_PER_HOUR_MAX: Final = 36_000
BYTES_AT_ONCE_MAX: Final = 32 * 1024 * 1024
BYTES_PER_HOUR_MAX: Final = 384 * 1024 * 1024
# An announced item that brings neither fetch nor receipt is announced again after each of these,
# then at the next hello.
ANNOUNCE_REPEAT_S: Final = (60, 120, 300)
# After this many failed transfers an item steps aside and the next one is announced.
TRANSFER_ATTEMPTS_MAX: Final = 5

# ---------------------------------------------------------------- pairing
# A repeated request returns the same code while it is valid for this long.
PAIRING_CODE_REUSE_MIN_S: Final = 60
# Credentials that no hello has confirmed are revoked after a day.
CREDENTIALS_UNCONFIRMED_MAX_S: Final = 24 * 3600

# ---------------------------------------------------------------- config
CHECKIN_INTERVAL_MIN_S: Final = 60
CHECKIN_INTERVAL_MAX_S: Final = 24 * 3600
CHECKIN_INTERVAL_DEFAULT_S: Final = 1800
COMMAND_TTL_MAX_S: Final = 7 * 24 * 3600
