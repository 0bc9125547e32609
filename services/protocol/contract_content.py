"""The contract's sentences about what is said: alerts, time, voice, items, lists, the OwnTracks app."""
# ruff: noqa: E501 - a sentence is one line, and the placeholders are longer than the numbers they become

from __future__ import annotations

from typing import Final

from services.protocol import limits
from services.protocol.sentences import Section, backend, watch

ALERTS: Final = Section(
    "Alerts",
    (
        watch(
            "S1",
            "SOS sends `up/alert` with `kind` `sos`, an `id`, and the place where the watch has one, at any hour: quiet times never delay it.",
        ),
        watch(
            "S2",
            f"After an SOS, with or without a network: no `down/alert` for its id within {limits.ALERT_ANSWER_TIMEOUT_S} s means that the watch shows whom the child can call: the contacts with `emergency` and a number, without one all with `may_call` and a number.",
        ),
        watch(
            "S3",
            "With `alert_states` in hello the watch shows `calling`, `seen` with `seen_by`, and on `unanswered` whom the child can call. The newest state counts.",
        ),
        watch(
            "S4",
            f"A `seen` whose `tst` is more than {limits.ALERT_LATE_S} s old is shown with its time, without sound.",
        ),
        backend("S5", "An alert is never rejected for its form. `kind` is read without regard to case."),
        backend(
            "S6",
            f"Without a usable `id` (absent, too short, other characters) an alert is stored under a digest of its payload, so that repeats coincide; without `tst` and `mono_s` they coincide for {limits.RECEIPT_REPEAT_MAX_S // 60} minutes only, because later calls look the same. The receipt repeats in `ref` the id as it was sent, cut to {limits.ID_MAX_CHARS} characters; `ref` is null, with `topic`, where there was none.",
        ),
        backend(
            "S7",
            'An alert that cannot be read at all is shown to the guardians as "the watch called, details unreadable", escalates like an SOS, and gets `stored`.',
        ),
        backend("S8", "A `kind` of a later version is shown in the same way and gets `retry`."),
        backend(
            "S9",
            "`down/alert` tells a watch with `alert_states` `calling` when a round of calls to the family begins, `seen` with `seen_by` when somebody answers, `unanswered` when everybody was called and nobody takes care. The current state is sent again at each hello for 24 hours.",
        ),
        backend(
            "S10",
            f"Without `alert_states` a watch gets `down/alert` only when a guardian takes care, always with `seen_by`, and not when that is more than {limits.ALERT_LATE_S} s old.",
        ),
    ),
    "`tst` of `seen` is the time of the tap on the guardian's phone.",
)

TIME: Final = Section(
    "Time",
    (
        watch(
            "T1",
            "`tst` is Unix seconds, 0 = unknown; then `boot` (boot count) and `mono_s` (seconds since boot) stand beside it, also in hello.",
        ),
        watch("T2", "After `down/time` a watch dates by server time."),
        watch("T3", "Expiry is judged on server time from `down/time`."),
        backend("T4", "A wrong clock never reorders a conversation."),
    ),
)

VOICE: Final = Section(
    "Voice up",
    (
        watch(
            "V1",
            f"Chunks have {limits.CHUNK_MIN_BYTES} to {limits.CHUNK_MAX_BYTES} bytes (the last may be shorter), numbered from 0 in decimal without leading zeros.",
        ),
        watch("V2", "`end` comes after the chunks, and its `bytes`, `chunks` and `sha256` are those of the clip."),
        watch("V3", f"A clip has at most {limits.CLIP_MAX_S} s and {limits.CLIP_MAX_BYTES // 1024} KiB."),
        watch("V4", "After `missing` a watch sends those chunks, then `end` again."),
        watch("V5", "AMR-NB is a file with the `#!AMR` header, 8 kHz mono; Opus is Ogg, mono."),
        watch("V6", "`to` is the id of a contact with may_message, or `family`."),
        watch("V7", 'After `rejected recipient_removed` the child is shown "not sent".'),
        watch("V8", 'With `"binary":false` in hello chunks are base64 text, both ways.'),
        backend(
            "V9",
            f"Only `end` completes. `missing` lists the first {limits.MISSING_MAX_ITEMS} chunks not held; with a wrong hash all chunks are missing. For the same number the last chunk wins.",
        ),
        backend("V10", "A recipient that is gone: `rejected recipient_removed`."),
    ),
    f"""\
A partial upload lives {limits.PARTIAL_UPLOAD_MAX_DAYS} days. `family` is every guardian with may_message at that moment, one state for each.""",
)

ITEMS: Final = Section(
    "Items down",
    (
        watch("N1", "A text or emoji gets `delivered` at once, when it is stored on the watch."),
        watch("N2", "`played` follows when the child has read or heard it, and not before."),
        watch(
            "N3",
            "A clip is fetched with `up/fetch`: `count` chunks from `from`; `delivered` follows when it is whole and its hash is right.",
        ),
        watch(
            "N4",
            "After a loss of connection a watch fetches only what it does not hold, once the item is announced again.",
        ),
        watch("N5", "An item that is announced again gets `delivered` again and is shown once."),
        watch("N6", "Without room a watch answers `later`."),
        watch("N7", "A kind of item that it does not know gets `rejected` with `unsupported_kind`."),
        watch("N8", "After `removed` a watch forgets the item `ref`, and answers `delivered`."),
        watch("N9", "A manifest with another sha256 or chunk count voids the chunks held."),
        watch(
            "N10",
            '`down/state` is shown to the child, and answered by `up/receipt {"ref":<message>,"state":"seen","of":"played"}`.',
        ),
        backend(
            "N11",
            "Items are pulled: the backend announces, and answers `up/fetch` with the chunks asked for. Chunks have the manifest's `chunk_bytes` but the last.",
        ),
        backend(
            "N12",
            f"Announced in `seq` order (with holes), one outstanding at a time: again at each hello and after {'/'.join(str(seconds) for seconds in limits.ANNOUNCE_REPEAT_S)} s of silence, never while chunks are being fetched. After {limits.TRANSFER_ATTEMPTS_MAX} failed transfers an item steps aside.",
        ),
        backend(
            "N13",
            "A fetch of an item that does not exist (any more) gets `removed`; a fetch beyond its last chunk `rejected out_of_range`.",
        ),
        backend(
            "N14",
            "`down/state` tells the child what became of its message; repeated at hello until it is answered by `seen`.",
        ),
    ),
)

LISTS: Final = Section(
    "Lists, settings, commands",
    (
        watch(
            "L1",
            "Any `contacts` whose version differs from the one held are taken, even a lower one, and acknowledged.",
        ),
        watch(
            "L2", "Any `config` whose version differs from the one held is taken, even a lower one, and acknowledged."
        ),
        watch("L3", "hello carries the versions held."),
        watch(
            "L4",
            "With `location` false the watch takes no fix and scans no Wi-Fi. The place in an SOS is a consent of its own.",
        ),
        watch(
            "L5",
            "Quiet times are read on the wall clock: `down/time` plus `utc_offset_s`. Messages wait silently then.",
        ),
        watch("L6", "A command is answered by `up/ack` (`locate` also by a location with `reply_to`)."),
        watch("L7", "A command after its `expires_tst` is not carried out, and acknowledged as `expired`."),
        watch("L8", "Each command `id` is carried out once; when it is sent again its answer is sent again."),
        watch(
            "L9",
            "Unknown commands, those that would listen, open a call unasked or use a camera among them, get `failed` with `unsupported`.",
        ),
        watch("L10", "`restart` is acknowledged before the watch restarts; `boot` has grown in the next hello."),
        watch("L11", "`wipe` is acknowledged, and erases everything of the family."),
        backend("L12", "A list that is not acknowledged is sent again at the next hello whose version differs."),
        backend("L13", "A location with `reply_to` answers its command and gets a receipt."),
        backend("L14", "With `location` false what still comes is `rejected location_off` and discarded unstored."),
    ),
    """\
`taken` is the ack of a watch that has begun a command that lasts. `busy_until_tst` of a contact: on shift until then.
Shown, never a reason not to record or send. Commands that listen, open a call unasked or use a camera do not exist.
When the clocks change a new version of the config brings the new offset.""",
)

OWNTRACKS: Final = Section(
    "The OwnTracks app",
    (),
    f"""\
Base topic `<prefix>/up/location`, QoS 1, retain off, clean session on, MQTT 3.1.1, keepalive at most
{limits.KEEPALIVE_MAX_S} s. Units inside OwnTracks objects are OwnTracks' own. Secondary fields that make no sense (batt -1) count as
absent.""",
)
