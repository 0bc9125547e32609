"""Connections: hello until the time comes, wills that name their connection, sleep, brokers that go and come."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from services.broker.certificates import development_certificates
from services.device_sim.watch.mqtt_connection import ConnectionLostError
from tests.integration.device_sim.scripted_backend import PATIENT, Bench


async def test_no_answer_to_hello_is_asked_three_times_more_and_then_the_watch_reconnects(
    bench: Bench, tmp_path: Path
) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await watch.go_offline()
        backend.forget()
        await watch.go_online()
        hellos = [await backend.hears("hello", user) for _ in range(4)]
        assert len({hello["conn"] for hello in hellos}) == 1
        await watch.wait_for("offline", reason="no_time")
        next_hello = await backend.hears("hello", user)
        assert next_hello["conn"] != hellos[0]["conn"]
        await backend.says(user, "time", tst=backend.server_tst)
        await watch.wait_online()


async def test_the_will_names_the_connection_and_a_goodbye_sends_none(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await watch.go_offline()
        first = next(heard for heard in backend.heard if heard.level == "hello")
        await backend.hears("status", user, state="offline", conn=first["conn"])
        await watch.go_online()
        await backend.greets(user)
        await watch.wait_online()
    async with bench.watch(tmp_path):
        await backend.greets(user)
    assert backend.count("status", state="offline") == 1


async def test_a_sleeping_watch_says_so_stays_away_and_comes_back(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await watch.sleep(60)
        asleep = await backend.hears("status", user, state="asleep")
        assert abs(asleep["until_tst"] - backend.server_tst - 3600) < 60
        assert not watch.is_online
        message = watch.write("family", "dreamt of you")
        await watch.go_online()
        await backend.greets(user)
        await backend.stores(user, "dreamt of you")
        await watch.wait_stored(message)
        await watch.sleep(0.001)
        await backend.greets(user)
    assert backend.count("status", state="offline") == 0


async def test_a_broker_that_dies_and_comes_back_is_found_again(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        pid = bench.broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await watch.wait_for("offline", reason="ended")
        await backend.comes_back()
        await backend.greets(user)
        await watch.wait_online()


async def test_a_protocol_refused_is_no_reason_to_give_up(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        await watch.go_offline()
        await watch.go_online()
        await backend.hears("hello", user)
        await backend.says(user, "receipt", ref="hello", code="rejected", detail="protocol", min=2, max=3)
        refused = await watch.wait_for("protocol_refused")
        assert (refused["lowest"], refused["highest"]) == (2, 3)
        await backend.greets(user)
        await watch.wait_online()


async def test_a_retained_publish_costs_the_connection_and_nothing_else(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        with pytest.raises(ConnectionLostError):
            await watch.publish_raw("up/text", b"{}", retain=True)
        await backend.greets(user)
        await watch.wait_online()


async def test_any_bytes_can_be_published_for_tests_of_bad_input(bench: Bench, tmp_path: Path) -> None:
    backend = bench.backend
    async with bench.watch(tmp_path) as watch:
        with pytest.raises(ConnectionLostError):
            await watch.publish_raw("up/text", b"not connected")
        user = await backend.pairs(watch, bench.watch_port)
        await watch.publish_raw("up/hologram", b'{"any":"thing"}')
        assert (await backend.hears("hologram", user))["any"] == "thing"


async def test_only_the_right_authority_is_trusted_clock_or_not(tls_bench: tuple[Bench, Path], tmp_path: Path) -> None:
    bench, ca_file = tls_bench
    backend = bench.backend
    other = development_certificates(tmp_path / "other", "127.0.0.1").ca_file
    async with bench.watch(tmp_path / "watch", tls_ca_file=str(other)) as watch:
        asking = asyncio.create_task(watch.pair())
        await watch.wait_for("offline", reason="certificate_refused")
        asking.cancel()
    async with bench.watch(tmp_path / "watch", tls_ca_file=str(ca_file)) as watch:
        await backend.pairs(watch, bench.watch_port)
    backend.forget()
    async with bench.watch(tmp_path / "watch", tls_ca_file=str(other)) as watch:
        await watch.wait_for("offline", reason="certificate_refused")
    async with bench.watch(tmp_path / "watch", tls_ca_file=str(ca_file)) as watch:
        await backend.greets(str(watch.username))
        await watch.wait_online()


async def test_a_watch_out_of_its_box_trusts_a_chain_whose_dates_it_cannot_judge(
    expired_bench: tuple[Bench, Path], tmp_path: Path
) -> None:
    bench, ca_file = expired_bench
    backend = bench.backend
    async with bench.watch(tmp_path, tls_ca_file=str(ca_file), timings=PATIENT) as watch:
        user = await backend.pairs(watch, bench.watch_port)
        # Now it has a clock: the same chain is refused, and nothing is lost.
        await watch.go_offline()
        await watch.go_online()
        await watch.wait_for("offline", reason="certificate_refused")
        assert watch.username == user
    assert backend.count("hello") == 1
