"""A short restore drill: lose the machine, restore to a time, and go on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from services.core.platform.erasure_ledger import ErasureLedger
from tests.support.backups import System, bring_keys, moment, open_folder, received, restore_into, texts_of
from tests.support.http import Parent, make_family
from tests.support.sounds import encoded

AMR = encoded("amr-nb", 1.0)


async def heard(parent: Parent, message: dict[str, str]) -> int:
    return (await parent.ask("GET", f"{parent.child}/messages/{message['message_id']}/audio")).status_code


async def test_a_lost_machine_is_restored_to_a_time_and_erased_stays_erased() -> None:
    with open_folder() as base:
        await drill(base)


async def drill(base: Path) -> None:
    lost = System(base, "lost")
    await lost.start()
    async with lost.followed(), lost.served() as (client, database):
        stays, leaves = await make_family(client, database), await make_family(client, database)
        await stays.send("before the backup")
        await lost.take("full")
        spoken = await stays.speak(AMR)
        await leaves.send("to be erased")
        await lost.take("incremental")
        await stays.send("after the backup")
        late = await stays.speak(AMR)
        before_erasure = moment()
        await leaves.told("DELETE", leaves.family, params={"confirm": "erase"})
        await stays.send("after the target")
        await received(base / "backup", datetime.now(UTC))
    secrets = (lost.folder / "secrets.json").read_text()
    assert len(ErasureLedger(base / "backup" / "erasures.jsonl").read()) == 1
    lost.destroy()

    bring_keys(secrets, base, "new")
    done = await restore_into(base, "new", before_erasure.isoformat())
    assert (done.erasures, done.lost_recordings) == (1, 0)

    new = System(base, "new")
    await new.start()
    async with new.served() as (client, database):
        stays.client = leaves.client = client
        assert (await client.get("/readyz")).status_code == 200
        # Rows and sound are those of the time, whether the backup, the incremental one or the log brought them.
        assert await texts_of(stays) == [None, "after the backup", None, "before the backup"]
        assert [await heard(stays, message) for message in (spoken, late)] == [200, 200]
        # Erasures after that time are repeated here.
        assert (await leaves.ask("GET", "/v1/me")).status_code == 401
        assert await stays.send("the system goes on")
    # A restored system begins a history of its own; what was received before stays as it is.
    async with new.followed(), new.served() as (client, _):
        await new.take("full")
        await stays_at(client, stays).send("on the new machine")
        await received(base / "backup", datetime.now(UTC))
    new.destroy()
    bring_keys(secrets, base, "newer")
    assert (await restore_into(base, "newer", "latest")).lost_recordings == 0
    newer = System(base, "newer")
    await newer.start()
    async with newer.served() as (client, _):
        assert (await texts_of(stays_at(client, stays)))[:2] == ["on the new machine", "the system goes on"]
    newer.postgres.stop()


def stays_at(client: object, parent: Parent) -> Parent:
    parent.client = client  # type: ignore[assignment]
    return parent
