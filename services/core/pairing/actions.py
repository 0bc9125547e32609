"""Pair a watch with a child, confirm the pairing, and end it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col, select

from services.core.conversation.messages.actions import queue_again, release_queued
from services.core.devices.watches.queries import (
    STATES_THAT_MAY_LOG_IN,
    current_identity,
    identity_of_watch,
    standing_identity,
)
from services.core.devices.watches.tables import Watch, WatchIdentity, WatchPresence
from services.core.pairing.codes import current_code, used_code
from services.core.pairing.errors import (
    ChildHasWatchError,
    NotPairedError,
    PairingCodeUnknownError,
    PairingTriesError,
)
from services.core.pairing.rules import (
    TRIES_PER_GUARDIAN,
    TRIES_WINDOW,
    UNCONFIRMED_LIVES,
    Situation,
    UnpairReason,
    Verdict,
    judge,
)
from services.core.pairing.tables import Pairing, PairingAttempt
from services.core.pairing.wipes import order_wipe
from services.core.people.accounts.tables import Guardian
from services.core.people.households.tables import Child, Enrolment
from services.core.platform.audit.actions import SYSTEM, Actor, guardian_actor, record_audit
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.core.platform.crypto.random_ids import new_ref, new_secret
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import record_fact
from services.core.platform.inbox import actions as inbox
from services.core.platform.outbox.actions import notify_factories, notify_factory

# The channel that notifies the broker process of changed users.
BROKER_CHANNEL = "broker_users"


async def pair_watch(work: UnitOfWork, guardian_id: uuid.UUID, child_id: uuid.UUID, code: str) -> Pairing:
    """Bind the watch that shows ``code`` to the child and issue its new identity.

    The caller has checked that the guardian may manage this child. A repeat of a code that worked returns the same
    pairing. Raises PairingCodeUnknownError (which counts as a try), PairingTriesError after 5 in a quarter of an hour,
    ChildHasWatchError.
    """
    child = await work.session.get_one(Child, child_id)
    await _refuse_guessing(work, guardian_id, child)
    entered = await current_code(work, code)
    if entered is None:
        return await _repeated(work, guardian_id, child, code)
    watch = (
        await work.session.exec(
            select(Watch).where(col(Watch.watch_id) == entered.watch_id).with_for_update(key_share=True)
        )
    ).one()
    worn = await identity_of_watch(work, watch.watch_id)
    verdict = judge(
        Situation(
            watch_may_log_in=watch.state in STATES_THAT_MAY_LOG_IN,
            watch_site_id=watch.site_id,
            handed_out_to=watch.handed_out_to,
            worn_by_child=worn.child_id if worn else None,
            family_id=child.family_id,
            family_site_id=await _site_of_family(work, child.family_id),
            child_id=child_id,
            child_wears_a_watch=await current_identity(work, child_id) is not None,
        )
    )
    if verdict is Verdict.CHILD_HAS_WATCH:
        raise ChildHasWatchError
    if verdict is Verdict.UNKNOWN_AND_NOTIFY and worn is not None:
        await record_event(work, worn.family_id, "pairing.attempt", child_id=worn.child_id)
        record_audit(work, SYSTEM, "pairing_attempt_by_others", family_id=worn.family_id, subject_id=worn.child_id)
    if verdict in {Verdict.UNKNOWN, Verdict.UNKNOWN_AND_NOTIFY}:
        raise _refused(work, guardian_id, child)
    if worn is not None:
        await end_pairing(work, guardian_actor(guardian_id), worn, UnpairReason.REPLACED)
        # The unique indexes allow one standing identity per watch: end the old one before the new one is inserted.
        await work.flush()
    pairing = await _issue(work, guardian_id, child, watch)
    entered.ended_at = work.now
    entered.pairing_id = pairing.pairing_id
    work.add(entered)
    return pairing


async def _refuse_guessing(work: UnitOfWork, guardian_id: uuid.UUID, child: Child) -> None:
    # The lock of the guardian's row serialises parallel guesses, so that each is counted.
    await work.session.exec(
        select(Guardian).where(col(Guardian.guardian_id) == guardian_id).with_for_update(key_share=True)
    )
    recent = (
        await work.session.exec(
            select(PairingAttempt.at)
            .where(col(PairingAttempt.guardian_id) == guardian_id, col(PairingAttempt.at) > work.now - TRIES_WINDOW)
            .order_by(col(PairingAttempt.at).desc())
        )
    ).all()
    if len(recent) >= TRIES_PER_GUARDIAN:
        record_audit(
            work, guardian_actor(guardian_id), "pair", family_id=child.family_id, subject_id=child.child_id,
            refused=PairingTriesError.code,
        )  # fmt: skip
        work.keep_refusal()
        until = recent[TRIES_PER_GUARDIAN - 1] + TRIES_WINDOW
        raise PairingTriesError(max(1, int((until - work.now) / timedelta(seconds=1))))


def _refused(work: UnitOfWork, guardian_id: uuid.UUID, child: Child) -> PairingCodeUnknownError:
    work.add(PairingAttempt(guardian_id=guardian_id, at=work.now))
    record_audit(
        work, guardian_actor(guardian_id), "pair", family_id=child.family_id, subject_id=child.child_id,
        refused=PairingCodeUnknownError.code,
    )  # fmt: skip
    work.keep_refusal()
    return PairingCodeUnknownError()


async def _repeated(work: UnitOfWork, guardian_id: uuid.UUID, child: Child, code: str) -> Pairing:
    """Return the pairing that the same guardian made with the same code (the answer was lost), else raise."""
    used = await used_code(work, code)
    if used is not None:
        pairing = await work.session.get(Pairing, used.pairing_id)
        if (
            pairing is not None
            and pairing.ended_at is None
            and pairing.guardian_id == guardian_id
            and pairing.child_id == child.child_id
        ):
            return pairing
    raise _refused(work, guardian_id, child)


async def _site_of_family(work: UnitOfWork, family_id: uuid.UUID) -> uuid.UUID | None:
    result = await work.session.exec(
        select(Enrolment.site_id).where(col(Enrolment.family_id) == family_id, col(Enrolment.ended_at).is_(None))
    )
    return result.first()


async def _issue(work: UnitOfWork, guardian_id: uuid.UUID, child: Child, watch: Watch) -> Pairing:
    username, password = f"w-{new_ref()}", new_secret()
    work.add(
        WatchIdentity(
            username=username, watch_id=watch.watch_id, child_id=child.child_id, family_id=child.family_id,
            password_hash=mosquitto_hash(password), issued_at=work.now,
            presence=WatchPresence(username=username, on_its_way_since_at=work.now),
        )
    )  # fmt: skip
    pairing = Pairing(
        watch_id=watch.watch_id, child_id=child.child_id, family_id=child.family_id, guardian_id=guardian_id,
        username=username, sealed_password=work.vault.seal(password.encode(), f"pairing/{username}"),
        issued_at=work.now,
    )  # fmt: skip
    work.add(pairing)
    watch.state = "handed_out"
    watch.handed_out_to = child.family_id
    work.add(watch)
    await work.flush()
    await release_queued(work, child.child_id)
    work.notify(BROKER_CHANNEL)
    await _notify(work, pairing, "issued")
    record_fact(work, "paired", watch_id=watch.watch_id, child_id=child.child_id, family_id=child.family_id)
    record_audit(work, guardian_actor(guardian_id), "pair", family_id=child.family_id, subject_id=pairing.pairing_id)
    return pairing


async def mark_installed(work: UnitOfWork, usernames: Collection[str]) -> None:
    """Record that the broker lets these users in, and send new ones among them their credentials.

    One statement for all identities and one for all outbox rows: after a restore thousands become valid at once.
    Identities that were installed before, ended ones and unknown names are left as they are.
    """
    installed = await work.run(
        update(WatchIdentity)
        .where(
            col(Watch.watch_id) == col(WatchIdentity.watch_id),
            col(WatchIdentity.username).in_(usernames),
            col(WatchIdentity.installed_at).is_(None),
            col(WatchIdentity.ended_at).is_(None),
        )
        .values(installed_at=work.now)
        .returning(col(Watch.serial))
    )
    await notify_factories(work, sorted(installed.scalars().all()))


async def confirm_pairing(work: UnitOfWork, pairing: Pairing) -> None:
    """Record that the watch has said hello under its new identity; the plain password is forgotten.

    The caller holds the pairing locked.
    """
    pairing.confirmed_at = work.now
    pairing.sealed_password = None
    work.add(pairing)
    await _notify(work, pairing, "confirmed")
    record_audit(
        work, Actor("watch", pairing.username), "confirm_pairing", family_id=pairing.family_id,
        subject_id=pairing.pairing_id,
    )  # fmt: skip


async def unpair_child(work: UnitOfWork, guardian_id: uuid.UUID, child_id: uuid.UUID, reason: UnpairReason) -> None:
    """End the child's pairing: access ends at once, undelivered items wait for the child's next watch.

    ``lost`` also bars the watch from logging in until staff record its return. Raises NotPairedError.
    """
    identity = await current_identity(work, child_id)
    if identity is None:
        raise NotPairedError
    await end_pairing(work, guardian_actor(guardian_id), identity, reason)
    if reason is UnpairReason.LOST:
        watch = await work.session.get_one(Watch, identity.watch_id)
        watch.state = "lost"
        work.add(watch)


async def end_pairing(work: UnitOfWork, actor: Actor, identity: WatchIdentity, reason: UnpairReason) -> None:
    """End a standing identity and its pairing; a repeat changes nothing."""
    locked = await standing_identity(work, identity.username, lock=True)
    if locked is None:
        return
    locked.ended_at = work.now
    locked.online = False
    work.add(locked)
    result = await work.session.exec(
        select(Pairing).where(col(Pairing.username) == locked.username).with_for_update(key_share=True)
    )
    pairing = result.one()
    pairing.ended_at = work.now
    pairing.end_reason = reason.value
    pairing.sealed_password = None
    work.add(pairing)
    order_wipe(work, locked)
    await inbox.begin_again(work, [locked.child_id])
    await queue_again(work, locked.child_id)
    work.notify(BROKER_CHANNEL)
    watch = await work.session.get_one(Watch, locked.watch_id)
    await notify_factory(work, watch.serial)
    await _notify(work, pairing, "ended")
    record_fact(work, "unpaired", watch_id=locked.watch_id, child_id=locked.child_id, family_id=locked.family_id)
    record_audit(work, actor, "unpair", family_id=locked.family_id, subject_id=pairing.pairing_id)


async def revoke_one_unconfirmed(work: UnitOfWork) -> bool:
    """Revoke credentials that no hello confirmed within 24 h; return whether there were any. A repeat is safe."""
    result = await work.session.exec(
        select(WatchIdentity)
        .join(Pairing, col(Pairing.username) == col(WatchIdentity.username))
        .where(
            col(Pairing.confirmed_at).is_(None),
            col(Pairing.ended_at).is_(None),
            col(Pairing.issued_at) <= work.now - UNCONFIRMED_LIVES,
        )
        .limit(1)
        .with_for_update(of=WatchIdentity, key_share=True, skip_locked=True)
    )
    identity = result.first()
    if identity is None:
        return False
    await end_pairing(work, SYSTEM, identity, UnpairReason.UNCONFIRMED)
    return True


async def _notify(work: UnitOfWork, pairing: Pairing, state: str) -> None:
    await record_event(
        work, pairing.family_id, "pairing.changed", child_id=pairing.child_id, ref_id=pairing.pairing_id,
        detail={"state": state},
    )  # fmt: skip
