"""Commands to the watch: each is carried out once, and none after it expired."""

from __future__ import annotations

from typing import Final

from services.device_sim.watch.answers import Answers
from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.mqtt_connection import ConnectionLostError
from services.protocol import codec
from services.protocol.downlink import Command
from services.protocol.location import Location
from services.protocol.topics import UplinkKind
from services.protocol.uplink import Ack
from services.protocol.words import AckState, CommandKind, Detail

# A command that ends the connection is carried out after its answer was published.
_ENDING: Final = frozenset({CommandKind.RESTART, CommandKind.WIPE})


class CommandRunner:
    """Carries out commands. A repeated command gets the same answer again, on every connection."""

    def __init__(self, body: WatchBody, answers: Answers) -> None:
        self._body = body
        self._answers = answers
        self._ending: CommandKind | None = None

    def take(self, said: Command) -> None:
        """Carry out a command and answer it; an unknown one fails as unsupported, a late one has expired."""
        answered = self._body.answered_commands.get(said.id)
        if answered is None:
            answered = self._done(said)
            self._body.answered_commands[said.id] = answered
            self._body.events.emit(
                EventKind.COMMAND_ANSWERED, ref=said.id, command_kind=str(said.kind), by=said.by,
                state=str(answered.state), detail=None if answered.detail is None else str(answered.detail),
            )  # fmt: skip
        self._answers.say(UplinkKind.ACK, answered)

    def end_if_asked(self) -> None:
        """Restart, or erase the family's data, after the answer was published; raises ConnectionLostError."""
        ending, self._ending = self._ending, None
        if ending is CommandKind.RESTART:
            self._body.restart()
            raise ConnectionLostError("restart")
        if ending is CommandKind.WIPE:
            username = self._body.store.username()
            self._body.store.wipe()
            self._body.calls.end()
            self._body.events.emit(EventKind.WIPED, username=username)
            raise ConnectionLostError("wiped")

    def _done(self, said: Command) -> Ack:
        now = self._body.server_now()
        if said.expires_tst and now is not None and said.expires_tst < now:
            return self._ack(said, AckState.EXPIRED)
        match said.kind:
            case CommandKind.LOCATE:
                return self._locate(said)
            case CommandKind.RING:
                self._body.events.emit(EventKind.RANG, by=said.by)
            case CommandKind.LOST:
                self._body.store.set_locked(locked=True)
                self._body.events.emit(EventKind.LOCKED, by=said.by)
            case CommandKind.FOUND:
                self._body.store.set_locked(locked=False)
                self._body.events.emit(EventKind.UNLOCKED, by=said.by)
            case CommandKind.RESTART | CommandKind.WIPE:
                self._ending = CommandKind(said.kind)
            case _:
                return self._ack(said, AckState.FAILED, Detail.UNSUPPORTED)
        return self._ack(said, AckState.DONE)

    def _locate(self, said: Command) -> Ack:
        """Answer with the current fix if location is on; the fix is stored until its receipt."""
        config, fix = self._body.store.config(), self._body.fix
        if config is None or not config.location:
            return self._ack(said, AckState.FAILED, Detail.LOCATION_OFF)
        if fix is None:
            return self._ack(said, AckState.FAILED, Detail.NO_FIX)
        wire_id = self._body.new_id()
        dated = self._body.dated()
        location = Location(
            id=wire_id, reply_to=said.id, lat=fix.lat, lon=fix.lon, acc=fix.acc, source=fix.source, **dated
        )
        kept = self._body.store.outgoing.keep(wire_id, UplinkKind.LOCATION.value, codec.encode(location))
        self._answers.plan(kept.number, 0.0)
        return self._ack(said, AckState.DONE)

    def _ack(self, said: Command, state: AckState, detail: Detail | None = None) -> Ack:
        return Ack(ref=said.id, state=state, detail=detail, **self._body.dated())
