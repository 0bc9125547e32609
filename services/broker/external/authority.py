"""Answers the questions of a broker: the rules, and one indexed row of Postgres for each question about a watch."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.broker.external import rules
from services.broker.external.kick_passwords import VALID_FOR, kick_nonce
from services.broker.external.questions import Entry, LogIn, Question, Speak, Use
from services.broker.external.rules import KICK_TAG, Role
from services.core.devices.watches.queries import broker_password_hash
from services.core.platform.broker_settings import Network
from services.core.platform.crypto.broker_password import mosquitto_hash_fits
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.limits.actions import use_once
from services.core.platform.settings import Settings

_KICK_MARKS_KEPT: Final = 2 * VALID_FOR


class Answer(StrEnum):
    """The answers; a kick is let in to take a session over, and may do nothing else."""

    ALLOW = "allow"
    ALLOW_KICK = "allow kick"
    DENY = "deny"


@dataclass(frozen=True)
class Backend:
    """The backend's own user, the virtual host that is ours, and the networks that count as inside."""

    username: str
    password: str
    virtual_host: str
    inside: Collection[Network]
    # Whether the broker keeps answers: RabbitMQ then asks twice about each log-in, with the same password.
    asks_twice: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Backend:
        """Return what the settings say."""
        return cls(
            settings.mqtt_backend_username, settings.mqtt_backend_password.get_secret_value(), settings.broker_vhost,
            settings.inside_networks(), settings.broker_cache_s > 0,
        )  # fmt: skip


class Authority:
    """Answers questions; raises what the driver raises while Postgres does not answer."""

    def __init__(self, database: Database, backend: Backend) -> None:
        self._database = database
        self._backend = backend

    async def answer(self, question: Question) -> Answer:
        """Return whether a client may do what the broker asks about."""
        role = rules.role_of(question.username, self._backend.username)
        if role is None:
            return Answer.DENY
        match question:
            case LogIn():
                return await self._log_in(role, question)
            case Entry():
                return _answer(await self._may_enter(role, question))
            case Use():
                # Of the client's own session and the one exchange: nothing that a revoked watch could gain by.
                may = rules.may_use(role, question.username, question.resource, question.name, question.permission)
                return _answer(may)
            case Speak():
                return _answer(await self._may_speak(role, question))

    async def _log_in(self, role: Role, question: LogIn) -> Answer:
        if not rules.is_client_id_of(role, question.username, question.client_id):
            return Answer.DENY
        if role is Role.BACKEND:
            fits = hmac.compare_digest(question.password.encode(), self._backend.password.encode())
            return _answer(fits and self._may_come_from(question))
        async with self._database.begin() as work:
            nonce = kick_nonce(work.vault, question.username, question.password, work.now)
            if nonce is not None:
                is_new = self._may_come_from(question) and await self._use(work, nonce)
                return Answer.ALLOW_KICK if is_new else Answer.DENY
            password_hash = await broker_password_hash(work, question.username)
        return _answer(password_hash is not None and mosquitto_hash_fits(question.password, password_hash))

    async def _use(self, work: UnitOfWork, nonce: str) -> bool:
        uses = (nonce, f"{nonce}/again") if self._backend.asks_twice else (nonce,)
        for use in uses:
            if await use_once(work, "broker-kick", use, _KICK_MARKS_KEPT):
                return True
        return False

    def _may_come_from(self, question: LogIn) -> bool:
        """Return whether a client that has to be inside is, or is going to be asked about with its address."""
        if question.address:
            return rules.is_inside(question.address, self._backend.inside)
        return question.is_followed

    async def _may_enter(self, role: Role, question: Entry) -> bool:
        if question.virtual_host != self._backend.virtual_host:
            return False
        if role is Role.BACKEND or KICK_TAG in question.tags:
            return rules.is_inside(question.address, self._backend.inside)
        return await self._stands(question.username)

    async def _may_speak(self, role: Role, question: Speak) -> bool:
        may = rules.may_publish if question.publishes else rules.may_subscribe
        if not may(role, question.username, question.topic):
            return False
        # A watch whose access was taken away is refused here as well, before it is kicked.
        return role is Role.BACKEND or await self._stands(question.username)

    async def _stands(self, username: str) -> bool:
        async with self._database.begin() as work:
            return await broker_password_hash(work, username) is not None


def _answer(may: bool) -> Answer:  # noqa: FBT001 - the whole of its meaning
    return Answer.ALLOW if may else Answer.DENY
