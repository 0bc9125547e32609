"""Nothing personal reaches a log: canaries go through every door, good and bad, and are then looked for.

Other tests share this installation and look for their own words in its rows, so these words are this test's alone.
"""

from __future__ import annotations

import contextlib

from services.device_sim.parent.types import ProblemError
from tests.e2e.conftest import Play


async def test_no_name_number_text_code_or_token_is_in_any_log(play: Play) -> None:
    home = await play.home()
    child_id = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        shown = await watch.pair()
        await parent.family.rename("LinnetMama")
        with contextlib.suppress(ProblemError):
            await parent.family.pair(child_id, "135790")
        await parent.family.pair(child_id, shown.code)
        paired = await watch.wait_for("paired")
        await watch.wait_for("online", username=paired["username"])
        await parent.write(child_id, "linnet down")
        await watch.wait_for("received", text="linnet down")
        await watch.wait_stored(watch.write("family", "linnet up"))
        contact = await parent.family.add_contact(child_id, "LinnetAunt", "aunt", "+8613900135791")
        for bad_name in ("Linnet\x00Null", "LinnetLong" * 9):
            with contextlib.suppress(ProblemError):
                await parent.family.change_contact(child_id, contact.contact_id, name=bad_name)
        with contextlib.suppress(ProblemError):
            await parent.write(child_id, "linnet too long " * 60)
        await parent.family.unpair(child_id)
        await watch.wait_for("wiped")
    logs = {file.name: file.read_text() for file in (play.installation.instance.folder / "log").glob("*.log")}
    assert set(logs) == {"api.log", "bridge.log", "broker.log", "worker.log"}
    canaries = ["innet", home.phone[1:], "13900135791", home.secret, shown.code, "135790", child_id, "eyJ"]
    leaks = [(name, canary) for name, text in logs.items() for canary in canaries if canary in text]
    assert leaks == []
