"""One connection as paired identity: hello, then everything that is stored, until it ends."""

from __future__ import annotations

import asyncio
from collections import deque

from services.device_sim.watch.answers import Answers, FetchKey, Key
from services.device_sim.watch.batching import first_pack, goes_together, payload_of
from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.mqtt_connection import ConnectionLostError, MqttConnection
from services.device_sim.watch.mqtt_packets import Published
from services.device_sim.watch.receiving import DownlinkReceiver
from services.device_sim.watch.records import Outgoing, OutgoingState, OwedReceipt
from services.device_sim.watch.repeats import RepeatSchedule
from services.device_sim.watch.voice_up import Uploads
from services.protocol import codec
from services.protocol.errors import ProtocolError
from services.protocol.fields import WireMessage
from services.protocol.frames import read_downlink
from services.protocol.topics import Downlink, DownlinkKind, UplinkKind, User, parse_downlink, uplink
from services.protocol.uplink import Hello, Status, UpReceipt
from services.protocol.words import Presence

# A `retry` asks for hours at most. This bounds the wait when the watch's own clock jumps.
_RETRY_MAX_S = 24 * 3600.0


def will_payload(conn: str) -> bytes:
    """Return the will of connection `conn`."""
    return codec.encode(Status(state=Presence.OFFLINE, conn=conn))


class PairedSession:
    """Talks as the paired watch. `run` ends with ConnectionLostError or when it is cancelled."""

    def __init__(self, body: WatchBody, connection: MqttConnection, user: User, conn: str) -> None:
        self._body = body
        self._connection = connection
        self._user = user
        self._conn = conn
        self._answers: deque[tuple[UplinkKind, bytes]] = deque()
        self._wake = asyncio.Event()
        self._time_taken = asyncio.Event()
        timings = body.timings
        self._schedule: RepeatSchedule[Key] = RepeatSchedule(
            timings.receipt_first_s, timings.receipt_max_s, body.random_source
        )
        self._uploads = Uploads(body)
        answers = Answers(say=self._say, plan=self._plan, settle=self._schedule.forget)
        self._receiver = DownlinkReceiver(body, answers, self._uploads)

    @property
    def is_online(self) -> bool:
        """Whether this connection's hello was answered."""
        return self._time_taken.is_set()

    def wake(self) -> None:
        """Look into the memory now: an uplink was stored."""
        self._plan_all()
        self._wake.set()

    async def run(self) -> None:
        """Subscribe, say hello, publish what is stored, receive what comes."""
        # SUBACK before hello: the answer needs the subscription.
        await self._connection.subscribe(self._user.subscription)
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._tell())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def say_asleep(self, until_tst: int) -> None:
        """Announce a planned sleep."""
        await self._publish(UplinkKind.STATUS, codec.encode(Status(state=Presence.ASLEEP, until_tst=until_tst)))

    async def say_off(self) -> None:
        """Announce that the watch is switched off by hand."""
        await self._publish(UplinkKind.STATUS, codec.encode(Status(state=Presence.OFF)))

    async def publish_raw(self, level: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish arbitrary bytes below the own prefix, as broken firmware would."""
        await self._connection.publish(f"{self._user.prefix}/{level}", payload, retain=retain)

    # ---------------------------------------------------------------- saying

    def _say(self, kind: UplinkKind, message: WireMessage) -> None:
        """Publish once: for messages without an answer, which the next hello repairs."""
        self._answers.append((kind, codec.encode(message)))
        self._wake.set()

    def _plan(self, key: Key, after_s: float) -> None:
        self._schedule.plan_anew(key, asyncio.get_running_loop().time() + after_s)
        self._wake.set()

    async def _publish(
        self, kind: UplinkKind, payload: bytes, ref: str | None = None, chunk: int | None = None
    ) -> None:
        await self._connection.publish(uplink(self._user, kind, ref, chunk), payload)
        self._body.counters.count("bytes_up", len(payload))

    async def _tell(self) -> None:
        await self._greet()
        self._plan_all()
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            while self._answers:
                await self._publish(*self._answers.popleft())
            self._receiver.commanded.end_if_asked()
            now = loop.time()
            for key in self._schedule.due(now):
                if not self._schedule.is_due(key, now):
                    continue  # it went along in another array
                # Marked before it is published: the receipt may come before the PUBACK.
                self._schedule.mark_said(key, loop.time())
                await self._tell_one(key)
            if await self._tell_chunk():
                continue
            next_at = self._schedule.next_at()
            if self._answers or (next_at is not None and next_at <= loop.time()):
                continue
            try:
                async with asyncio.timeout_at(next_at):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _greet(self) -> None:
        """Repeat hello until `down/time` comes; without it the connection is given up."""
        for wait_s in self._body.timings.hello_waits_s(self._body.random_source):
            await self._publish(UplinkKind.HELLO, codec.encode(self._hello()))
            try:
                async with asyncio.timeout(wait_s):
                    await self._time_taken.wait()
            except TimeoutError:
                continue
            return
        raise ConnectionLostError("no_time")

    def _hello(self) -> Hello:
        traits, store = self._body.traits, self._body.store
        return Hello(
            conn=self._conn,
            firmware=traits.firmware,
            model=traits.model,
            iccid=traits.iccid,
            battery_pct=traits.battery_pct,
            plays=list(traits.plays),
            records=list(traits.records),
            chunk_bytes=traits.chunk_bytes,
            max_payload_bytes=traits.max_payload_bytes,
            max_clip_bytes=traits.max_clip_bytes,
            max_play_s=traits.max_play_s,
            contacts_version=store.contacts_version(),
            config_version=store.config_version(),
            binary=traits.binary,
            alert_states=traits.alert_states or None,
            **self._body.dated(),
        )

    def _plan_all(self) -> None:
        """Schedule what the memory holds and the schedule does not; at once, except after a `retry`."""
        now = asyncio.get_running_loop().time()
        clock = self._body.clock()
        for record in self._body.store.outgoing.pending():
            wait_s = 0.0 if record.retry_at is None else record.retry_at - clock
            self._schedule.add(record.number, now + (wait_s if 0 < wait_s <= _RETRY_MAX_S else 0.0))
        for receipt in self._body.store.items.owed_receipts():
            self._schedule.add(receipt.key, now)

    async def _tell_one(self, key: Key) -> None:
        store = self._body.store
        if isinstance(key, int):
            record = store.outgoing.get(key)
            if record.state in {OutgoingState.QUEUED, OutgoingState.SENT}:
                store.outgoing.mark_sent(key)
                if record.kind == UplinkKind.VOICE_END:
                    await self._tell_recording(record)
                elif goes_together(record.kind):
                    await self._tell_together(record)
                else:
                    await self._publish(UplinkKind(record.kind), record.payload)
                return
        elif isinstance(key, FetchKey):
            fetch = self._receiver.fetching.next_fetch(key.ref)
            if fetch is not None:
                await self._publish(UplinkKind.FETCH, codec.encode(fetch))
                return
        else:
            receipt = store.items.find_receipt(*key)
            if receipt is not None:
                await self._publish(UplinkKind.RECEIPT, codec.encode(_wire_receipt(receipt)))
                return
        self._schedule.forget(key)

    async def _tell_recording(self, record: Outgoing) -> None:
        if record.state is OutgoingState.QUEUED:
            self._uploads.begin(record)
        if not self._uploads.is_saying(record.number):
            await self._publish(UplinkKind.VOICE_END, record.payload, record.wire_id)

    async def _tell_together(self, record: Outgoing) -> None:
        """Publish a fix or a report together with what else of its kind is due."""
        now = asyncio.get_running_loop().time()
        others = [
            other
            for other in self._body.store.outgoing.pending()
            if other.kind == record.kind and other.number != record.number and self._schedule.is_due(other.number, now)
        ]
        # The modem's buffer holds both directions.
        pack = first_pack([record, *others], self._body.traits.max_payload_bytes)
        for number in pack[1:]:
            self._schedule.mark_said(number.number, now)
            self._body.store.outgoing.mark_sent(number.number)
        await self._publish(UplinkKind(record.kind), payload_of(pack))

    async def _tell_chunk(self) -> bool:
        """Publish one chunk, then yield to everything else; return whether there was one."""
        chunk = self._uploads.next_chunk()
        if chunk is None:
            return False
        if chunk.payload:
            await self._publish(UplinkKind.VOICE_CHUNK, chunk.payload, chunk.wire_id, chunk.chunk)
        if not self._uploads.is_saying(chunk.number):
            # The last chunk: its `end` follows and is repeated from now on.
            self._plan(chunk.number, 0.0)
        return True

    # ---------------------------------------------------------------- taking

    async def _read(self) -> None:
        async for message in self._connection.messages():
            self._take(message)

    def _take(self, message: Published) -> None:
        topic = parse_downlink(message.topic)
        if not isinstance(topic, Downlink) or topic.user != self._user or message.retained:
            self._ignore(message, "not_ours")
            return
        self._body.counters.count("bytes_down", len(message.payload))
        room_bytes = self._body.traits.max_payload_bytes
        if len(message.payload) > room_bytes:
            # A real watch has no buffer for it: such a message is never understood.
            self._ignore(message, "too_large")
            return
        try:
            downlink = read_downlink(topic, message.payload, binary=self._body.traits.binary)
        except ProtocolError as error:
            self._ignore(message, error.detail.value)
            if topic.kind is DownlinkKind.ITEM and topic.ref is not None:
                self._receiver.refuse_item(topic.ref, error.detail)
            return
        self._receiver.take(topic, downlink)
        if topic.kind is DownlinkKind.TIME and not self._time_taken.is_set():
            self._time_taken.set()
            self._body.counters.came_online()
            self._body.events.emit(EventKind.ONLINE, username=self._user.name)
        if self._receiver.protocol_refused:
            raise ConnectionLostError("protocol_refused")

    def _ignore(self, message: Published, detail: str) -> None:
        self._body.events.emit(EventKind.FRAME_IGNORED, topic=message.topic, detail=detail)


def _wire_receipt(receipt: OwedReceipt) -> UpReceipt:
    return UpReceipt(
        ref=receipt.ref,
        state=receipt.state,
        of=receipt.of,
        detail=receipt.detail,
        tst=receipt.tst,
        boot=receipt.boot,
        mono_s=receipt.mono_s,
    )
