"""Uplinks about the watch itself: hello, status, acknowledgements of contacts, configuration and commands."""

from __future__ import annotations

from services.core.devices.commands.actions import answer_command
from services.core.devices.presence.actions import HelloReport, record_acknowledged_version, record_seen, record_status
from services.core.devices.watches.queries import standing_identity
from services.core.pairing.actions import receive_hello
from services.protocol.codec import decode_json
from services.protocol.downlink import Receipt
from services.protocol.topics import Identity, UplinkKind
from services.protocol.uplink import Ack, Hello, Status
from services.protocol.words import CONFIG, CONTACTS, HELLO, AckState, Detail, Presence, ReceiptCode
from services.watch_link.registry import Frame, handles
from services.watch_link.replies import Reply, receipt


@handles(UplinkKind.HELLO, who=Identity.PAIRED)
async def take_hello(frame: Frame) -> list[Reply]:
    """Take ``up/hello``. ``down/time`` and all that waits are told through the outbox, in this order."""
    hello = decode_json(frame.payload, Hello)
    report = HelloReport(
        nonce=hello.conn,
        tst=hello.tst,
        contacts_version=hello.contacts_version,
        config_version=hello.config_version,
        said=hello.model_dump(mode="json", exclude={"tst", "conn"}),
    )
    async with frame.database.begin() as work:
        stands = await receive_hello(work, frame.user.name, report)
    if stands:
        return []
    return [receipt(frame.user, Receipt(ref=HELLO, code=ReceiptCode.REJECTED, detail=Detail.NOT_PAIRED))]


@handles(UplinkKind.STATUS, who=Identity.PAIRED)
async def take_status(frame: Frame) -> list[Reply]:
    """Take ``up/status`` or the will; never answered."""
    status = decode_json(frame.payload, Status)
    if not isinstance(status.state, Presence):
        return []
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is not None:
            await record_status(work, identity, status.state.value, nonce=status.conn, until_tst=status.until_tst)
    return []


@handles(UplinkKind.ACK, who=Identity.PAIRED)
async def take_ack(frame: Frame) -> list[Reply]:
    """Take ``up/ack`` of contacts, config or a command; never answered.

    A lost one of a list heals at the next hello, a lost one of a command at its expiry.
    """
    ack = decode_json(frame.payload, Ack)
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is not None:
            await record_seen(work, identity)
            if ack.ref not in {CONTACTS, CONFIG}:
                await answer_command(work, identity, ack.ref, str(ack.state), str(ack.detail) if ack.detail else None)
            elif ack.state is AckState.DONE and ack.version is not None:
                await record_acknowledged_version(work, identity, ack.ref, ack.version)
    return []
