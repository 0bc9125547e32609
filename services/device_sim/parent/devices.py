"""A parent's phones: the second step on a new one, the PIN, sessions, and approval of other guardians' phones."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic.dataclasses import dataclass

from services.device_sim.parent.http import ParentHttp
from services.device_sim.parent.records import CodeSent, SessionShown, WaitingLogIn
from services.device_sim.parent.sms_file import sms_position, wait_for_sms_code


@dataclass(frozen=True)
class _Needed:
    needed: bool


@dataclass(frozen=True)
class _PinState:
    is_set: bool


@dataclass(frozen=True)
class _Sessions:
    sessions: list[SessionShown]


@dataclass(frozen=True)
class _LogIns:
    log_ins: list[WaitingLogIn]


@dataclass(frozen=True)
class _Block:
    blocked_until_at: datetime | None


class ParentDevices:
    """Phones and sessions: `parent.devices`. Every method raises ProblemError or ServerAwayError."""

    def __init__(self, http: ParentHttp) -> None:
        self._http = http

    async def is_second_step_needed(self) -> bool:
        """Return whether this session is limited until its second step or another guardian's approval."""
        return (await self._http.ask_for(_Needed, "GET", "/v1/auth/second-step")).needed

    async def prove_by_pin(self, pin: str) -> None:
        """Pass the second step with the own PIN."""
        await self._http.ask("POST", "/v1/auth/second-step", body={"pin": pin})

    async def prove_by_watch(self, watch_code: str) -> None:
        """Pass the second step with the code that the child's paired watch shows."""
        await self._http.ask("POST", "/v1/auth/second-step", body={"watch_code": watch_code})

    async def has_pin(self) -> bool:
        """Return whether a PIN is set."""
        return (await self._http.ask_for(_PinState, "GET", "/v1/me/pin")).is_set

    async def set_pin(self, pin: str) -> None:
        """Set or change the PIN."""
        await self._http.ask("PUT", "/v1/me/pin", body={"pin": pin})

    async def step_up_by_pin(self, pin: str) -> None:
        """Confirm with the PIN what cannot be undone; it counts for five minutes."""
        await self._http.ask("POST", "/v1/me/step-up", body={"pin": pin})

    async def request_step_up_code(self) -> CodeSent:
        """Request a code for a step-up, where no PIN is set."""
        return await self._http.ask_for(CodeSent, "POST", "/v1/me/step-up/codes")

    async def step_up_by_code(self, sent: CodeSent, code: str) -> None:
        """Confirm with the code that came, where no PIN is set."""
        body = {"challenge_id": sent.challenge_id, "challenge_secret": sent.challenge_secret, "code": code}
        await self._http.ask("POST", "/v1/me/step-up", body=body)

    async def step_up_by_sms_file(self, phone: str, sms_file: Path, *, timeout_s: float = 30.0) -> None:
        """Request a code, read it from the development provider's file, and confirm with it."""
        position = sms_position(sms_file)
        sent = await self.request_step_up_code()
        code = await wait_for_sms_code(sms_file, phone, position=position, timeout_s=timeout_s)
        await self.step_up_by_code(sent, code)

    async def sessions(self) -> list[SessionShown]:
        """Return this parent's sessions, newest first."""
        return (await self._http.ask_for(_Sessions, "GET", "/v1/me/sessions")).sessions

    async def end_session(self, session_id: str) -> None:
        """End one session."""
        await self._http.ask("DELETE", f"/v1/me/sessions/{session_id}")

    async def log_ins(self) -> list[WaitingLogIn]:
        """Return the log-ins of other guardians that wait for approval, oldest first."""
        return (await self._http.ask_for(_LogIns, "GET", "/v1/me/log-ins")).log_ins

    async def approve_log_in(self, log_in_id: str) -> None:
        """Approve a log-in as the other guardian's own."""
        await self._http.ask("POST", f"/v1/me/log-ins/{log_in_id}/approve")

    async def refuse_log_in(self, log_in_id: str) -> None:
        """Refuse a log-in as a stranger's: its session ends at once."""
        await self._http.ask("POST", f"/v1/me/log-ins/{log_in_id}/refuse")

    async def block_new_phones(self) -> datetime | None:
        """Keep new phones from logging in with the own number; return until when."""
        return (await self._http.ask_for(_Block, "POST", "/v1/me/new-phones/block")).blocked_until_at

    async def unblock_new_phones(self) -> None:
        """Let new phones log in again."""
        await self._http.ask("POST", "/v1/me/new-phones/unblock")

    async def new_phones_blocked_until(self) -> datetime | None:
        """Return until when new phones are kept out, or None."""
        return (await self._http.ask_for(_Block, "GET", "/v1/me/new-phones")).blocked_until_at
