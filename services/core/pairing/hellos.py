"""Receive the hellos of any number of watches with a constant number of statements: after a power cut all say hello."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from services.core.conversation.messages.receipts import resend_states
from services.core.devices.alerts.from_watch import record_battery
from services.core.devices.presence.actions import HelloReport, record_hellos
from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.actions import confirm_pairing
from services.core.pairing.tables import Pairing
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import hold_families
from services.core.platform.inbox import actions as inbox
from services.core.platform.outbox.actions import greet_watches


async def receive_hellos(work: UnitOfWork, hellos: Sequence[tuple[WatchIdentity, HelloReport]]) -> None:
    """Record hellos of standing identities, which the caller holds locked; the first one confirms the pairing.

    Everything that a watch should know is sent to it again. Of two hellos of one watch the last one counts.
    """
    newest = {identity.username: (identity, report) for identity, report in hellos}
    identities = [identity for identity, _ in newest.values()]
    # Lock order: items of the inbox before the families, which events lock.
    await inbox.begin_again(work, [identity.child_id for identity in identities])
    await resend_states(work, list(newest))
    await hold_families(work, {identity.family_id for identity in identities})
    for identity, report in newest.values():
        battery_pct = report.fields.get("battery_pct")
        if isinstance(battery_pct, int):
            await record_battery(work, identity, battery_pct)
    await record_hellos(work, list(newest.values()))
    await greet_watches(work, list(newest))
    result = await work.session.exec(
        select(Pairing)
        .where(col(Pairing.username).in_(newest), col(Pairing.confirmed_at).is_(None))
        .order_by(col(Pairing.username))
        .with_for_update(key_share=True)
    )
    for pairing in result.all():
        await confirm_pairing(work, pairing)
