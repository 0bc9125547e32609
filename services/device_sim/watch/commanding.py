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

    def take(self, command: Command) -> None:
        """Carry out a command and answer it; an unknown one fails as unsupported, a late one has expired."""
        answered = self._body.answered_commands.get(command.id)
        if answered is None:
            answered = self._done(command)
            self._body.answered_commands[command.id] = answered
            self._body.events.emit(
                EventKind.COMMAND_ANSWERED, ref=command.id, command_kind=str(command.kind), by=command.by,
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

    def _done(self, command: Command) -> Ack:
        now = self._body.server_now()
        if command.expires_tst and now is not None and command.expires_tst < now:
            return self._ack(command, AckState.EXPIRED)
        match command.kind:
            case CommandKind.LOCATE:
                return self._locate(command)
            case CommandKind.RING:
                self._body.events.emit(EventKind.RANG, by=command.by)
            case CommandKind.LOST:
                self._body.store.set_locked(locked=True)
                self._body.events.emit(EventKind.LOCKED, by=command.by)
            case CommandKind.FOUND:
                self._body.store.set_locked(locked=False)
                self._body.events.emit(EventKind.UNLOCKED, by=command.by)
            case CommandKind.RESTART | CommandKind.WIPE:
                self._ending = CommandKind(command.kind)
            case _:
                return self._ack(command, AckState.FAILED, Detail.UNSUPPORTED)
        return self._ack(command, AckState.DONE)

    def _locate(self, command: Command) -> Ack:
        """Answer with the current fix if location is on; the fix is stored until its receipt."""
        config, fix = self._body.store.config(), self._body.fix
        if config is None or not config.location:
            return self._ack(command, AckState.FAILED, Detail.LOCATION_OFF)
        if fix is None:
            return self._ack(command, AckState.FAILED, Detail.NO_FIX)
        wire_id = self._body.new_id()
        dated = self._body.dated()
        location = Location(
            id=wire_id, reply_to=command.id, lat=fix.lat, lon=fix.lon, acc=fix.acc, source=fix.source, **dated
        )
        kept = self._body.store.outgoing.keep(wire_id, UplinkKind.LOCATION.value, codec.encode(location))
        self._answers.plan(kept.number, 0.0)
        return self._ack(command, AckState.DONE)

    def _ack(self, command: Command, state: AckState, detail: Detail | None = None) -> Ack:
        return Ack(ref=command.id, state=state, detail=detail, **self._body.dated())
