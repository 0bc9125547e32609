"""The one command, `smartwatch`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from services.cli.processes import PROCESSES, run_process
from services.cli.run import explain
from services.core.platform.memory_access import deny_memory_access


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit: 0 done, 1 rejected or failed, 2 wrong usage."""
    # Every command may read settings, which hold keys.
    deny_memory_access()
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if len(words) == 1 and words[0] in PROCESSES:
            run_process(words[0])
        else:
            from services.cli.commands import app

            app(args=words, prog_name="smartwatch")
    except KeyboardInterrupt:
        # Of a process that is still loading. 128 and the number of the signal, as shells have it.
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - known mistakes become one line; the others are raised again there
        sys.exit(explain(error))
