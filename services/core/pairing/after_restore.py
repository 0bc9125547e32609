"""Announce lists again after a restore: the database does not know what the watches were sent since the backup."""

from __future__ import annotations

from sqlalchemy import delete, text, update
from sqlmodel import col, select

from services.core.devices.presence.rules import OfflineReason
from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.tables import DatabaseMark
from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.actions import notify_watch

# Every restore changes one of these: restoring files needs a restart of the server, restoring a dump creates or refills
# tables, another server has another start time. Crash recovery after the failure of one backend changes none.
_MARK = text(
    "SELECT concat_ws('/', to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'), "
    "(SELECT oid FROM pg_database WHERE datname = current_database()), "
    "pg_relation_filenode('contact_list'), pg_relation_filenode('watch_settings'))"
)


async def resend_lists_after_restore(work: UnitOfWork) -> bool:
    """Announce contacts and settings to every watch if the database may have been restored; return whether it was so.

    A watch that stays connected may hold a higher version than the restored database knows, and the restored
    acknowledgement equals the restored version: no comparison of rows shows the difference. So acknowledgements are
    forgotten. The first call on a restarted server does the same, because a restore of files looks like a restart. The
    caller holds the lock of the sweep; a repeat changes nothing.
    """
    current = str((await work.run(_MARK)).one()[0])
    marks = (await work.session.exec(select(DatabaseMark.mark))).all()
    if current in marks:
        return False
    await work.run(delete(DatabaseMark))
    work.add(DatabaseMark(mark=current))
    if not marks:
        # A new database: nothing was announced from another one.
        return False
    standing = col(WatchIdentity.ended_at).is_(None) & col(WatchIdentity.last_hello_at).is_not(None)
    forgotten = await work.run(
        update(WatchIdentity)
        .where(standing)
        .values(
            contacts_acked_version=0, contacts_sent_version=0, contacts_sent_at=None, config_acked_version=0,
            config_sent_version=0, config_sent_at=None, repeats=0,
        )
        .returning(col(WatchIdentity.username))
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    usernames = sorted(str(row[0]) for row in forgotten.all())
    # The backup knows nothing of present connections: a watch that was disconnected then may be connected now.
    await work.run(
        update(WatchIdentity)
        .where(standing, ~col(WatchIdentity.online), col(WatchIdentity.gone_by) != OfflineReason.OFF.value)
        .values(gone_by=OfflineReason.SILENCE.value)
        .execution_options(synchronize_session=False)
    )
    for username in usernames:
        await notify_watch(work, username)
    return True
