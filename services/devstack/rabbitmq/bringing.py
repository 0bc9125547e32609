"""Brings RabbitMQ 4 with Erlang and all libraries from Debian 13 into a folder of the checkout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from services.devstack.debian13 import TOOLS, Announce, Debian13Program, wrap_programs


def _prepare(root: Path) -> None:
    wrap_programs(root, sorted((root / "usr/lib/erlang").rglob("*")))
    # A node starts a second runtime by this script, which knows the folders of an installed package only.
    [script] = (root / "usr/lib/erlang").glob("erts-*/bin/erl")
    script.write_text(
        "#!/bin/sh\nBINDIR=${0%/*}\nROOTDIR=$BINDIR/../..\nEMU=beam\nPROGNAME=erl\n"
        'export BINDIR ROOTDIR EMU PROGNAME\nexec "$BINDIR/erlexec" "$@"\n'
    )


# 125 MB unpacked.
RABBITMQ: Final = Debian13Program(
    title="RabbitMQ 4", package="rabbitmq-server", folder="rabbitmq-4", layout=2, download_mb=50, prepare=_prepare,
    needed=re.compile(r"(lib(?!pam|python|sepol|semanage|audit|debconf|db5)|gcc-|zlib1g|erlang-|rabbitmq-server)\S*"),
)  # fmt: skip


def bring_rabbitmq(announce: Announce = lambda _: None, tools: Path = TOOLS) -> Path:
    """Return the folder of RabbitMQ, unpacked now if there was none. Raises NotBroughtError."""
    return RABBITMQ.bring(announce, tools)
