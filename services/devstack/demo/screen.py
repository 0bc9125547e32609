"""The watch on the screen, for whoever tries the demo in a browser: a process of its own beside the story."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from services.devstack.demo.office import CHECKOUT, HandedOut
from services.devstack.tied import Child, start_child, stop_child, tied

_ADDRESS: Final = re.compile(r"http://\S+")
_START_S: Final = 60.0
_LOOK_S: Final = 0.05
_STOP_S: Final = 10.0


class ScreenError(Exception):
    """The page could not be served; the message is what its process printed."""


class ScreenProcess:
    """`smartwatch sim serve` for one watch, until the block ends. `address` opens its page."""

    def __init__(self, watch: HandedOut, folder: Path, *, broker_port: int, tls_ca_file: Path) -> None:
        self._words = [
            "serve", "--state", str(folder), "--host", "127.0.0.1", "--port", str(broker_port),
            "--tls-ca", str(tls_ca_file), "--impatient", "--training",
        ]  # fmt: skip
        # The secret stays out of the list of processes, which every user of the machine reads.
        self._environment = {
            **os.environ, "SMARTWATCH_SIM_SERIAL": watch.serial, "SMARTWATCH_SIM_SECRET": watch.secret,
        }  # fmt: skip
        self._log = folder.with_name(f"{folder.name}-screen.log")
        self._child: Child | None = None
        self.address = ""

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        # What it prints holds the secret of its page.
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
            command = tied([sys.executable, "-u", "-m", "services.device_sim", *self._words], signal.SIGTERM)
            self._child = start_child(command, log=log, environment=self._environment, folder=CHECKOUT)
        try:
            self.address = self._wait_for_address(self._child)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _wait_for_address(self, child: Child) -> str:
        ends_at = time.monotonic() + _START_S
        while True:
            has_ended = child.poll() is not None
            output = self._log.read_text(encoding="utf-8", errors="replace")
            # The last line may be half written.
            match = _ADDRESS.search(output.rpartition("\n")[0])
            if match is not None and not has_ended:
                return match[0]
            if has_ended or time.monotonic() > ends_at:
                raise ScreenError(output.strip() or "it said nothing")
            time.sleep(_LOOK_S)

    def _end(self) -> None:
        if self._child is not None:
            stop_child(self._child, (signal.SIGTERM, _STOP_S))
