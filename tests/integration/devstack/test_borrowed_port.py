"""A port that somebody holds for a moment costs a start one round, never the start itself."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from services.devstack.installation import Installation


@pytest.mark.long
def test_a_port_given_back_while_starting_again_costs_one_round_only(open_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        lines: list[str] = []
        overrides = {"worker_health_port": str(other.getsockname()[1])}
        installation = Installation.acquire(
            open_folder / "var", overrides=overrides, announce=lines.append, durable=False
        )

        def give_it_back_when_all_are_stopped_for_it() -> None:
            api = installation.processes["api"]
            while not lines or api.process_id is not None:
                time.sleep(0.005)
            other.close()

        threading.Thread(target=give_it_back_when_all_are_stopped_for_it, daemon=True).start()
        with installation:
            assert installation.unready() == {}
    assert any(line.startswith("worker has ended") for line in lines)
    assert not any(line.startswith(("api has ended", "broker has ended")) for line in lines)
