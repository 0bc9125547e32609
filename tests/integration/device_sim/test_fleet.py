"""A fleet counts what was confirmed, refused and never answered, and its own cost, in one process and in several."""

from __future__ import annotations

import json

import pytest

from services.device_sim.conformance.endpoint import Endpoint
from services.device_sim.conformance.frames import Frame, FrameKind
from services.device_sim.fleet.fleet import run_fleet
from services.device_sim.fleet.machine import Machine
from services.device_sim.fleet.part import PartResult
from services.device_sim.fleet.plan import FleetPlan, Member
from services.device_sim.fleet.report import reported

_WATCHES = 300
_TEXTS = 100


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_fleet_counts_every_text_once_and_stays_small(processes: int) -> None:
    sent: list[str] = []

    def answers(frame: Frame) -> None:
        if frame.kind is not FrameKind.PUBLISH:
            return
        fields = frame.fields
        if frame.level == "hello":
            endpoint.send(frame.user, "time", b'{"tst":1900000000}')
        elif frame.level == "text":
            sent.append(fields["id"])
            code = {0: "rejected", 1: ""}.get(len(sent) % 10, "stored")  # of ten one is refused, one never answered
            if code:
                endpoint.send(frame.user, "receipt", json.dumps({"ref": fields["id"], "code": code}).encode())

    async def delivered() -> list[str]:
        # Of what was sent the system "has" all but the third and the fourth, and the fifth twice.
        return [*sent[:2], *sent[4:], sent[4]]

    endpoint = Endpoint(answers)
    await endpoint.start("127.0.0.1", 0)
    names = [f"w-{'a' * 8}{number:06}".translate(str.maketrans("0189", "hijk")) for number in range(_WATCHES)]
    endpoint.refused.add(names[7])
    plan = FleetPlan(
        "127.0.0.1", endpoint.port, connects_per_s=1000, texts_per_s=200, seconds=_TEXTS / 200, answered_within_s=3
    )
    lines: list[str] = []
    members = [Member(name, "password") for name in names]
    report = await run_fleet(members, plan, lines.append, processes=processes, delivered=delivered)
    await endpoint.stop()
    assert (report.online, report.lost_connections, report.processes) == (_WATCHES - 1, 1, processes)
    assert (report.texts_of_watches, report.refused, report.unanswered) == (_TEXTS, 10, 10)
    assert report.confirmed == report.checked == 80
    assert (report.lost, report.twice) == (2, 1)
    assert not report.is_whole
    assert len(set(sent)) == len(sent) == _TEXTS
    assert 0 < report.receipts.p50_ms <= report.receipts.p99_ms
    assert "of 80 confirmed texts 2 did not arrive in time" in "\n".join(report.as_lines())
    assert json.loads(report.as_json())["online"] == _WATCHES - 1
    assert lines[0].startswith("this machine: ")


def test_limits_of_the_machine_are_told_beforehand() -> None:
    small = Machine(files_a_process=1064, ports=28_232, free_bytes=2**30, cpus=2)
    assert small.processes_for(10_000) == 10
    fits, lines = small.fitting(10_000, 0, 2, tls=False)
    assert fits == 2_000
    assert lines == ["descriptors of this machine are enough for 2000 of 10000 watches; the rest stays away"]
    fits, lines = small.fitting(40_000, 0, 40, tls=True)
    assert fits == 2**30 // (60 * 1024)
    assert [line.partition(" of this")[0] for line in lines] == ["local ports to one address", "free memory"]
    assert Machine(None, None, None, 8).fitting(10**6, 0, 1, tls=True) == (10**6, [])


def test_the_checker_compares_what_was_confirmed_with_what_is_there() -> None:
    part = PartResult(
        sent_up=["a", "b", "c"], confirmed_up=["a", "b"], checkable_up=["a"], delivered_up=["a", "elsewhere"],
        sent_down=["x", "y"], confirmed_down=["x", "y"], delivered_down=["x"], lag_p99_s=0.2,
    )  # fmt: skip
    by_parents = reported([part], None)
    assert (by_parents.checked, by_parents.lost, by_parents.unanswered) == (3, 1, 1)
    by_system = reported([part], ["a", "b", "c"])
    assert (by_system.checked, by_system.lost) == (4, 1)
    assert by_parents.simulator_was_the_limit
    assert by_parents.as_lines()[-1].startswith("The simulator itself was the limit")
