"""One simulated watch: its parts, its texts, its state. The connection is in `network.py`."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from services.device_sim.watch.alerts import Alerts
from services.device_sim.watch.body import WatchBody, WatchTraits
from services.device_sim.watch.events import EventKind, WatchEvent
from services.device_sim.watch.life import Life
from services.device_sim.watch.line import Line
from services.device_sim.watch.mailbox import Mailbox
from services.device_sim.watch.mqtt_connection import ConnectionLostError
from services.device_sim.watch.network import Address, WatchNetwork
from services.device_sim.watch.places import Places
from services.device_sim.watch.records import (
    FactoryIdentity,
    Incoming,
    Outgoing,
    OutgoingState,
    OwedReceipt,
    SentState,
    ShownCode,
)
from services.device_sim.watch.store import WatchFolderError, WatchStore
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.usage import Usage
from services.device_sim.watch.voice import Voice
from services.device_sim.watch.wall_clock import WallClock
from services.protocol.downlink import Config, Contact
from services.protocol.topics import factory_user

_WAIT_S = 30.0


class NotSentError(Exception):
    """The backend refused a message for good; `detail` is a word of the closed list."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class PairingRefusedError(Exception):
    """The backend gave no code; `error` is a word of the protocol, `retry_after_s` is set where waiting helps."""

    def __init__(self, error: str, retry_after_s: int | None) -> None:
        super().__init__(error)
        self.error = error
        self.retry_after_s = retry_after_s


class AlreadyPairedError(Exception):
    """A code was requested and credentials came: an earlier code was used, and the message about it was lost."""


class SimWatch:
    """A watch with its memory in `folder`, talking to the broker at `host`:`port`.

    Serial and secret are needed once; a folder that holds them already needs neither. With `tls_ca_file` it speaks TLS
    and follows the address in its credentials; without, it speaks plain MQTT and stays at the address given here,
    because credentials name the TLS listener. Use it as `async with`, or `start` and `stop`.

    Every action of the child is stored when its method returns and reaches the backend as soon as possible, also after
    a kill -9. `wait_for` waits for an event (each is returned once), `wait_until` for a condition.
    """

    def __init__(  # noqa: PLR0913 - one parameter a circumstance; all but three have defaults
        self,
        folder: Path,
        host: str,
        port: int,
        tls_ca_file: str | None = None,
        *,
        serial: str | None = None,
        secret: str | None = None,
        clock: Callable[[], float] = time.time,
        random_source: random.Random | None = None,
        timings: Timings | None = None,
        traits: WatchTraits | None = None,
        line: Line | None = None,
        right_clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = WatchStore(folder)
        try:
            self._identity = _read_identity(self._store, serial, secret)
        except BaseException:
            self._store.close()
            raise
        self._body = WatchBody(
            store=self._store,
            clock=clock,
            random_source=random_source or random.SystemRandom(),
            timings=timings or Timings(),
            traits=traits or WatchTraits(),
            line=line or Line(),
            right_now=right_clock,
        )
        self._network = WatchNetwork(self._body, self._identity, Address(host, port, tls_ca_file))
        self._mailbox = Mailbox(self._body, self._network)
        self.voice = Voice(self._body, self._network, self._mailbox)
        self.alerts = Alerts(self._body, self._network)
        self.places = Places(self._body, self._network)
        self.usage = Usage(self._body, self._network)
        self.clock = WallClock(self._body)
        self.life = Life(self._body, self._network, self.alerts, self.places)
        self._body.line.on_reboot = self._reboot

    # ---------------------------------------------------------------- on and off

    async def start(self) -> None:
        """Switch on: count a boot and continue from the memory."""
        self._body.begin()
        self._network.start()

    async def stop(self) -> None:
        """Switch off in order and release the folder; repeating the call does nothing."""
        self._body.calls.end()
        await self.life.end()
        await self.usage.end_reporting()
        await self._network.stop()
        self._store.close()

    async def switch_off(self) -> None:
        """Be switched off by hand: announce it if there is a connection, then stop."""
        with contextlib.suppress(ConnectionLostError):
            await self._network.say_off()
        await self.stop()

    async def lose_power(self) -> None:
        """End without DISCONNECT and without a word, as a battery does that is taken out."""
        await self.go_offline()
        await self.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def restate(self, change: Callable[[WatchTraits], WatchTraits]) -> None:
        """Have other capabilities from now on; a watch that is connected reconnects, because hello states them."""
        self._body.traits = change(self._body.traits)
        self._network.drop_connection()

    def _reboot(self) -> None:
        """Restart at once, in the middle of anything, as a watch does whose watchdog fires; the memory stays."""
        self._body.restart()
        self._network.drop_connection()

    async def go_offline(self) -> None:
        """Lose the network without DISCONNECT; the broker sends the will when it notices."""
        await self._network.lose_network()

    async def go_online(self) -> None:
        """Find the network again, wake up, and connect at once."""
        self._network.find_network()

    async def sleep(self, minutes: float) -> None:
        """Announce `asleep` and disconnect; connects again when the time is over, or at `go_online`."""
        await self._network.sleep(minutes * 60)

    # ---------------------------------------------------------------- pairing

    async def pair(self, *, timeout_s: float = _WAIT_S) -> ShownCode:
        """Request a code and return it; the credentials come later as event `paired`.

        Raises PairingRefusedError; AlreadyPairedError when credentials were waiting instead; TimeoutError without an
        answer. Meanwhile the watch keeps asking (also after a restart) until `cancel_pairing`, unless it was
        refused for good.
        """
        events = self._body.events
        mark = events.count
        outcomes = (EventKind.CODE_SHOWN, EventKind.PAIRING_REFUSED, EventKind.PAIRED)
        self._store.set_pairing_asked(asked=True)
        self._network.ask_code()
        await self.wait_until(lambda: events.last(*outcomes, after=mark) is not None, timeout_s=timeout_s)
        event = events.last(*outcomes, after=mark)
        if event is None or event.kind is EventKind.PAIRED:
            raise AlreadyPairedError
        if event.kind is EventKind.PAIRING_REFUSED:
            raise PairingRefusedError(event["error"], event["retry_after_s"])
        return ShownCode(event["code"], event["qr"], event["expires_tst"])

    def cancel_pairing(self) -> None:
        """Request no more codes. If a shown code is used all the same, the next `pair` finds the credentials."""
        self._store.set_pairing_asked(asked=False)
        self._network.look_again()

    def forget_credentials(self) -> None:
        """Lose the credentials, as worn memory would; everything else stays until another pairing."""
        self._store.lose_credentials()
        self._network.look_again()

    def wipe_by_mistake(self) -> None:
        """Erase the family's data as broken firmware does; for tests that must notice it."""
        self._store.wipe(pairing_asked=True)
        self._network.look_again()

    # ---------------------------------------------------------------- what the child does

    def write(self, to: str, text: str) -> Outgoing:
        """Write a text to a contact (id or name) or to `family`; it is kept until its receipt."""
        return self._mailbox.write(to, text)

    def emoji(self, to: str, word: str) -> Outgoing:
        """Send one of the emoji of the protocol; it is kept until its receipt."""
        return self._mailbox.emoji(to, word)

    def read(self, ref: str) -> Incoming:
        """Read an item of the inbox; the first time, its sender gets `played`. KeyError for an unknown item."""
        return self._mailbox.read(ref)

    # ---------------------------------------------------------------- what can be seen

    @property
    def serial(self) -> str:
        """The serial on the label."""
        return self._identity.serial

    @property
    def username(self) -> str | None:
        """User name of the stored pairing."""
        return self._store.username()

    @property
    def child_name(self) -> str | None:
        """The child's name that came with the credentials."""
        return self._store.child_name()

    @property
    def is_paired(self) -> bool:
        """Whether it has credentials; the first hello confirms them."""
        return self._store.credentials() is not None

    @property
    def is_online(self) -> bool:
        """Whether the hello of the present connection was answered."""
        return self._network.is_online

    @property
    def is_locked(self) -> bool:
        """Whether the screen is locked because the watch was reported as lost."""
        return self._mailbox.is_locked

    @property
    def contacts_version(self) -> int:
        """Stored version of the contacts; 0: none."""
        return self._store.contacts_version()

    @property
    def config_version(self) -> int:
        """Stored version of the settings; 0: none."""
        return self._store.config_version()

    @property
    def has_room(self) -> bool:
        """Whether the watch has room for new items; without room it answers `later`."""
        return self._body.has_room

    @has_room.setter
    def has_room(self, value: bool) -> None:
        self._body.has_room = value

    def contacts(self) -> list[Contact]:
        """Return the contacts, in the family's order."""
        return self._store.contacts()

    def config(self) -> Config | None:
        """Return the settings; None before the first."""
        return self._store.config()

    def inbox(self) -> list[Incoming]:
        """Return the items that the child can see, in the server's order."""
        return self._store.items.visible()

    def sent(self) -> list[Outgoing]:
        """Return everything the child sent since the pairing, oldest first."""
        return self._store.outgoing.all()

    def sent_states(self, message: Outgoing | None = None) -> list[SentState]:
        """Return the states of one message, or of all, at each recipient."""
        if message is None:
            return self._store.outgoing.sent_states()
        return self._store.outgoing.sent_states(self._store.outgoing.get(message.number).wire_id)

    def owed_receipts(self) -> list[OwedReceipt]:
        """Return the receipts that the backend has not answered."""
        return self._store.items.owed_receipts()

    # ---------------------------------------------------------------- waiting

    async def wait_for(self, kind: str, *, timeout_s: float = _WAIT_S, **fields: Any) -> WatchEvent:  # noqa: ANN401
        """Return the oldest event of a kind with these fields that was not returned so far; raises TimeoutError."""
        return await self._body.events.wait_for(kind, timeout_s, **fields)

    async def wait_until(self, condition: Callable[[], bool], *, timeout_s: float = _WAIT_S) -> None:
        """Return once the condition holds; it is checked after every event. Raises TimeoutError."""
        await self._body.events.wait_until(condition, timeout_s)

    async def wait_online(self, *, timeout_s: float = _WAIT_S) -> None:
        """Return once the watch is online."""
        await self.wait_until(lambda: self.is_online, timeout_s=timeout_s)

    async def wait_stored(self, message: Outgoing, *, timeout_s: float = _WAIT_S) -> Outgoing:
        """Return the message once its receipt says stored; raises NotSentError when it was rejected."""
        final = {OutgoingState.STORED, OutgoingState.REJECTED}
        await self.wait_until(lambda: self._store.outgoing.get(message.number).state in final, timeout_s=timeout_s)
        now = self._store.outgoing.get(message.number)
        if now.state is OutgoingState.REJECTED:
            raise NotSentError(now.detail or "")
        return now

    async def wait_settled(self, *, timeout_s: float = _WAIT_S) -> None:
        """Return once every uplink and every receipt of the watch is answered."""
        await self.wait_until(
            lambda: not self._store.outgoing.pending() and not self._store.items.owed_receipts(), timeout_s=timeout_s
        )

    def follow(self) -> AsyncGenerator[WatchEvent, None]:
        """Yield every event from now on; `wait_for` still returns them."""
        return self._body.events.follow()

    def on_event(self, tell: Callable[[WatchEvent], None]) -> None:
        """Call `tell` with every event from now on, before `start` included."""
        self._body.events.listeners.append(tell)

    async def publish_raw(self, level: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish arbitrary bytes below the own prefix, for tests of bad input; raises ConnectionLostError offline."""
        await self._network.publish_raw(level, payload, retain=retain)


def _read_identity(store: WatchStore, serial: str | None, secret: str | None) -> FactoryIdentity:
    if serial is not None:
        factory_user(serial)
        if secret is not None:
            store.set_factory_identity(FactoryIdentity(serial, secret))
    identity = store.factory_identity()
    if identity is None:
        raise WatchFolderError("a fresh watch needs its serial and its secret")
    if serial is not None and identity.serial != serial:
        raise WatchFolderError("this folder is the memory of another watch")
    return identity
