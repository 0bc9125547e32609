"""`smartwatch settings`: every setting, its default and its meaning; docs/settings.md is made from here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_PAGE = """# Settings

Every process reads its settings from the environment. `smartwatch settings --write docs/settings.md` makes this page.
A secret's development value is the same in every checkout; no process starts with it in production.

| variable | default | meaning |
|---|---|---|
{rows}

Beside these, `SMARTWATCH_INSTANCE` tells a chore which running `smartwatch up` it is for, by the folder's name below
`var/`; without it that is `default`, or the only one that runs. `smartwatch sim watch --help` and
`smartwatch sim parent --help` name the variables of the simulators.
"""


def settings_command(
    write: Annotated[Path | None, typer.Option(help="Write the page of settings into this file.")] = None,
) -> None:
    """Show every setting with its default and meaning."""
    if write is not None:
        cli_run.write_file(write, settings_page().encode())
        return
    cli_run.print_table(("variable", "default", "meaning"), settings_rows())


def settings_rows() -> list[tuple[str, str, str]]:
    """Return variable, default and meaning of every setting, in the order of the settings."""
    from services.core.platform.settings import Settings

    # The parts that Settings is made of come after its own.
    fields = sorted(Settings.model_fields.items(), key=lambda item: item[0] not in Settings.__annotations__)
    return [(f"SMARTWATCH_{name.upper()}", _default(field), field.description or "") for name, field in fields]


def settings_page() -> str:
    """Return the page docs/settings.md."""
    rows = (
        f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning.replace('|', chr(92) + '|')} |"
        for variable, default, meaning in settings_rows()
    )
    return _PAGE.format(rows="\n".join(rows))


def _default(field: FieldInfo) -> str:
    from enum import Enum

    from pydantic import SecretStr

    value = field.default
    if isinstance(value, dict) and all(isinstance(number, float) for number in value.values()):
        return ",".join(f"{name}={amount:g}" for name, amount in value.items())
    if isinstance(value, SecretStr | dict):
        return "a development value" if value else ""
    return "" if value is None else str(value.value if isinstance(value, Enum) else value)
