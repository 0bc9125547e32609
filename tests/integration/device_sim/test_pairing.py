"""Pairing when something goes wrong: lost answers, refused logins, other names, lost credentials."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from services.device_sim.watch.watch import AlreadyPairedError, PairingRefusedError
from tests.integration.device_sim.scripted_backend import FACTORY, QUICK, Bench


async def test_credentials_whose_answer_was_lost_are_asked_for_again(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.shows_code()
        await asking
        await watch.go_offline()
        credentials = await backend.new_credentials(bench.watch_port)
        await backend.says_credentials(credentials)  # nobody hears it

        await watch.go_online()
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says_credentials(credentials)
        await backend.greets(credentials["username"])
        await watch.wait_online()


async def test_a_watch_that_was_off_when_its_code_was_entered_learns_of_it(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.shows_code()
        await asking
    credentials = await backend.new_credentials(bench.watch_port)
    async with bench.watch(tmp_path) as watch:
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says_credentials(credentials)
        hello = await backend.greets(credentials["username"])
        assert hello["boot"] == 2


async def test_asking_for_a_code_when_credentials_wait_pairs_at_once(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.hears("pairing", FACTORY, ask="status")
        credentials = await backend.new_credentials(bench.watch_port)
        await backend.says_credentials(credentials)
        with pytest.raises(AlreadyPairedError):
            await asking


async def test_asked_again_while_a_code_is_shown_the_watch_asks_again(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.shows_code("111111")
        assert (await asking).code == "111111"
        asking = asyncio.create_task(watch.pair())
        await backend.hears("pairing", FACTORY, ask="code")
        await backend.says_code("222222")
        assert (await asking).code == "222222"


@pytest.mark.parametrize(("error", "asks"), [("too_many", 2), ("unavailable", 2), ("unknown_watch", 1), ("retired", 1)])
async def test_a_refused_code_is_told_and_asked_for_again_only_where_time_heals(
    bench: Bench, tmp_path: Path, error: str, asks: int
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says(FACTORY, "pairing", paired=False)
        await backend.hears("pairing", FACTORY, ask="code")
        await backend.says(FACTORY, "pairing", error=error, retry_after_s=0)
        with pytest.raises(PairingRefusedError) as refused:
            await asking
        assert refused.value.error == error
        if asks == 2:
            await backend.shows_code()
            await watch.wait_for("code_shown")
    assert backend.count("pairing", ask="code") == asks


async def test_bytes_that_are_no_answer_do_not_disturb_pairing(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says_raw(FACTORY, "pairing", b"\xff not json")
        await backend.says(FACTORY, "pairing", code="no digits", qr="nowhere", expires_tst=1)
        await backend.says(FACTORY, "time", tst=1)
        await backend.says(FACTORY, "pairing", paired=False)
        await backend.hears("pairing", FACTORY, ask="code")
        await backend.says_code()
        await asking
        for detail in ("malformed", "malformed", "not_ours"):
            await watch.wait_for("frame_ignored", detail=detail)


async def test_a_refused_login_wipes_nothing_asks_status_and_goes_on(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "contacts", version=3, contacts=[{"id": "g-1", "name": "Mama"}])
        await watch.wait_for("contacts_taken")
        await backend.locks_out(user)
        message = watch.write("family", "nothing is lost")

        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says(FACTORY, "pairing", paired=True, username=user)
        await watch.wait_for("still_paired")
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says(FACTORY, "pairing", unpaired=True, username="w-zzzzzzzzzzzz")
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says(FACTORY, "pairing", paired=False)
        assert watch.username == user
        assert watch.contacts_version == 3

        await backend.lets_back_in(user)
        await backend.greets(user)
        await backend.stores(user, "nothing is lost")
        await watch.wait_stored(message)
        assert backend.count("pairing", ask="code") == 1  # the one of the pairing


async def test_unpaired_naming_the_stored_name_wipes(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="for this child only")
        await backend.answers(user, "a1", "delivered")
        watch.write("family", "never sent")
        await backend.locks_out(user)
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says(FACTORY, "pairing", unpaired=True, username=user)
        await watch.wait_for("wiped")
        assert (watch.username, watch.inbox(), watch.sent(), watch.contacts()) == (None, [], [], [])
        # and it can be paired with another family, under another name
        again = await backend.pairs(watch, bench.watch_port)
        assert again != user
        assert watch.inbox() == []


async def test_credentials_of_another_name_are_taken_only_if_a_code_was_asked_for(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.locks_out(user)
        other = await backend.new_credentials(bench.watch_port)
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says_credentials(other, child_name="Lan")
        await backend.hears("pairing", FACTORY, ask="status")
        assert (watch.username, watch.child_name) == (user, "Mei")

        asking = asyncio.create_task(watch.pair())
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says_credentials(other, child_name="Lan")
        with pytest.raises(AlreadyPairedError):
            await asking
        assert (watch.username, watch.child_name) == (other["username"], "Lan")


async def test_a_watch_that_lost_its_credentials_pairs_again_and_shows_nothing_of_before(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "item/a1", seq=1, kind="text", from_="g-1", text="for this child only")
        await backend.answers(user, "a1", "delivered")
        watch.forget_credentials()
        assert not watch.is_paired
        again = await backend.pairs(watch, bench.watch_port)
        assert watch.username == again != user
        assert watch.inbox() == []


async def test_the_same_credentials_told_again_lose_nothing(bench: Bench, tmp_path: Path) -> None:
    """The backend does not hear the hello that confirms (it was down): it tells the credentials again."""
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        asking = asyncio.create_task(watch.pair())
        await backend.shows_code()
        await asking
        credentials = await backend.new_credentials(bench.watch_port)
        await backend.says_credentials(credentials)
        user = credentials["username"]
        await backend.hears("hello", user)
        message = watch.write("family", "before the first answer")
        await backend.locks_out(user)
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.lets_in(user, credentials["password"])
        await backend.says_credentials(credentials)
        await backend.hears("hello", user)
        await backend.says(user, "time", tst=backend.server_tst)
        await backend.stores(user, "before the first answer")
        await watch.wait_stored(message)


@pytest.mark.parametrize("reason", ["used", "ran_out"])
async def test_a_paired_watch_that_showed_a_code_comes_back_by_itself(
    bench: Bench, tmp_path: Path, reason: str
) -> None:
    backend = bench.backend
    timings = replace(QUICK, code_check_s=0.1 if reason == "used" else 60.0)
    async with bench.watch(tmp_path, timings=timings) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        asking = asyncio.create_task(watch.pair())
        await backend.hears("pairing", FACTORY, ask="status")
        await backend.says(FACTORY, "pairing", paired=True, username=user)
        await backend.hears("pairing", FACTORY, ask="code")
        ends_in_s = 600 if reason == "used" else 1
        await backend.says(FACTORY, "pairing", code="482913", qr="https://example.org/pair#482913",
                           expires_tst=backend.server_tst + ends_in_s)  # fmt: skip
        await asking
        if reason == "used":
            await backend.hears("pairing", FACTORY, ask="code")
            await backend.says_code("555555")
        await watch.wait_for("code_gone", reason=reason)
        await backend.greets(user)
        await watch.wait_online()
        assert watch.username == user
