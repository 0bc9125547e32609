"""One supervised process: when it starts again, and how its own word about itself is read."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.devstack.readiness import OwnFaultJudge, Readiness, fetch_readiness
from services.devstack.supervised import (
    LONGEST_DELAY_S,
    SHORTEST_DELAY_S,
    STEADY_AFTER_S,
    SupervisedProcess,
)
from services.devstack.tied import start_child, stop_child, tied


@contextmanager
def answering(status: int, body: str) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def a_process(folder: Path) -> SupervisedProcess:
    return SupervisedProcess("api", "api_port", folder / "api.log")


def test_one_that_keeps_dying_is_started_ever_later_but_never_given_up(tmp_path: Path) -> None:
    process = a_process(tmp_path)
    process.started_at_s = time.monotonic()
    delays = [process.note_death() for _ in range(20)]
    assert SHORTEST_DELAY_S / 2 <= delays[0] <= SHORTEST_DELAY_S
    assert all(LONGEST_DELAY_S / 2 <= delay <= LONGEST_DELAY_S for delay in delays[8:])
    assert len({*delays}) == len(delays)  # jitter: no two alike


def test_one_that_ran_steadily_is_started_again_at_once(tmp_path: Path) -> None:
    process = a_process(tmp_path)
    process.deaths = 9
    process.started_at_s = time.monotonic() - STEADY_AFTER_S - 1
    assert process.note_death() <= SHORTEST_DELAY_S


@pytest.mark.parametrize(
    ("status", "body", "unwell"),
    [
        (200, "{}", {}),
        (503, json.dumps({"status": "unavailable", "checks": {"postgres": "refused", "mqtt": "ok"}}), {"postgres"}),
        (503, json.dumps({"postgres": "refused", "migrations": "ok"}), {"postgres"}),
        (503, "not json", {"process"}),
        (500, "[]", {"process"}),
    ],
)
def test_only_what_is_not_well_is_told(status: int, body: str, unwell: set[str]) -> None:
    with answering(status, body) as port:
        assert {*fetch_readiness(port).reasons} == {*unwell}


@pytest.mark.parametrize(
    ("status", "body", "is_own"),
    [
        (200, "{}", False),
        (503, json.dumps({"checks": {"postgres": "refused", "hung_loops": "ok"}, "own_fault": []}), False),
        (503, json.dumps({"checks": {"postgres": "ok", "hung_loops": "sms_1"}, "own_fault": ["hung_loops"]}), True),
        (503, json.dumps({"postgres": "refused", "migrations": "ok"}), False),
    ],
)
def test_an_own_fault_is_told_apart_from_those_of_others(status: int, body: str, *, is_own: bool) -> None:
    with answering(status, body) as port:
        assert fetch_readiness(port).is_own_fault is is_own
    assert fetch_readiness(port, timeout_s=0.2).is_own_fault


def test_only_what_is_unready_by_its_own_fault_for_long_is_replaced() -> None:
    now_s = [0.0]
    judge = OwnFaultJudge(after_s=30, grace_s=120, clock=lambda: now_s[0])
    ready, waiting = Readiness({}), Readiness({"postgres": "away"})
    hung = Readiness({"process": "no answer"}, is_own_fault=True)
    # Not ready since its start: it may be starting still.
    for now_s[0], answer, expected in (
        (0, hung, False), (119, hung, False), (121, hung, True), (122, ready, False), (123, hung, False),
        (152, hung, False), (153, hung, True), (160, waiting, False), (1_000, waiting, False), (1_001, hung, False),
        (1_020, ready, False), (1_030, hung, False), (1_059, hung, False), (1_060, hung, True),
    ):  # fmt: skip
        assert judge.is_to_be_replaced(answer) is expected, now_s[0]


def test_one_that_does_not_answer_is_not_ready(claim_port: Callable[[], int]) -> None:
    assert "process" in fetch_readiness(claim_port()).reasons


def test_a_child_that_ignores_the_first_signal_gets_the_next_and_then_dies(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = start_child(tied(["sh", "-c", "trap '' TERM; echo up; sleep 60"], signal.SIGTERM), log=log)
        while b"up" not in (tmp_path / "log").read_bytes():
            time.sleep(0.01)
    assert stop_child(child, (signal.SIGTERM, 0.2)) == -signal.SIGKILL
    assert stop_child(child, (signal.SIGTERM, 0.2)) == -signal.SIGKILL  # a repeat does nothing


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    children = []

    def start() -> None:
        with (tmp_path / "log").open("wb") as log:
            children.append(start_child(tied(["sleep", "60"], signal.SIGTERM), log=log))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    [child] = children
    with pytest.raises(Exception, match="timed out"):
        child.wait(timeout=0.3)
    stop_child(child, (signal.SIGTERM, 5))
