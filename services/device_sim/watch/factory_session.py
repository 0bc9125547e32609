"""One connection as factory identity: asks for the pairing's state, shows a code, stores credentials."""

from __future__ import annotations

import asyncio

from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.mqtt_connection import ConnectionLostError, MqttConnection
from services.device_sim.watch.records import ShownCode
from services.protocol import codec
from services.protocol.errors import ProtocolError
from services.protocol.frames import read_downlink
from services.protocol.pairing import (
    NotPaired,
    PairedWithCredentials,
    PairingAnswer,
    PairingCode,
    PairingRefused,
    StillPaired,
    Unpaired,
)
from services.protocol.topics import Downlink, DownlinkKind, UplinkKind, User, parse_downlink, uplink
from services.protocol.uplink import PairingRequest
from services.protocol.words import PairingAsk, PairingErrorWord

# Errors that time alone does not heal: the user has to start pairing again.
_FINAL_REFUSALS = frozenset({PairingErrorWord.UNKNOWN_WATCH, PairingErrorWord.RETIRED, PairingErrorWord.MALFORMED})
_REFUSED_RETRY_DEFAULT_S = 60.0
# A code lives minutes. This bounds the wait when the watch's own clock is wrong.
_CODE_LIFE_MAX_S = 3600.0
_CODE_LIFE_GUESS_S = 600.0
_ASKS = 3


class FactorySession:
    """Talks pairing until nothing is left to ask. `run` returns when the watch's own state has changed.

    It begins with `status`, so that credentials whose message was lost are sent again.
    """

    def __init__(self, body: WatchBody, connection: MqttConnection, user: User) -> None:
        self._body = body
        self._connection = connection
        self._user = user
        self._answers: asyncio.Queue[PairingAnswer] = asyncio.Queue()

    async def run(self) -> None:
        """Ask until paired, wiped, told to keep trying, or refused for good; raises ConnectionLostError."""
        await self._connection.subscribe(self._user.subscription)
        reader = asyncio.create_task(self._read())
        talk = asyncio.create_task(self._talk())
        try:
            await asyncio.wait({reader, talk}, return_when=asyncio.FIRST_COMPLETED)
            (talk if talk.done() else reader).result()
        finally:
            reader.cancel()
            talk.cancel()
            await asyncio.gather(reader, talk, return_exceptions=True)

    def ask_code_again(self) -> None:
        """Ask for the code again while one is shown; the backend repeats it while it lives."""
        self._answers.put_nowait(NotPaired())

    async def _read(self) -> None:
        async for message in self._connection.messages():
            topic = parse_downlink(message.topic)
            if not isinstance(topic, Downlink) or topic.kind is not DownlinkKind.PAIRING or topic.user != self._user:
                self._body.events.emit(EventKind.FRAME_IGNORED, topic=message.topic, detail="not_ours")
                continue
            try:
                answer = read_downlink(topic, message.payload)
            except ProtocolError as error:
                self._body.events.emit(EventKind.FRAME_IGNORED, topic=message.topic, detail=error.detail.value)
                continue
            if isinstance(answer, PairingAnswer):
                self._answers.put_nowait(answer)

    async def _talk(self) -> None:
        answer: PairingAnswer | None = await self._ask(PairingAsk.STATUS)
        while answer is not None:
            answer = await self._take(answer)

    async def _ask(self, ask: PairingAsk) -> PairingAnswer:
        """Ask and return the next answer; after three questions without one the connection is given up."""
        question = codec.encode(PairingRequest(ask=ask))
        if not self._answers.empty():
            # A message that came without a question is newer than the answer to another question would be.
            return self._answers.get_nowait()
        for _ in range(_ASKS):
            await self._connection.publish(uplink(self._user, UplinkKind.PAIRING), question)
            answer = await self._next_answer(self._body.timings.pairing_answer_s)
            if answer is not None:
                return answer
        raise ConnectionLostError("no_answer")

    async def _next_answer(self, timeout_s: float) -> PairingAnswer | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._answers.get()
        except TimeoutError:
            return None

    async def _take(self, answer: PairingAnswer) -> PairingAnswer | None:
        """Act on an answer; return the next one, None when nothing is left to ask."""
        match answer:
            case PairedWithCredentials():
                return await self._take_credentials(answer)
            case Unpaired():
                return await self._take_unpaired(answer)
            case StillPaired():
                if answer.username == self._body.store.username():
                    self._body.events.emit(EventKind.STILL_PAIRED, username=answer.username)
                return await self._ask_code()
            case NotPaired():
                return await self._ask_code()
            case PairingCode():
                return await self._show(answer)
            case PairingRefused():
                return await self._take_refusal(answer)

    async def _ask_code(self) -> PairingAnswer | None:
        return await self._ask(PairingAsk.CODE) if self._body.store.is_pairing_asked() else None

    async def _take_credentials(self, answer: PairedWithCredentials) -> PairingAnswer | None:
        store = self._body.store
        username = store.username()
        if username is not None and username != answer.credentials.username and not store.is_pairing_asked():
            # Only a pairing that was requested at the watch may replace the current one.
            return None
        store.store_credentials(answer)
        self._body.events.emit(EventKind.PAIRED, username=answer.credentials.username, child_name=answer.child_name)
        return None

    async def _take_unpaired(self, answer: Unpaired) -> PairingAnswer | None:
        store = self._body.store
        is_asked = store.is_pairing_asked()
        if answer.username == store.username():
            store.wipe(pairing_asked=is_asked)
            self._body.calls.end()
            self._body.events.emit(EventKind.WIPED, username=answer.username)
        return await self._ask_code()

    async def _show(self, answer: PairingCode) -> PairingAnswer | None:
        """Show the code until credentials come; when it has expired, ask for the state."""
        shown = ShownCode(answer.code, answer.qr, answer.expires_tst)
        self._body.events.emit(EventKind.CODE_SHOWN, code=shown.code, qr=shown.qr, expires_tst=shown.expires_tst)
        now = self._body.server_now()
        left_s = shown.expires_tst - (self._body.clock() if now is None else now)
        if now is None and not 0 < left_s <= _CODE_LIFE_MAX_S:
            left_s = _CODE_LIFE_GUESS_S
        left_s = min(max(left_s, 1.0), _CODE_LIFE_MAX_S)
        if self._body.store.credentials() is not None:
            return await self._show_while_paired(shown, left_s)
        next_answer = await self._next_answer(left_s)
        return await self._ask(PairingAsk.STATUS) if next_answer is None else next_answer

    async def _show_while_paired(self, shown: ShownCode, left_s: float) -> PairingAnswer | None:
        """Show a code on a paired watch, which proves a new phone with it; come back when it was used or ran out.

        Nothing is sent to the watch when a code is used. Asked again, the backend gives the same code while it lives
        and was not used.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + left_s
        while (rest_s := ends_at - loop.time()) > 0:
            answer = await self._next_answer(min(rest_s, self._body.timings.code_check_s))
            if answer is None and loop.time() < ends_at:
                answer = await self._ask(PairingAsk.CODE)
            match answer:
                case None | StillPaired():
                    continue
                case NotPaired():
                    # The button was pressed again.
                    answer = await self._ask(PairingAsk.CODE)
            if not isinstance(answer, PairingCode):
                return answer
            if answer.code != shown.code:
                self._come_back("used")
                return None
        self._come_back("ran_out")
        return None

    def _come_back(self, reason: str) -> None:
        self._body.store.set_pairing_asked(asked=False)
        self._body.events.emit(EventKind.CODE_GONE, reason=reason)

    async def _take_refusal(self, answer: PairingRefused) -> PairingAnswer | None:
        self._body.events.emit(EventKind.PAIRING_REFUSED, error=str(answer.error), retry_after_s=answer.retry_after_s)
        if answer.error in _FINAL_REFUSALS:
            self._body.store.set_pairing_asked(asked=False)
            return None
        wait_s = _REFUSED_RETRY_DEFAULT_S if answer.retry_after_s is None else float(answer.retry_after_s)
        return await self._next_answer(wait_s) or await self._ask(PairingAsk.STATUS)
