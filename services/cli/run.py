"""Shared by all commands: settings from the environment, the database, errors in one line."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from services.core.platform.db.database import UnitOfWork
    from services.core.platform.settings import Settings

# Where instances of `smartwatch up` live; each leaves its settings in a file `environment` (0600) while it runs.
_INSTANCES = Path("var")
_DEFAULT_INSTANCE = "default"
_PREFIX = "SMARTWATCH_"
_LINES_SHOWN = 200
# SQLSTATE: undefined_table, undefined_column; invalid_password, invalid_authorization, invalid_catalog_name.
_UNDEFINED = frozenset({"42P01", "42703"})
_REFUSED = frozenset({"28P01", "28000", "3D000"})

Outcome = TypeVar("Outcome")


class OperatorError(Exception):
    """A mistake of the operator: a stable code, a sentence, and lines of detail."""

    def __init__(self, code: str, sentence: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.lines = lines


_NO_ADDRESS = OperatorError("settings_wrong", "SMARTWATCH_DATABASE_URL is not a postgresql:// address.")


def load_settings(*, adopt: bool = True) -> Settings:
    """Return the settings; raises OperatorError naming each wrong one, never its value.

    In development the settings of a running `smartwatch up` are the defaults, so that chores reach its database; not
    so without ``adopt``.
    """
    from pydantic import ValidationError

    from services.core.platform.settings import Settings

    if adopt:
        _adopt_instance()
    try:
        return Settings()
    except ValidationError as error:
        raise OperatorError("settings_wrong", "The settings are invalid.", tuple(_settings_faults(error))) from None


def _settings_faults(error: Any) -> list[str]:  # noqa: ANN401 - pydantic is imported late
    faults: list[str] = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        message = fault["msg"].removeprefix("Value error, ")
        if fault["loc"]:
            faults.append(f"{_PREFIX}{str(fault['loc'][0]).upper()}: {message}")
        else:
            faults.extend(message.split("; "))
    return faults


def _adopt_instance() -> None:
    """Adopt the settings of a running `up`, unless the environment names a database or another environment."""
    stage = os.environ.get(f"{_PREFIX}ENVIRONMENT", "development")
    if os.environ.get(f"{_PREFIX}DATABASE_URL") or stage != "development":
        return
    for name, value in instance_environment().items():
        os.environ.setdefault(name, value)


def instance_environment() -> dict[str, str]:
    """Return the settings that the running `up` left for other commands; empty when none runs.

    Raises OperatorError when several run and none is named.
    """
    folder = _running_instance()
    if folder is None:
        return {}
    try:
        lines = (folder / "environment").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}  # it is starting, or just ended
    except OSError as error:
        raise OperatorError("instance_not_yours", f"{folder / 'environment'}: {error.strerror}.") from None
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, sign, value in pairs if sign and name.startswith(_PREFIX)}


def _running_instance() -> Path | None:
    """Return the folder of the instance called for (SMARTWATCH_INSTANCE), the default one, or the only one running.

    A killed `up` leaves its file behind; only a held lock proves that it runs. Raises OperatorError when several run
    and none is the default.
    """
    requested = os.environ.get(f"{_PREFIX}INSTANCE")
    if (
        requested is None
        and not (_INSTANCES / _DEFAULT_INSTANCE).exists()
        and not any(_INSTANCES.glob("*/environment"))
    ):
        return None  # before the import below: an instance needs a POSIX system, a simulated watch does not
    from services.devstack.instance import is_running

    if requested is not None:
        if not is_running(_INSTANCES / requested):
            raise OperatorError("instance_unknown", f"No `smartwatch up` runs in {_INSTANCES / requested}.")
        return _INSTANCES / requested
    running = sorted(file.parent for file in _INSTANCES.glob("*/environment") if is_running(file.parent))
    names = [folder.name for folder in running]
    if _DEFAULT_INSTANCE in names:
        return _INSTANCES / _DEFAULT_INSTANCE
    if len(running) > 1:
        raise OperatorError(
            "instance_ambiguous", f"Several instances run ({', '.join(names)}): name one in SMARTWATCH_INSTANCE."
        )
    if not running and is_running(_INSTANCES / _DEFAULT_INSTANCE):
        raise OperatorError("instance_starting", "`smartwatch up` is still starting: retry in a moment.")
    return running[0] if running else None


def begin_process(process: str) -> Settings:
    """Return the settings of a long-lived process, send its logs as JSON to standard error, allow it many files."""
    settings = load_settings()
    need_database(settings)
    from services.core.platform.descriptors import raise_descriptor_limit

    with without_rich():
        from services.core.platform.log import configure_logging

    raise_descriptor_limit()
    configure_logging(process, settings.log_level)
    return settings


@contextlib.contextmanager
def without_rich() -> Iterator[None]:
    """Have structlog and httpx load without Rich, which they take for output on consoles where they find it.

    It costs 50 ms of each start, and the processes write JSON. An entry of None in ``sys.modules`` is how Python spells
    a module that cannot be imported.
    """
    if "rich" in sys.modules:
        yield
        return
    absent: dict[str, Any] = {"rich": None}
    sys.modules.update(absent)
    try:
        yield
    finally:
        del sys.modules["rich"]


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Pause the garbage collector while a process loads its modules, and exempt their objects from later collections.

    Modules and classes live as long as the process, so every collection would walk them for nothing: loading the API
    took 3.8 s of CPU with collections and 3.0 s without.
    """
    gc.disable()
    try:
        with without_rich():
            yield
    finally:
        gc.freeze()
        gc.enable()


def need_database(settings: Settings) -> None:
    """Raise OperatorError unless the settings name a Postgres database."""
    if not settings.database_url:
        raise OperatorError(
            "database_unknown",
            "No database is configured: run `smartwatch up` in this folder, or set SMARTWATCH_DATABASE_URL.",
        )
    if not settings.database_url.startswith("postgresql://"):
        raise _NO_ADDRESS


def in_one_transaction(
    chore: Callable[[UnitOfWork], Coroutine[Any, Any, Outcome]], *, dry_run: bool = False
) -> Outcome:
    """Run a chore in one unit of work on the settings' database: all of it is committed, or nothing.

    A dry run runs the same transaction, constraints of the database included, and rolls it back.
    """
    settings = load_settings()
    need_database(settings)
    from services.core.platform.db.database import Database

    async def run() -> Outcome:
        database = Database.of(settings)
        try:
            async with database.begin() as work:
                outcome = await chore(work)
                if dry_run:
                    await work.roll_back()
                return outcome
        finally:
            await database.close()

    return asyncio.run(run())


def read_file(file: Path) -> bytes:
    """Return the file's bytes; raises OperatorError. A huge file is not read to its end."""
    from services.core.platform.spreadsheets.sheets import BYTES_MAX

    try:
        with file.open("rb") as source:
            return source.read(BYTES_MAX + 1)
    except OSError as error:
        raise OperatorError("file_unreadable", f"{file}: {error.strerror}.") from None


def write_file(file: Path, content: bytes) -> None:
    """Write a file in one go; raises OperatorError."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise OperatorError("file_unwritable", f"{file}: {error.strerror}.") from None


@contextlib.contextmanager
def faults_in(file: Path) -> Iterator[None]:
    """Name the file whose list is rejected: a command may read two. A fault of the second one names it itself."""
    from services.core.platform.spreadsheets.grouping import grouped_lines
    from services.core.platform.spreadsheets.sheets import SheetRefusedError

    try:
        yield
    except SheetRefusedError as error:
        lines = tuple(grouped_lines(error.faults))
        raise OperatorError(error.code, f"{file}: {error.sentence}", lines) from None


@contextlib.contextmanager
def progress_of(label: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar in a terminal; yields the function to call after each row."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in a terminal, and tab-separated lines to a pipe."""
    if not sys.stdout.isatty():
        for row in (heading, *rows):
            print("\t".join(row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*heading, box=box.SIMPLE)
    for row in rows:
        # As text: brackets in a name are no markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def explain(error: Exception) -> int:
    """Print a known error as one line with its code and return the exit code 1; raise any other error again."""
    known = _as_operator_error(error)
    if known is None:
        raise error
    print(f"smartwatch: {known.code}: {known.sentence}", file=sys.stderr)
    for line in known.lines[:_LINES_SHOWN]:
        print(f"  {line}", file=sys.stderr)
    if len(known.lines) > _LINES_SHOWN:
        print(f"  and {len(known.lines) - _LINES_SHOWN} more", file=sys.stderr)
    return 1


def _as_operator_error(error: Exception) -> OperatorError | None:
    from services.core.platform.errors import CoreError
    from services.core.platform.spreadsheets.grouping import grouped_lines
    from services.core.platform.spreadsheets.sheets import SheetRefusedError

    if isinstance(error, OperatorError):
        return error
    if isinstance(error, SheetRefusedError):
        return OperatorError(error.code, error.sentence, tuple(grouped_lines(error.faults)))
    if isinstance(error, CoreError):
        details = ", ".join(f"{name}: {value}" for name, value in error.fields().items())
        return OperatorError(error.code, f"{error.sentence} ({details})" if details else error.sentence)
    return _machine_error(error) or _database_error(error)


def _machine_error(error: Exception) -> OperatorError | None:
    """Explain errors of this machine: a port in use, a file. Other errors of the system come from the network."""
    from services.broker.errors import BrokerError
    from services.worker.sms_providers.templates import TemplatesBrokenError

    if isinstance(error, BrokerError):
        return OperatorError("broker_failed", str(error))
    if isinstance(error, TemplatesBrokenError):
        return OperatorError("sms_templates_wrong", f"{error}.")
    if not isinstance(error, OSError):
        return None
    if error.errno == errno.EADDRINUSE:
        return OperatorError("port_taken", f"Another program uses the port: {error.strerror}.")
    if error.filename is not None or isinstance(error, PermissionError | FileNotFoundError | FileExistsError):
        return OperatorError("file_failed", f"{error.filename or 'a file'}: {error.strerror}.")
    return None


def _database_error(error: Exception) -> OperatorError | None:
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from services.core.platform.db.faults import is_database_unavailable

    if isinstance(error, ArgumentError):
        return _NO_ADDRESS
    state = getattr(error.orig, "sqlstate", "") if isinstance(error, DBAPIError) else getattr(error, "sqlstate", "")
    if state in _UNDEFINED:
        return OperatorError(
            "schema_old", "The database schema is older than this version: run `smartwatch db upgrade`."
        )
    if state in _REFUSED:
        return OperatorError("database_refused", "The database rejects this user, password or database name.")
    if is_database_unavailable(error):
        return OperatorError("database_unreachable", "The database does not answer: is `smartwatch up` running?")
    return None
