"""`smartwatch usage cells`, `key` and `join`: figures of several systems from what each has published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.measurement.joining.files import CellFile
    from services.core.platform.db.database import UnitOfWork

KEY_PURPOSE = "usage-cells"


def print_key() -> None:
    """Print this system's public key: whoever joins figures lists it as `NAME KEY`."""
    settings = cli_run.load_settings()
    from services.core.measurement.joining.files import public_key_of
    from services.core.platform.crypto.vault import Vault

    print(public_key_of(Vault.of(settings).signing_seed(KEY_PURPOSE)))


def write_cells(
    programme: str, out: Annotated[Path, typer.Option(help="The file to write, such as vietnam.json.")]
) -> None:
    """Write the public numbers of a programme as a whole into a signed file, for `usage join` elsewhere."""
    from services.core.measurement.joining.files import write_cell_file
    from services.core.measurement.joining.queries import cell_file_of
    from services.core.people.programme.queries import programme_named

    async def chore(work: UnitOfWork) -> tuple[CellFile, bytes]:
        content = await cell_file_of(work, await programme_named(work, programme))
        return content, write_cell_file(content, work.vault.signing_seed(KEY_PURPOSE))

    content, written = cli_run.in_one_transaction(chore)
    cli_run.write_file(out, written)
    print(f"{out}: {len(content.cells)} numbers of groups of {content.least_families} families and more.")


def join_cells(
    files: Annotated[list[Path], typer.Argument(help="Files of `usage cells`, one of each system.")],
    keys: Annotated[Path, typer.Option(help="Lines `NAME KEY`: the systems that are trusted, by `usage key`.")],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")],
) -> None:
    """Join the public numbers of several systems into one CSV; needs no database.

    Refused: a changed file, an unknown key, groups below 10 families, populations that overlap.
    """
    from services.core.measurement.joining.errors import JoinRefusedError
    from services.core.measurement.joining.files import read_cell_file, read_trusted_keys
    from services.core.measurement.joining.rules import as_csv, check_files, join

    try:
        trusted = read_trusted_keys(str(keys), cli_run.read_file(keys))
        read = {str(file): read_cell_file(str(file), cli_run.read_file(file)) for file in files}
        by_system = check_files(read, trusted)
    except JoinRefusedError as error:
        raise cli_run.OperatorError(error.code, str(error)) from None
    figures = join(by_system)
    cli_run.write_file(out, as_csv(figures))
    shown = sum(figure.value is not None for figure in figures)
    print(f"{out}: {shown} figures of {', '.join(sorted(by_system))}; {len(figures) - shown} are not shown.")
