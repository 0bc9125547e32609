"""A fleet against the whole product: watches on both listeners, parents with event streams, and the checker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.device_sim.console.fleet import MAKER, FleetRefusedError
from services.device_sim.console.fleet import app as fleet_app
from services.device_sim.fleet.fleet import run_fleet
from services.device_sim.fleet.plan import FleetPlan, Member
from services.devstack.fleet_stage import (
    copy_families,
    first_of,
    fleet_stage,
    log_parents_in,
    texts_from,
    wait_installed,
)
from tests.e2e.conftest import Play
from tests.support.world import arrive, wear

_PLAIN, _TLS, _PARENTS = 60, 20, 6


async def _members(play: Play) -> list[Member]:
    home = await play.home()
    worn = await wear(play.database, home)
    await arrive(play.database, worn.username)
    async with play.database.begin() as work:
        first = await first_of(work, worn.username, worn.password)
    members = await copy_families(play.database, first, _PLAIN + _TLS - 1)
    members = await log_parents_in(play.database, members, _PARENTS)
    await wait_installed(play.database)
    return members


def _delivered(play: Play, members: Sequence[Member]) -> Callable[[], Awaitable[Sequence[str]]]:
    async def delivered() -> Sequence[str]:
        return await texts_from(play.database, members)

    return delivered


async def test_a_fleet_on_both_listeners_loses_nothing(play: Play) -> None:
    members = await _members(play)
    ports = play.installation.ports
    plain = FleetPlan(
        "127.0.0.1", ports["mosquitto_plain_port"], api_url=play.installation.api_url, connects_per_s=100,
        texts_per_s=10, parent_texts_per_s=4, seconds=3, parents=_PARENTS,
    )  # fmt: skip
    by_tls = replace(
        plain, port=ports["mosquitto_tls_port"], tls_ca_file=str(play.installation.tls_ca_file), parents=0, seconds=1
    )
    for plan, some in ((plain, members[:_PLAIN]), (by_tls, members[_PLAIN:])):
        report = await run_fleet(some, plan, print, processes=1, delivered=_delivered(play, some))
        assert report.is_whole, "\n".join(report.as_lines())
        assert report.checked == report.confirmed
        if plan.parents:
            assert report.streams == _PARENTS
            assert report.to_watch.count == report.texts_of_parents == 12
            assert report.to_parent.count > 0


# ten thousand families are made, connected, and say hello on two cores
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", ["plain", "tls"])
def test_ten_thousand_watches_or_as_many_as_descriptors_allow(way: str, tmp_path: Path) -> None:
    MAKER.make = lambda watches, parents, *, tls: fleet_stage({}, watches, parents, print, tls=tls)
    json_file = tmp_path / "report.json"
    words = ["--watches", "10000", "--parents", "20", "--patience", "900", "--json", str(json_file)]
    ran = CliRunner().invoke(fleet_app, [*words, "--tls"] if way == "tls" else words)
    print(ran.output)  # noqa: T201 - the figures of the run
    assert json_file.exists(), ran.output
    assert ran.exit_code == 0, ran.output


def test_the_product_makes_no_test_watches_outside_development() -> None:
    with (
        pytest.raises(FleetRefusedError, match="in development only"),
        fleet_stage({"SMARTWATCH_ENVIRONMENT": "production"}, 10, 0, print, tls=False),
    ):
        pass
