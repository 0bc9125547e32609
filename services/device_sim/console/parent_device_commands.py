"""Commands of the parent's console: log-ins, the PIN, other guardians' new phones."""

from __future__ import annotations

from services.device_sim.console.console import Command, CommandError, number, printable, say, words
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import CodeSent

_HOW = ("pin", "watch")


class DeviceCommands:
    """Sessions and waiting log-ins are named by their numbers in their lists."""

    def __init__(self, parent: SimParent) -> None:
        self._parent = parent
        self._sent: CodeSent | None = None

    def commands(self) -> list[Command]:
        """Return the commands."""
        return [
            Command(
                "second-step",
                "second-step [pin PIN|watch CODE]",
                "pass the second step on a new phone, or show it",
                self._second_step,
            ),
            Command(
                "step-up",
                "step-up [PIN|code CODE]",
                "confirm what cannot be undone: by PIN, or by a code that `step-up` has sent",
                self._step_up,
            ),
            Command("pin", "pin [PIN]", "set the PIN for new phones, or show whether one is set", self._pin),
            Command("sessions", "sessions", "the phones on which you are logged in", self._sessions),
            Command("end", "end N", "end session N", self._end),
            Command("log-ins", "log-ins", "other guardians' new phones that wait for your approval", self._log_ins),
            Command("approve-log-in", "approve-log-in N", "log-in N is the other guardian's own", self._approve_log_in),
            Command("new-phones", "new-phones [block|unblock]", "keep new phones out for a day", self._new_phones),
            Command("refuse-log-in", "refuse-log-in N", "log-in N is a stranger's", self._refuse_log_in),
        ]

    async def say_second_step(self) -> bool:
        """Print whether the second step is left; return it."""
        needed = await self._parent.devices.is_second_step_needed()
        if needed:
            say("a new phone: second-step pin PIN, second-step watch CODE, or ask another guardian to approve it")
        return needed

    async def _second_step(self, rest: str) -> None:
        if rest:
            how, secret = words(rest, 2, "second-step [pin PIN|watch CODE]")
            if how not in _HOW:
                raise CommandError("usage: second-step [pin PIN|watch CODE]")
            await (self._parent.devices.prove_by_pin if how == "pin" else self._parent.devices.prove_by_watch)(secret)
        if not await self.say_second_step():
            say("this phone is proven")

    async def _pin(self, rest: str) -> None:
        if rest:
            await self._parent.devices.set_pin(rest)
        say("a PIN is set" if await self._parent.devices.has_pin() else "no PIN is set: pin PIN")

    async def _step_up(self, rest: str) -> None:
        devices = self._parent.devices
        if not rest:
            self._sent = await devices.request_step_up_code()
            say("a code is on its way; then: step-up code CODE")
            return
        if rest.startswith("code "):
            if self._sent is None:
                raise CommandError("ask for a code first: step-up")
            await devices.step_up_by_code(self._sent, rest.removeprefix("code ").strip())
        else:
            await devices.step_up_by_pin(rest)
        say("confirmed; it counts for 5 minutes")

    async def _sessions(self, _rest: str) -> None:
        for place, session in enumerate(await self._parent.devices.sessions(), 1):
            mark = "→" if session.current else " "
            state = "waits for its second step" if session.limited else "logged in"
            phone = printable(session.label) or "a phone without a name"
            say(f"  {mark} {place}. {phone}, since {session.created_at.astimezone():%Y-%m-%d %H:%M}: {state}")

    async def _end(self, rest: str) -> None:
        sessions = await self._parent.devices.sessions()
        await self._parent.devices.end_session(sessions[number(rest, len(sessions)) - 1].session_id)

    async def _log_ins(self, _rest: str) -> None:
        waiting = await self._parent.devices.log_ins()
        for place, waiter in enumerate(waiting, 1):
            phone = printable(waiter.label) or "a phone without a name"
            who = f"{printable(waiter.display_name)} {waiter.phone or ''}".strip()
            say(f"  {place}. {phone}, {who}, since {waiter.created_at.astimezone():%H:%M}; ask them first")
        if not waiting:
            say("  nobody waits")

    async def _approve_log_in(self, rest: str) -> None:
        await self._parent.devices.approve_log_in(await self._chosen_log_in(rest))

    async def _refuse_log_in(self, rest: str) -> None:
        await self._parent.devices.refuse_log_in(await self._chosen_log_in(rest))

    async def _new_phones(self, rest: str) -> None:
        devices = self._parent.devices
        if rest not in ("", "block", "unblock"):
            raise CommandError("usage: new-phones [block|unblock]")
        if rest == "unblock":
            await devices.unblock_new_phones()
        until = await (devices.block_new_phones() if rest == "block" else devices.new_phones_blocked_until())
        say("new phones can log in" if until is None else f"no new phone logs in until {until.astimezone():%H:%M}")

    async def _chosen_log_in(self, rest: str) -> str:
        waiting = await self._parent.devices.log_ins()
        return waiting[number(rest, len(waiting)) - 1].log_in_id
