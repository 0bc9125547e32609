"""The child's messages are kept until their receipt, and repeated as the contract says."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.device_sim.watch.records import WatchRefusedError
from services.device_sim.watch.watch import NotSentError
from tests.integration.device_sim.scripted_backend import PATIENT, Bench


async def test_a_text_is_said_again_until_its_receipt_and_never_changes(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.write("family", "hi")
        texts = [await backend.hears("text", user) for _ in range(3)]
        assert texts[0].fields == texts[1].fields == texts[2].fields
        await backend.says(user, "receipt", ref=texts[0]["id"], code="duplicate")
        await watch.wait_stored(message)


async def test_after_a_reconnect_everything_without_receipt_is_said_at_once_and_in_order(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await watch.go_offline()
        for text in ("one", "two", "three"):
            watch.write("family", text)
        backend.forget()
        await watch.go_online()
        await backend.greets(user)
        assert [(await backend.hears("text", user))["text"] for _ in range(3)] == ["one", "two", "three"]


async def test_nothing_is_said_before_hello_was_answered(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await watch.go_offline()
        watch.write("family", "later")
        await watch.go_online()
        for _ in range(2):
            await backend.hears("hello", user)
        assert backend.count("text") == 0
        await backend.says(user, "time", tst=backend.server_tst)
        await backend.stores(user, "later")


async def test_a_retry_is_waited_for_also_over_a_reconnect(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        slow = watch.write("family", "slow")
        heard = await backend.hears("text", user)
        await backend.says(user, "receipt", ref=heard["id"], code="retry", retry_after_s=3600)
        await watch.wait_for("postponed", retry_after_s=3600)
        await watch.go_offline()
        await watch.go_online()
        await backend.greets(user)
        quick = watch.write("family", "quick")
        await backend.stores(user, "quick")
        await watch.wait_stored(quick)
        assert watch.sent()[0].number == slow.number
        assert watch.sent()[0].state == "sent"
    assert backend.count("text", text="slow") == 1


async def test_a_retry_is_said_again_when_its_time_has_come(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.write("family", "hi")
        heard = await backend.hears("text", user)
        await backend.says(user, "receipt", ref=heard["id"], code="retry", retry_after_s=0)
        again = await backend.stores(user, "hi")
        assert again["id"] == heard["id"]
        await watch.wait_stored(message)


async def test_an_id_conflict_sends_the_same_words_under_a_fresh_id(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.emoji("family", "heart")
        first = await backend.hears("text", user)
        await backend.says(user, "receipt", ref=first["id"], code="rejected", detail="id_conflict")
        second = await backend.hears("text", user)
        assert second["id"] != first["id"]
        assert {**second.fields, "id": ""} == {**first.fields, "id": ""}
        await backend.says(user, "receipt", ref=second["id"], code="stored")
        assert (await watch.wait_stored(message)).wire_id == second["id"]


async def test_a_rejected_text_is_shown_as_not_sent_and_never_said_again(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path, timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.write("family", "hi")
        heard = await backend.hears("text", user)
        await backend.says(user, "receipt", ref=heard["id"], code="rejected", detail="recipient_removed")
        with pytest.raises(NotSentError, match="recipient_removed"):
            await watch.wait_stored(message)
        await watch.go_offline()
        await watch.go_online()
        await backend.greets(user)
        after = watch.write("family", "after")
        await backend.stores(user, "after")
        await watch.wait_stored(after)
    assert backend.count("text", text="hi") == 1


async def test_receipts_of_unknown_codes_and_for_unknown_things_change_nothing(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.write("family", "hi")
        heard = await backend.hears("text", user)
        await backend.says(user, "receipt", ref=heard["id"], code="pondering")
        await backend.says(user, "receipt", ref="never-existed-1", code="stored")
        await backend.says(user, "receipt", ref=None, topic="sw/v1/x/up/text", code="rejected", detail="malformed")
        await watch.wait_for("frame_refused")
        await backend.says_raw(user, "receipt", b"[]")
        await watch.wait_for("frame_ignored")
        await backend.stores(user, "hi")  # so it is said again
        await watch.wait_stored(message)


async def test_one_receipt_for_many_settles_each(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        messages = [watch.write("family", text) for text in ("one", "two", "three")]
        ids = [(await backend.hears("text", user, text=text))["id"] for text in ("one", "two", "three")]
        rejected = [{"ref": ids[2], "detail": "consent_missing"}]
        await backend.says(user, "receipt", refs=ids[:2], code="stored", rejected=rejected)
        await watch.wait_stored(messages[0])
        await watch.wait_stored(messages[1])
        with pytest.raises(NotSentError, match="consent_missing"):
            await watch.wait_stored(messages[2])


async def test_the_child_sees_what_became_of_its_message_and_the_backend_hears_seen(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        message = watch.write("family", "hi")
        heard = await backend.stores(user, "hi")
        for by, state in (("g-1", "delivered"), ("g-1", "played"), ("g-2", "delivered")):
            await backend.says(user, "state", ref=heard["id"], by=by, state=state)
        await backend.hears("receipt", user, ref=heard["id"], state="seen", of="delivered")
        # not answered: it is said again
        await backend.answers(user, heard["id"], "seen", of="delivered")
        await backend.answers(user, heard["id"], "seen", of="played")
        await watch.wait_settled()
        became = {(state.by, state.state) for state in watch.sent_states(message)}
        assert became == {("g-1", "played"), ("g-2", "delivered")}
        # told again although it was settled: answered again
        await backend.says(user, "state", ref=heard["id"], by="g-1", state="played")
        await backend.answers(user, heard["id"], "seen", of="played")


async def test_the_watch_refuses_what_no_backend_would_take(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        with pytest.raises(WatchRefusedError):
            watch.write("family", "not paired yet")
        user = await backend.pairs(watch, bench.watch_port)
        await backend.says(user, "contacts", version=1, contacts=[{"id": f"g-{n}", "name": "Aunt"} for n in (1, 2)])
        await watch.wait_for("contacts_taken")
        for to, text in (
            ("family", "x" * 501),
            ("family", ""),
            ("family", "a\x00b"),
            ("family", "\ud800"),
            ("Aunt", "x"),
            ("g-3", "x"),
        ):
            with pytest.raises(WatchRefusedError):
                watch.write(to, text)
        with pytest.raises(WatchRefusedError):
            watch.emoji("family", "jetpack")
        watch.write("g-2", "🚀 \u202e 妈妈" * 10)
        heard = await backend.hears("text", user, to="g-2")
        assert heard["text"] == "🚀 \u202e 妈妈" * 10
    assert backend.count("text") >= 1
