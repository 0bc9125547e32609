"""Uplinks of a factory identity: requests for a pairing code and for the standing of the watch, and nothing else."""

from __future__ import annotations

from typing import Any

from services.core.devices.watches.queries import STATES_THAT_MAY_LOG_IN, watch_by_serial
from services.core.pairing.codes import code_for_watch
from services.core.pairing.queries import Ended, Issued, Standing, StillPaired, standing_of_watch
from services.core.pairing.wipes import record_wipe_announced, record_wipe_status_request
from services.core.platform.errors import RetryLaterError
from services.core.platform.settings import Settings
from services.protocol.codec import decode_json
from services.protocol.errors import ProtocolError
from services.protocol.pairing import (
    Credentials,
    NotPaired,
    PairedWithCredentials,
    PairingAnswer,
    PairingCode,
    PairingRefused,
    Unpaired,
)
from services.protocol.pairing import StillPaired as StillPairedAnswer
from services.protocol.topics import DownlinkKind, Uplink, UplinkKind, parse_user
from services.protocol.uplink import PairingRequest
from services.protocol.words import PairingAsk, PairingErrorWord
from services.watch_link.backend import Backend
from services.watch_link.registry import UplinkMessage, handles_factory
from services.watch_link.replies import Reply, reply


def _decode(_topic: Uplink, payload: bytes) -> PairingAsk | str:
    """Return what is asked; a request that cannot be read asks nothing: errors of pairing have answers of their own."""
    try:
        return decode_json(payload, PairingRequest).ask
    except ProtocolError:
        return ""


@handles_factory(UplinkKind.PAIRING, _decode)
async def receive_pairing(backend: Backend, message: UplinkMessage[PairingAsk | str]) -> list[Reply]:
    """Answer ``up/pairing`` with a code to show, the standing of the watch, or an error word."""
    match message.content:
        case PairingAsk.CODE:
            answer = await _code(backend, message)
        case PairingAsk.STATUS:
            answer = await _status(backend, message)
        case _:
            answer = PairingRefused(error=PairingErrorWord.MALFORMED)
    return [reply(message.user, DownlinkKind.PAIRING, answer)]


async def _status(backend: Backend, message: UplinkMessage[Any]) -> PairingAnswer:
    async with backend.begin() as work:
        watch = await watch_by_serial(work, message.user.bare)
        if watch is None:
            return PairingRefused(error=PairingErrorWord.UNKNOWN_WATCH)
        await record_wipe_status_request(work, watch, for_code=False)
        standing = await standing_of_watch(work, watch)
        if isinstance(standing, Ended):
            await record_wipe_announced(work, standing.username)
    return standing_answer(standing, backend.settings)


async def _code(backend: Backend, message: UplinkMessage[Any]) -> PairingAnswer:
    try:
        async with backend.begin() as work:
            watch = await watch_by_serial(work, message.user.bare, lock=True)
            if watch is None:
                return PairingRefused(error=PairingErrorWord.UNKNOWN_WATCH)
            if watch.state not in STATES_THAT_MAY_LOG_IN:
                return PairingRefused(error=PairingErrorWord.RETIRED)
            await record_wipe_status_request(work, watch, for_code=True)
            shown = await code_for_watch(work, watch)
    except RetryLaterError as error:
        return PairingRefused(error=PairingErrorWord.TOO_MANY, retry_after_s=error.retry_after_s)
    return PairingCode(
        code=shown.code,
        qr=f"{backend.settings.public_url}/pair#{shown.code}",
        expires_tst=int(shown.expires_at.timestamp()),
    )


def standing_answer(standing: Standing, settings: Settings) -> PairingAnswer:
    """Return the standing of a watch as ``down/pairing`` carries it."""
    match standing:
        case Issued():
            user = parse_user(standing.username)
            if user is None:
                message = "an identity was issued under an invalid user name"
                raise ValueError(message)
            return PairedWithCredentials(
                child_name=standing.child_name,
                credentials=Credentials(
                    username=user.name,
                    password=standing.password,
                    client_id=user.name,
                    prefix=user.prefix,
                    host=settings.watch_host,
                    port=settings.watch_port,
                ),
            )
        case StillPaired():
            return StillPairedAnswer(username=standing.username)
        case Ended():
            return Unpaired(username=standing.username)
        case _:
            return NotPaired()
