"""The rules that no schema can express, as Markdown for the AsyncAPI document. Numbers come from limits.py."""
# ruff: noqa: E501 - a Markdown table cannot be wrapped, and the placeholders are longer than the numbers they become

from typing import Final

from services.protocol import limits

DESCRIPTION: Final = f"""\
The messages between a watch and the backend, from the side of the watch: `send` is a publish of the watch, `receive` a
message to it. Plain MQTT is enough: a modem with AT commands, the OwnTracks app or `mosquitto_pub` can take part. The
contract only grows: a new optional field, word or kind may appear, none disappears.

## Connection

- MQTT 3.1.1 (or 5, using nothing of it), QoS 1 both ways, `clean_session` 1 always, client id = user name, keepalive
  {limits.KEEPALIVE_MIN_S} to {limits.KEEPALIVE_MAX_S} s. A publish with the retain flag or QoS 2 ends the connection; a will with either is refused at
  the log-in. A subscription of QoS 2 is granted QoS 1.
- With `clean_session` 0 the broker keeps at most {limits.SESSION_MAX_BYTES // 1024} KiB for a user (beyond it the session is dropped, connected or
  not), and at most {limits.SESSION_KEPT_MAX_S // 60} minutes after the watch has left. Nothing waits there: everything for a watch waits in the backend.
- Send the first byte within 5 s of the TCP connection, and CONNECT within 15 s of it; slower connections are closed. After
  many refused log-ins from one address, new connections from there wait up to 2 s.
- TLS 1.2 or 1.3 (ECDHE with AES-128-GCM suffices, chain below 4 KB, SNI optional). A watch without a clock verifies
  chain and host but ignores dates until its first `down/time`. Plain MQTT is for development on the loopback only.
- Subscribe `<prefix>/down/#`, wait for SUBACK, then `hello` (as factory identity: `pairing`). No `down/time` within
  {limits.HELLO_REPEAT_S[0]} s: hello again, and after {limits.HELLO_REPEAT_S[1]} and {limits.HELLO_REPEAT_S[2]} s more, each with jitter of a fifth; then reconnect. Only the
  newest hello is handled.
- Reconnect after {limits.RECONNECT_FIRST_S} s, doubling with jitter to {limits.RECONNECT_MAX_S} s.
- The will: `up/status` with `{{"state":"offline","conn":"<nonce of this connection>"}}`. A will whose nonce is not that
  of the latest hello is ignored. A fresh `conn` is made for every connection.
- `keepalive_s` in hello ({limits.KEEPALIVE_MAX_S} unless said) promises a message at least that often, PINGREQ not counting:
  `up/status` with `online` when there is nothing else to send. After one and a half of it without a message the watch
  counts as offline until its next message. Before it is switched off by hand it sends `{{"state":"off"}}`.

## Two identities

- **Factory**: user `f-<serial>` with the secret it was made with. It may publish `pairing` and nothing else.
- **Paired**: a fresh random user `w-...` for each pairing, given in `down/pairing`. `<prefix>` is `sw/v1/<user>`.
- A client publishes below its own `up/` and receives below its own `down/`, nothing else. **SUBACK grants every filter**,
  also one outside `<prefix>/down/`, and PUBACK acknowledges a publish outside `<prefix>/up/`: nothing is delivered for
  either. Only what arrives, and our receipt, count.
- **A refused login never wipes a watch.** It keeps everything, retries, after {limits.REFUSED_LOGIN_ASK_STATUS_S} s asks `status` as factory
  identity and goes on trying. It wipes only on `{{"unpaired":true,"username":...}}` that names its stored user.
- The first hello under the new name confirms the credentials; unconfirmed ones are revoked after
  {limits.CREDENTIALS_UNCONFIRMED_MAX_S // 3600} h. Until then `status` gives them again. A code asked for again is the same while it lives
  {limits.PAIRING_CODE_REUSE_MIN_S} s more.

## Payloads

- JSON is UTF-8, one object; location and usage: or an array of at most {limits.ARRAY_MAX_ITEMS}. At most {limits.JSON_MAX_BYTES // 1024} KiB and
  {limits.JSON_MAX_DEPTH} levels. Unknown fields are ignored, null is read as absent, absent optional fields have the default of the schema,
  of duplicate keys the last counts. Unknown words never crash a reader. A byte order mark before the object and any
  text after its end (NUL, line ends, stale bytes of a buffer) are ignored.
- A number written `3.0` or `3e2` is the integer that it equals. Hexadecimal digits may be capitals.
- **Advisory fields never cost a child its words.** A field marked `x-advisory` counts as absent when its value cannot
  be read or is out of range (NaN and Infinity included): `tst`, `boot`, `mono_s`, `duration_ms`, levels of battery and
  signal, labels (`firmware` and `model` are cut to {limits.LABEL_MAX_CHARS} characters), the versions in hello, the place of an alert. Of a
  list of access points, cells or codecs the entries that cannot be read are dropped. Strict stay: identity, topic, ids,
  recipients, content, limits.
- Text is Unicode: 4-byte characters and direction marks are welcome, NUL and lone surrogates are
  `rejected text_invalid`.
- A payload to a watch never exceeds its `max_payload_bytes` (at least {limits.MAX_PAYLOAD_FLOOR_BYTES}, {limits.MAX_PAYLOAD_DEFAULT_BYTES} unless hello says
  otherwise; pairing answers never exceed {limits.MAX_PAYLOAD_FLOOR_BYTES}). Contacts, config and long texts come in parts (`part` of `parts`): a list
  replaces the one held once all parts of one version are there; every part of a config carries all plain settings and
  a share of `quiet`; the parts of a text are joined in order. Receipts of arrays come as several receipts.
- Packets beyond {limits.PACKET_MAX_BYTES // 1024} KiB disconnect, in both directions of every listener; the watch then splits. Topics have at most {limits.TOPIC_MAX_BYTES} bytes.

## Ids and repeats

- `id` is made by the watch: {limits.ID_MIN_CHARS} to {limits.ID_MAX_CHARS} of `A-Za-z0-9-`, at least 48 random bits, unique per paired identity over all
  kinds. Never a counter: counters restart.
- PUBACK means transport only. What the watch recorded is kept until its receipt says `stored`, `duplicate` or
  `rejected`. No receipt in {limits.RECEIPT_TIMEOUT_S} s: send the last part (for voice: `end`) again, then doubling to
  {limits.RECEIPT_REPEAT_MAX_S // 60} minutes with jitter, at once after a reconnect.
- The same content under the same id gets `duplicate` (or the chunks still `missing`). Sameness compares the known fields;
  for voice sha256, to and codec. Other content under the same id is `rejected id_conflict`: send it under a fresh id.
- `retry` carries `retry_after_s`: a fault of the backend, a kind not served yet, or a watch that sends more than
  {limits.MESSAGES_AT_ONCE_MAX} messages ({limits.BYTES_AT_ONCE_MAX // 2**20} MiB) at once and {limits.MESSAGES_PER_HOUR_MAX} ({limits.BYTES_PER_HOUR_MAX // 2**20} MiB) an hour after that. Keep the message and send it again then (a watch that floods
  is not answered for each message: without a receipt it repeats as always); a clip that lost chunks
  in this way gets `missing` at its `end`.

## What is answered

| up | answer |
|---|---|
| `pairing` | `down/pairing` |
| `hello` | `down/time`, then contacts and config if versions differ, then the next waiting item |
| voice `end`, `text`, `location`, `usage`, `alert` | `down/receipt` |
| `receipt` | `down/receipt` that repeats its `state` (and `of`); sent again until then |
| `fetch` | the chunks, or `removed` |
| voice chunks, `status`, `ack` | nothing; a lost ack heals at the next hello, which carries the versions |
| a location without `id` (the OwnTracks app) | nothing; it is stored once per instant. `lwt`, `transition`, `waypoint` are accepted, nothing is kept |
| what cannot be read | `{{"ref":null,"topic":...,"code":"rejected","detail":"malformed"}}`, or by its id where one was found |
| a kind not served | `retry` |
| a protocol version out of range | `{{"ref":"hello","code":"rejected","detail":"protocol","min":{limits.PROTOCOL_MIN},"max":{limits.PROTOCOL_MAX}}}` |

One bad entry of an array does not affect the others: it stands in `rejected`, by id, or by `index` where it has none.

## Alerts

- An alert is never rejected for its form. `kind` is read without regard to case.
- Without a usable `id` (absent, too short, other characters) an alert is stored under a digest of its payload, so that
  repeats coincide; without `tst` and `mono_s` they coincide for {limits.RECEIPT_REPEAT_MAX_S // 60} minutes only, because later calls look the same.
  The receipt repeats in `ref` the id as it was sent, cut to {limits.ID_MAX_CHARS} characters; `ref` is null, with `topic`, where there was none.
- An alert that cannot be read at all is shown to the guardians as "the watch called, details unreadable", escalates
  like an SOS, and gets `stored`. A `kind` of a later version is shown in the same way and gets `retry`.
- After an SOS, with or without a network: no `down/alert` for its id within {limits.ALERT_ANSWER_TIMEOUT_S} s means that the watch shows whom the
  child can call: the contacts with `emergency` and a number, without one all with `may_call` and a number.
- `down/alert` tells what becomes of the call. A watch whose hello says `"alert_states":true` gets `state`: `calling`
  when a round of calls to the family begins, `seen` with `seen_by` when somebody answers, `unanswered` when everybody
  was called and nobody takes care. On `unanswered` it shows whom the child can call, as above. The newest state counts;
  the current one is sent again at each hello for 24 hours.
- `tst` of `seen` is the time of the tap on the guardian's phone. When it is more than {limits.ALERT_LATE_S} s old the watch shows it with its
  time, without sound.
- Without `alert_states` a watch gets `down/alert` only when a guardian takes care, always with `seen_by`, and not when
  that is more than {limits.ALERT_LATE_S} s old.

## Time

`tst` is Unix seconds, 0 = unknown; then `boot` (boot count) and `mono_s` (seconds since boot), also in hello, let the
backend date it. A wrong clock never reorders a conversation. Expiry is judged on server time from `down/time`.

## Voice up

- Chunks of {limits.CHUNK_MIN_BYTES} to {limits.CHUNK_MAX_BYTES} bytes (the last may be shorter), numbered from 0 in decimal without leading zeros, then
  `end`. Only `end` completes. A clip has at most {limits.CLIP_MAX_S} s and {limits.CLIP_MAX_BYTES // 1024} KiB.
- `missing` lists the first {limits.MISSING_MAX_ITEMS} chunks not held: send those, then `end` again. All there but a wrong hash: all are
  missing. For the same number the last chunk wins. A partial upload lives {limits.PARTIAL_UPLOAD_MAX_DAYS} days.
- AMR-NB is a file with the `#!AMR` header, 8 kHz mono; Opus is Ogg, mono. With `"binary":false` in hello chunks are
  base64 text, both ways.
- `to` is a contact id or `family`: every guardian with may_message at that moment, one state for each. A recipient
  that is gone: `rejected recipient_removed`, and the child is shown "not sent".

## Items down

- Items are pulled: the backend announces, the watch fetches chunks at its own pace (`count` is its window) and resumes
  where it stopped. Chunks have the manifest's `chunk_bytes` but the last.
- Announced in `seq` order (with holes), one outstanding at a time: again at each hello and after
  {"/".join(str(seconds) for seconds in limits.ANNOUNCE_REPEAT_S)} s of silence, never while chunks are being fetched. After {limits.TRANSFER_ATTEMPTS_MAX} failed transfers an item steps aside.
- Answered by `up/receipt`: `delivered` (whole and stored on the watch; a text or emoji at once), later `played`;
  `later` without room; `rejected` with a detail, `unsupported_kind` for a kind it does not know.
- `removed` means expired or erased: forget `ref`. A manifest with another sha256 or chunk count voids the chunks held.
- `down/state` tells the child what became of its message; repeated at hello until
  `up/receipt {{"ref":<message>,"state":"seen","of":"played"}}`.

## Lists, settings, commands

- Any `contacts` or `config` whose version differs from the one held is taken, even a lower one, and acknowledged.
- With `location` false the watch takes no fix and scans no Wi-Fi, and what still comes is discarded unstored. The
  place in an SOS is a consent of its own.
- Quiet times are read on the wall clock: `down/time` plus `utc_offset_s`; when the clocks change a new version of the
  config brings the new offset. Messages wait silently then. An SOS never waits.
- `busy_until_tst` of a contact: on shift until then. Shown, never a reason not to record or send.
- Commands: not after `expires_tst`, each `id` once (it is sent again on a new connection); `taken` when the watch has
  begun a command that lasts; answered by `up/ack` (`locate` also by a location with `reply_to`); unknown kinds:
  `failed unsupported`. Commands that listen, open a call unasked or use a camera do not exist.

## The OwnTracks app

Base topic `<prefix>/up/location`, QoS 1, retain off, clean session on, MQTT 3.1.1, keepalive at most
{limits.KEEPALIVE_MAX_S} s. Units inside OwnTracks objects are OwnTracks' own. Secondary fields that make no sense (batt -1) count as
absent.
"""
