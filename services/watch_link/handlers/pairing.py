"""Uplinks of a factory identity: ask for a code, ask how it stands. Nothing else is taken from it."""

from __future__ import annotations

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
from services.protocol.topics import DownlinkKind, Identity, UplinkKind, parse_user
from services.protocol.uplink import PairingRequest
from services.protocol.words import PairingAsk, PairingErrorWord
from services.watch_link.registry import Frame, handles
from services.watch_link.replies import Reply, reply


@handles(UplinkKind.PAIRING, who=Identity.FACTORY)
async def take_pairing(frame: Frame) -> list[Reply]:
    """Answer ``up/pairing``: a code to show, or the standing of the watch; errors are answers, too."""
    try:
        asked = decode_json(frame.payload, PairingRequest).ask
    except ProtocolError:
        asked = ""
    answer: PairingAnswer
    if asked == PairingAsk.CODE:
        answer = await _code(frame)
    elif asked == PairingAsk.STATUS:
        async with frame.database.begin() as work:
            watch = await watch_by_serial(work, frame.user.bare)
            standing = None
            if watch is not None:
                await record_wipe_status_request(work, watch, for_code=False)
                standing = await standing_of_watch(work, watch)
            if isinstance(standing, Ended):
                await record_wipe_announced(work, standing.username)
        answer = (
            PairingRefused(error=PairingErrorWord.UNKNOWN_WATCH)
            if standing is None
            else standing_answer(standing, frame.settings)
        )
    else:
        answer = PairingRefused(error=PairingErrorWord.MALFORMED)
    return [reply(frame.user, DownlinkKind.PAIRING, answer)]


async def _code(frame: Frame) -> PairingAnswer:
    try:
        async with frame.database.begin() as work:
            watch = await watch_by_serial(work, frame.user.bare, lock=True)
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
        qr=f"{frame.settings.public_url}/pair#{shown.code}",
        expires_tst=int(shown.expires_at.timestamp()),
    )


def standing_answer(standing: Standing, settings: Settings) -> PairingAnswer:
    """Return how a watch stands as it is told on ``down/pairing``."""
    match standing:
        case Issued():
            user = parse_user(standing.username)
            if user is None:
                message = "an identity was issued under a name that is none"
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
