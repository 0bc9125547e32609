"""`smartwatch audit`: whether anything was done to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.platform.audit.rules import ChainFault
    from services.core.platform.db.database import UnitOfWork

audit_commands = typer.Typer(
    name="audit", help="The audit log: who accessed and who changed what.", no_args_is_help=True
)


@audit_commands.command("verify")
def verify() -> None:
    """Verify every chain of the audit log; list each entry changed, removed, inserted or moved, exit 1 if any."""
    from services.core.platform.audit.queries import verify_all

    async def chore(work: UnitOfWork) -> tuple[int, int, list[ChainFault]]:
        chains, entries, faults = 0, 0, []
        async for _, count, chain_faults in verify_all(work):
            chains += 1
            entries += count
            faults += chain_faults
        return chains, entries, faults

    chains, entries, faults = cli_run.in_one_transaction(chore)
    if faults:
        lines = tuple(_line(fault) for fault in faults)
        raise cli_run.OperatorError("audit_broken", f"{len(faults)} faults in {entries} entries.", lines)
    print(f"{entries} entries in {chains} chains, all unchanged.")


def _line(fault: ChainFault) -> str:
    entry = f"chain {fault.chain_id}: entry {fault.seq}"
    if fault.audit_id is not None:
        entry += f" ({fault.audit_id})"
    if fault.belongs_at is not None:
        return f"{entry}: {fault.kind.value}, it was written as entry {fault.belongs_at}"
    return f"{entry}: {fault.kind.value}"
