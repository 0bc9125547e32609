"""Fixtures of every test: a real Postgres, a fresh database per module, a clock that the test moves, the API."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.blobs.store import BlobStore
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import upgrade
from services.core.platform.settings import Environment, Settings
from services.devstack.postgres import LocalPostgres
from tests.support.clock import FakeClock
from tests.support.ports import claimed_ports
from tests.support.side_by_side import ON_ONE_INSTALLATION

TESTS = Path(__file__).parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """One server for the whole run, in a folder that `nobody` can reach when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-tests-"))
    folder.chmod(0o755)
    with LocalPostgres(folder / "postgres", durable=False) as server:
        # A hundred databases that live for seconds: a process would visit one of them each 0.6 s until the end.
        _in_thread(server.superuser_dsn(), "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
        yield server
    shutil.rmtree(folder, ignore_errors=True)


def _in_thread(*statements_and_dsn: str) -> None:
    dsn, *statements = statements_and_dsn

    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    # A loop of its own: the tests' loop stays untouched by asyncio.run.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


@pytest.fixture(scope="session")
def template_database(postgres: LocalPostgres) -> str:
    """The name of a database migrated once; copying it takes a fraction of migrating."""
    _in_thread(postgres.superuser_dsn(), "CREATE DATABASE template_migrated OWNER smartwatch_owner")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(upgrade, postgres.owner_dsn("template_migrated"), role="smartwatch").result()
    return "template_migrated"


@pytest.fixture(scope="module")
def database_url(postgres: LocalPostgres, template_database: str) -> str:
    """The address of a fresh, migrated database of this module's own."""
    name = f"test_{uuid.uuid4().hex}"
    # Copied as files: in the log, row by row, it takes twice as long.
    copy = f"TEMPLATE {template_database} STRATEGY FILE_COPY OWNER smartwatch_owner"
    _in_thread(postgres.superuser_dsn(), f"CREATE DATABASE {name} {copy}")
    return postgres.dsn(name)


@pytest.fixture(scope="module")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a test process on the database and blobs of this module; ports are for each test to choose."""
    blobs = tmp_path_factory.mktemp("blobs")
    # The tests are the proxy: each phone says with X-Forwarded-For where it is.
    return Settings(
        environment=Environment.TEST, database_url=database_url, blob_url=f"file:{blobs}", trusted_proxies="127.0.0.1",
        erasure_ledger=blobs.parent / f"{blobs.name}-erasures.jsonl",
    )  # fmt: skip


@pytest.fixture
def claim_port() -> Iterator[Callable[[], int]]:
    """Return a function that returns a new port at each call, claimed until the end of the test."""
    with claimed_ports() as claim_port:
        yield claim_port


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    """The clock of this module's database."""
    return FakeClock()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(settings: Settings, clock: FakeClock) -> AsyncIterator[Database]:
    """The database of this module, reading the clock that the test moves."""
    database = Database(
        settings.database_url, vault=Vault(settings.master_key.get_secret_value()), clock=clock,
        host=settings.public_host,
    )  # fmt: skip
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def transcoder(settings: Settings, database: Database) -> AsyncIterator[Transcoder]:
    """Where clips of this module are stored and worked on, with real decoding processes."""
    async with AudioSandbox() as sandbox:
        yield Transcoder(database, BlobStore.of(settings), sandbox)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: Settings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API without a socket. It reads a stream only to its end: for events use `live_client`."""
    from tests.support.application import application  # noqa: PLC0415 - other rooms must not need the API to import

    with application(settings, database) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
        ):
            yield client


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file of long tests that are made, at half the time of loading all others, from the API's document."""
    is_long = collection_path.name == "test_openapi_fuzz.py"
    return True if is_long and config.option.markexpr == "not long" else None


def pytest_sessionstart() -> None:
    """Collect no garbage while thousands of tests are loaded: their objects live until the end."""
    gc.disable()
    # httpx tries to import it at each request to the API, to find out whether trio runs: a search through all folders,
    # which took a twentieth of the API tests' processor time. None is how Python spells a module that cannot be loaded.
    if importlib.util.find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]


def pytest_collection_finish() -> None:
    """Exempt what was loaded from later collections, which would walk it, and unshare it between forked processes."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the shared product after its last test, when all fixtures of that test are torn down."""
    if _folder_of(item) in ON_ONE_INSTALLATION and (
        nextitem is None or _folder_of(nextitem) not in ON_ONE_INSTALLATION
    ):
        from tests.support.one_installation import stop_installation  # noqa: PLC0415 - other rooms must not load it

        stop_installation()


def _folder_of(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders of the longest files, in any order inside: no worker is left alone with one at the end."""
    items.sort(key=_folder_of)
