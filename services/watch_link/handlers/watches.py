"""Uplinks about the watch itself: hello, status, acknowledgements of contacts, configuration and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.core.devices.commands.actions import answer_command, hold_commands
from services.core.devices.presence.actions import (
    AcknowledgedList,
    HelloReport,
    record_acknowledged_lists,
    record_status,
)
from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.hellos import receive_hellos
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import hold_families
from services.core.platform.idempotency.actions import Answer
from services.protocol.codec import decode_json
from services.protocol.topics import UplinkKind
from services.protocol.uplink import Ack, Hello, Status
from services.protocol.words import CONFIG, CONTACTS, HELLO, AckState, Presence
from services.watch_link.answers import answer_receipt, no_answer
from services.watch_link.registry import UplinkMessage, handles, handles_batch
from services.watch_link.replies import Reply, receipt


def _refuse_hello(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    return [receipt(message.user, answer_receipt(HELLO, answer))]


@handles_batch(
    UplinkKind.HELLO, lambda _topic, payload: decode_json(payload, Hello), _refuse_hello, is_sign_of_life=False,
    # A will or a status that followed it must not be recorded before it.
    in_order=True,
)  # fmt: skip
async def receive_hello(
    work: UnitOfWork, received: Sequence[tuple[WatchIdentity, UplinkMessage[Hello]]]
) -> list[list[Reply]]:
    """Record ``up/hello``. ``down/time`` and everything that waits are sent through the outbox, in this order."""
    await receive_hellos(work, [(identity, _report(message.content)) for identity, message in received])
    return [[] for _ in received]


def _report(hello: Hello) -> HelloReport:
    return HelloReport(
        nonce=hello.conn,
        tst=hello.tst,
        contacts_version=hello.contacts_version,
        config_version=hello.config_version,
        fields=hello.model_dump(mode="json", exclude={"tst", "conn"}),
    )


@handles(
    UplinkKind.STATUS, lambda _topic, payload: decode_json(payload, Status), no_answer, is_sign_of_life=False
)  # fmt: skip
async def receive_status(work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[Status]) -> list[Reply]:
    """Record ``up/status`` or the will; never answered."""
    status = message.content
    if isinstance(status.state, Presence):
        await record_status(work, identity, status.state.value, nonce=status.conn, until_tst=status.until_tst)
    return []


@handles_batch(
    UplinkKind.ACK, lambda _topic, payload: decode_json(payload, Ack), no_answer,
    # A hello that followed it states the versions anew.
    in_order=True,
)  # fmt: skip
async def receive_acks(
    work: UnitOfWork, received: Sequence[tuple[WatchIdentity, UplinkMessage[Ack]]]
) -> list[list[Reply]]:  # fmt: skip
    """Record ``up/ack`` of contacts, configuration or a command; never answered.

    A lost one of a list is made good by the next hello, a lost one of a command by its expiry.
    """
    acks = [(identity, message.content) for identity, message in received]
    lists = [
        AcknowledgedList(identity, ack.ref, ack.version)
        for identity, ack in acks
        if ack.ref in {CONTACTS, CONFIG} and ack.state is AckState.DONE and ack.version is not None
    ]
    commands = [(identity, ack) for identity, ack in acks if ack.ref not in {CONTACTS, CONFIG}]
    await hold_commands(work, [(identity.username, ack.ref) for identity, ack in commands])
    await hold_families(work, {identity.family_id for identity, _ in acks})
    await record_acknowledged_lists(work, lists)
    for identity, ack in commands:
        await answer_command(work, identity, ack.ref, str(ack.state), str(ack.detail) if ack.detail else None)
    return [[] for _ in received]
