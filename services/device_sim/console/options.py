"""Options that the commands of one simulated watch share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[Path, typer.Option(envvar="SMARTWATCH_SIM_WATCH_STATE", help="Folder of this watch's memory.")]
Serial = Annotated[str | None, typer.Option(envvar="SMARTWATCH_SIM_SERIAL", help="Needed once.")]
Secret = Annotated[
    str | None, typer.Option(envvar="SMARTWATCH_SIM_SECRET", help="Needed once; better in the environment.")
]
Host = Annotated[str, typer.Option(envvar="SMARTWATCH_SIM_HOST", help="Where the broker is.")]
Port = Annotated[int | None, typer.Option(envvar="SMARTWATCH_SIM_PORT", help="8883 with --tls-ca, else 1883.")]
TlsCa = Annotated[
    Path | None, typer.Option(envvar="SMARTWATCH_SIM_TLS_CA", help="Authority to trust; without it, plain MQTT.")
]

DEFAULT_STATE = Path("var/sim/watch")
