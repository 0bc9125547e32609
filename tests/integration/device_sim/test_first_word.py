"""Pairing and the first words, as the protocol page tells them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.integration.device_sim.scripted_backend import FACTORY, PATIENT, Bench


async def test_a_watch_pairs_says_hello_and_talks_both_ways(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path / "watch", timings=PATIENT) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.shows_code("482913")
        shown = await asking
        assert shown.code == "482913"
        assert not watch.is_paired

        credentials = await backend.new_credentials(bench.watch_port)
        await backend.says_credentials(credentials, child_name="Mei")
        user = credentials["username"]
        hello = await backend.greets(user)
        assert hello["tst"] == 0  # it had no clock yet
        assert hello["boot"] == 1
        assert hello["contacts_version"] == 0
        await watch.wait_online()
        assert (watch.child_name, watch.username) == ("Mei", user)

        await backend.says(
            user,
            "contacts",
            version=3,
            part=1,
            parts=1,
            contacts=[{"id": "g-1", "name": "Mama", "relation": "mother", "may_message": True}],
        )
        await backend.hears("ack", user, ref="contacts", version=3, state="done")

        message = watch.write("Mama", "hi")
        heard = await backend.stores(user, "hi")
        assert heard["to"] == "g-1"
        assert abs(heard["tst"] - backend.server_tst) < 60
        assert (await watch.wait_stored(message)).wire_id == heard["id"]

        await backend.says(user, "item/a01b77c3", seq=13, kind="text", from_="g-1", tst=1, text="good morning")
        received = await watch.wait_for("received")
        assert (received["sender"], received["text"]) == ("g-1", "good morning")
        await backend.answers(user, "a01b77c3", "delivered")
        watch.read("a01b77c3")
        await backend.answers(user, "a01b77c3", "played")
        await watch.wait_settled()
    assert backend.count("pairing") == 2
    assert FACTORY not in {heard.user for heard in backend.heard if heard.level != "pairing"}
