"""The contract's sentences, in the order of the AsyncAPI document. Numbers come from limits.py."""
# ruff: noqa: E501 - a sentence is one line, and the placeholders are longer than the numbers they become

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.protocol import limits
from services.protocol.contract_content import ALERTS, ITEMS, LISTS, OWNTRACKS, TIME, VOICE
from services.protocol.sentences import Section, Sentence, Side, backend, numbered, watch

_CONNECTION: Final = Section(
    "Connection",
    (
        watch("C1", "MQTT 3.1.1 (or 5, using nothing of it)."),
        watch("C2", "`clean_session` is 1, always."),
        watch("C3", "The client id is the user name."),
        watch("C4", f"The keepalive is {limits.KEEPALIVE_MIN_S} to {limits.KEEPALIVE_MAX_S} s."),
        watch("C5", "Every publish has QoS 1."),
        watch("C6", "Neither a publish nor the will has the retain flag."),
        watch(
            "C7",
            f"A watch publishes below its own `<prefix>/up/` only; topics have at most {limits.TOPIC_MAX_BYTES} bytes.",
        ),
        watch("C8", "Subscribe `<prefix>/down/#` and wait for SUBACK before the first publish."),
        watch(
            "C9",
            "`hello` is the first message of every connection of a paired identity, `pairing` that of a factory identity.",
        ),
        watch(
            "C10",
            f"No `down/time` within {limits.HELLO_REPEAT_S[0]} s: hello again, and after {limits.HELLO_REPEAT_S[1]} and {limits.HELLO_REPEAT_S[2]} s more, each with jitter of a fifth; then reconnect.",
        ),
        watch(
            "C11", f"Reconnect after {limits.RECONNECT_FIRST_S} s, doubling with jitter to {limits.RECONNECT_MAX_S} s."
        ),
        watch(
            "C12",
            'The will: `up/status` with `{"state":"offline","conn":"<nonce of this connection>"}`, the nonce being that of hello.',
        ),
        watch("C13", "A fresh `conn` is made for every connection."),
        watch(
            "C14",
            f"`keepalive_s` in hello ({limits.KEEPALIVE_MAX_S} unless said) promises a message at least that often, PINGREQ not counting: `up/status` with `online` when there is nothing else to send.",
        ),
        watch("C15", 'Before it is switched off by hand a watch sends `up/status` with `{"state":"off"}`.'),
        watch(
            "C16",
            "Send the first byte within 5 s of the TCP connection, and CONNECT within 15 s of it; slower connections are closed.",
        ),
        watch(
            "C17",
            "A watch verifies chain and host name of TLS; without a clock it ignores dates until its first `down/time`.",
        ),
        backend(
            "C18",
            "A publish with the retain flag or QoS 2 ends the connection; a will with either is refused at the log-in.",
        ),
        backend("C19", "A subscription of QoS 2 is granted QoS 1."),
        backend(
            "C20",
            "`hello` gets `down/time`, then contacts and config if their versions differ, then the next waiting item. Only the newest hello is handled.",
        ),
        backend("C21", "A will whose nonce is not that of the latest hello is ignored."),
        backend("C22", "A second connection of a user ends the first."),
        backend(
            "C23",
            'A protocol version out of range gets `{"ref":"hello","code":"rejected","detail":"protocol","min":'
            f'{limits.PROTOCOL_MIN},"max":{limits.PROTOCOL_MAX}}}`.',
        ),
        backend(
            "C24",
            "SUBACK grants every filter, and PUBACK acknowledges a publish outside `<prefix>/up/`, but nothing is delivered for either.",
        ),
    ),
    f"""\
- With `clean_session` 0 the broker keeps at most {limits.SESSION_MAX_BYTES // 1024} KiB for a user (beyond it the session is dropped, connected or
  not), and at most {limits.SESSION_KEPT_MAX_S // 60} minutes after the watch has left. Nothing waits there: everything for a watch waits in the backend.
- After many refused log-ins from one address, new connections from there wait up to 2 s.
- TLS 1.2 or 1.3 (ECDHE with AES-128-GCM suffices, chain below 4 KB, SNI optional). Plain MQTT is for development on the
  loopback only.
- After one and a half of `keepalive_s` without a message the watch counts as offline until its next message.""",
)

_IDENTITIES: Final = Section(
    "Two identities",
    (
        watch("I1", "As factory identity (user `f-<serial>`) a watch publishes `pairing` and nothing else."),
        watch("I2", "A refused login never wipes a watch: it keeps everything and retries."),
        watch(
            "I3",
            f"After {limits.REFUSED_LOGIN_ASK_STATUS_S} s of refused logins it asks `status` as factory identity, and goes on trying.",
        ),
        watch("I4", "It does not wipe on an `unpaired` that names another user."),
        watch(
            "I5",
            'It wipes on `{"unpaired":true,"username":...}` that names its stored user, and asks for a code before it is used again.',
        ),
        watch(
            "I6",
            "After `credentials` it connects with their user name, password and client id, and says hello below their `prefix`.",
        ),
        watch("I7", "A watch that shows a code takes the credentials when they come, without another press."),
        backend("I8", f"A code asked for again is the same while it lives {limits.PAIRING_CODE_REUSE_MIN_S} s more."),
        backend("I9", "Until the first hello under the new name `status` gives the credentials again."),
        backend("I10", "After the first hello `status` gives the user name and no password."),
        backend(
            "I11", "Anything but `pairing` from a factory identity is `rejected not_paired`, and nothing of it is kept."
        ),
        backend("I12", "A question that cannot be read gets `down/pairing` with an `error`."),
    ),
    f"""\
`<prefix>` is `sw/v1/<user>`. A fresh random user `w-...` is given for each pairing. Unconfirmed credentials are revoked
after {limits.CREDENTIALS_UNCONFIRMED_MAX_S // 3600} h.""",
)

_PAYLOADS: Final = Section(
    "Payloads",
    (
        watch(
            "P1",
            f"JSON is UTF-8, one object; location and usage: or an array of at most {limits.ARRAY_MAX_ITEMS}. At most {limits.JSON_MAX_BYTES // 1024} KiB and {limits.JSON_MAX_DEPTH} levels.",
        ),
        watch("P2", "Every message has the fields of its schema, of the right type and within their limits."),
        watch("P3", "Unknown fields are ignored, and null is read as absent."),
        watch("P4", "Unknown words never crash a reader: a message with one is taken as far as it is known."),
        watch(
            "P5",
            "A list in parts (`part` of `parts`) replaces the one held once all parts of one version are there, and not before.",
        ),
        watch("P6", "The parts of a text are joined in order; `delivered` follows the last one."),
        watch(
            "P7",
            "A payload above the stated `max_payload_bytes`, or one that cannot be read, is ignored and ends nothing.",
        ),
        backend(
            "P8",
            f"A payload to a watch never exceeds its `max_payload_bytes` (at least {limits.MAX_PAYLOAD_FLOOR_BYTES}, {limits.MAX_PAYLOAD_DEFAULT_BYTES} unless hello says otherwise; pairing answers never exceed {limits.MAX_PAYLOAD_FLOOR_BYTES}).",
        ),
        backend(
            "P9",
            "Unknown fields are ignored, null is read as absent, of duplicate keys the last counts, absent optional fields have the default of the schema.",
        ),
        backend(
            "P10",
            "A byte order mark before the object and any text after its end (NUL, line ends, stale bytes of a buffer) are ignored.",
        ),
        backend(
            "P11", "A number written `3.0` or `3e2` is the integer that it equals. Hexadecimal digits may be capitals."
        ),
        backend(
            "P12",
            f"Advisory fields never cost a child its words: a field marked `x-advisory` counts as absent when its value cannot be read or is out of range (NaN and Infinity included): `tst`, `boot`, `mono_s`, `duration_ms`, levels of battery and signal, labels (`firmware` and `model` are cut to {limits.LABEL_MAX_CHARS} characters), the versions in hello, the place of an alert. Of a list of access points, cells or codecs the entries that cannot be read are dropped.",
        ),
        backend(
            "P13",
            "Text is Unicode: 4-byte characters and direction marks are welcome; NUL and lone surrogates are `rejected text_invalid`.",
        ),
        backend("P14", f"Packets beyond {limits.PACKET_MAX_BYTES // 1024} KiB disconnect, on every listener."),
        backend(
            "P15",
            'What cannot be read gets `{"ref":null,"topic":...,"code":"rejected","detail":"malformed"}`, or the same by its id where one was found.',
        ),
        backend(
            "P16",
            "One bad entry of an array does not affect the others: it stands in `rejected`, by id, or by `index` where it has none.",
        ),
    ),
    """\
Strict stay: identity, topic, ids, recipients, content, limits. Contacts, config and long texts come in parts: every part
of a config carries all plain settings and a share of `quiet`. Receipts of arrays come as several receipts.""",
)

_REPEATS: Final = Section(
    "Ids and repeats",
    (
        watch("R1", f"`id` is made by the watch: {limits.ID_MIN_CHARS} to {limits.ID_MAX_CHARS} of `A-Za-z0-9-`."),
        watch(
            "R2",
            "An id has at least 48 random bits and is unique per paired identity over all kinds, also after a restart. Never a counter: counters restart.",
        ),
        watch(
            "R3",
            "What the watch recorded is kept until its receipt says `stored`, `duplicate` or `rejected`; PUBACK means transport only.",
        ),
        watch(
            "R4",
            f"No receipt in {limits.RECEIPT_TIMEOUT_S} s: send the last part (for voice: `end`) again, not earlier.",
        ),
        watch("R5", f"Then doubling to {limits.RECEIPT_REPEAT_MAX_S // 60} minutes with jitter."),
        watch("R6", "At once again after a reconnect."),
        watch("R7", "A repeat has the same id and the same content."),
        watch("R8", "After `stored`, `duplicate` or `rejected` a message is not sent again."),
        watch("R9", "After `rejected id_conflict` the message is sent again under a fresh id."),
        watch("R10", "After `retry` the message is kept and sent again after `retry_after_s`."),
        watch("R11", "What was recorded without a network, and what had no receipt, survives a loss of power."),
        backend(
            "R12",
            "The same content under the same id gets `duplicate` (or the chunks still `missing`). Sameness compares the known fields; for voice sha256, to and codec.",
        ),
        backend("R13", "Other content under the same id gets `rejected id_conflict`."),
        backend("R14", "`retry` carries `retry_after_s`. A kind not served gets `retry`."),
    ),
    f"""\
A watch that sends more than {limits.MESSAGES_AT_ONCE_MAX} messages ({limits.BYTES_AT_ONCE_MAX // 2**20} MiB) at once and {limits.MESSAGES_PER_HOUR_MAX} ({limits.BYTES_PER_HOUR_MAX // 2**20} MiB) an hour after that gets `retry` (a watch
that floods is not answered for each message: without a receipt it repeats as always); a clip that lost chunks in this
way gets `missing` at its `end`.""",
)

_ANSWERS: Final = Section(
    "What is answered",
    (
        watch("A1", "`up/receipt` is sent again until a `down/receipt` repeats its `state` (and `of`)."),
        backend("A2", "Voice `end`, `text`, `location`, `usage` and `alert` get a `down/receipt`."),
        backend("A3", "`up/receipt` gets a `down/receipt` that repeats its `state` (and `of`)."),
        backend("A4", "Voice chunks, `status` and `ack` get no answer."),
        backend(
            "A5",
            "A location without `id` (the OwnTracks app) gets no answer and is stored once per instant; `lwt`, `transition`, `waypoint` are accepted, nothing is kept.",
        ),
    ),
    """\
| up | answer |
|---|---|
| `pairing` | `down/pairing` |
| `hello` | `down/time`, then contacts and config if versions differ, then the next waiting item |
| voice `end`, `text`, `location`, `usage`, `alert` | `down/receipt` |
| `receipt` | `down/receipt` that repeats its `state` (and `of`); sent again until then |
| `fetch` | the chunks, or `removed` |
| voice chunks, `status`, `ack` | nothing; a lost ack heals at the next hello, which carries the versions |
| a kind not served | `retry` |""",
)

SECTIONS: Final = (
    _CONNECTION, _IDENTITIES, _PAYLOADS, _REPEATS, _ANSWERS, ALERTS, TIME, VOICE, ITEMS, LISTS, OWNTRACKS,
)  # fmt: skip
SENTENCES: Final[Mapping[str, Sentence]] = numbered(SECTIONS)


def sentences_of(side: Side) -> list[Sentence]:
    """Return the sentences that oblige one side, in the order of the document."""
    return [sentence for sentence in SENTENCES.values() if sentence.side is side]
