"""One supervised process: when it starts again, and how its own word about itself is read."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.devstack.ports import free_port
from services.devstack.supervised import (
    LONGEST_DELAY_S,
    SHORTEST_DELAY_S,
    STEADY_AFTER_S,
    SupervisedProcess,
    fetch_unready_reasons,
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
        assert {*fetch_unready_reasons(port)} == {*unwell}


def test_one_that_does_not_answer_is_not_ready() -> None:
    assert "process" in fetch_unready_reasons(free_port([]))


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
