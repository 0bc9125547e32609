"""The code from before the newest migration, taken from the history, serves on the schema after it."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sysconfig
import tarfile
import venv
from pathlib import Path

import asyncpg
import httpx
import pytest

from services.core.platform.db.migrate import newest_revision
from services.core.platform.settings import Settings
from services.devstack.postgres import LocalPostgres
from tests.support.api_process import database_of_today, running_api
from tests.support.http import make_family
from tests.support.sounds import encoded

CHECKOUT = Path(__file__).parents[5]
VERSIONS = CHECKOUT / "services" / "core" / "platform" / "db" / "migrations" / "versions"


def git(*words: str) -> bytes:
    return subprocess.run(  # noqa: S603 - our own words
        ["git", "-C", CHECKOUT, *words],  # noqa: S607
        capture_output=True, check=True,
    ).stdout  # fmt: skip


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A folder with the code that knows every migration but the newest, and with a .venv of its own."""
    newest = max(VERSIONS.glob("[0-9]*.py"))
    try:
        added = git("log", "--diff-filter=A", "-1", "--format=%H", "--", str(newest)).decode().strip()
        # Not committed yet: then the newest commit is from before it.
        archive = git("archive", f"{added}^" if added else "HEAD", "services")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no history of this checkout: a shallow clone or an archive")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(tmp_path / "before", filter="data")
        else:  # before Python 3.11.4, which Debian 12 does not have
            tar.extractall(tmp_path / "before")  # noqa: S202 - git's own archive of this checkout
    install(tmp_path / "before")
    return tmp_path / "before"


def install(code: Path) -> None:
    """Make a .venv with the packages of this one, in which `services` is that code, for processes it starts as well."""
    venv.create(code / ".venv", with_pip=False, symlinks=True)
    [packages] = (code / ".venv" / "lib").glob("python*/site-packages")
    # The .pth files of a folder that is named in one are not read: today's code stays outside.
    (packages / "before.pth").write_text(f"{code}\n{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")


@pytest.mark.timeout(400)
async def test_the_code_of_before_serves_families_on_the_schema_of_today_and_leaves_it(
    settings: Settings, before: Path, postgres: LocalPostgres
) -> None:
    known = max((before / VERSIONS.relative_to(CHECKOUT)).glob("[0-9]*.py")).name[:4]
    assert known < newest_revision()
    owner_url = postgres.owner_dsn(settings.database_url.rpartition("/")[2])
    async with (
        running_api(settings, before) as api,
        database_of_today(settings) as database,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", timeout=30) as client,
    ):
        parent = await make_family(client, database)
        await parent.send("from before")
        spoken = await parent.speak(encoded("amr-nb", 1.0))
        page = await parent.told("GET", f"{parent.child}/messages")
        assert [message["text"] for message in page["messages"]] == [None, "from before"]
        heard = await parent.ask("GET", f"{parent.child}/messages/{spoken['message_id']}/audio")
        assert heard.status_code == 200
        await parent.contacts()
        await parent.told("GET", "/v1/me/sessions")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTWATCH_")}
    upgraded = await asyncio.create_subprocess_exec(
        before / ".venv" / "bin" / "python", "-m", "services.cli", "db", "upgrade", cwd=before,
        env=environment | {"SMARTWATCH_DATABASE_URL": settings.database_url,
                           "SMARTWATCH_MIGRATION_DATABASE_URL": owner_url},
    )  # fmt: skip
    assert await upgraded.wait() == 0
    connection = await asyncpg.connect(owner_url)
    try:
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == newest_revision()
    finally:
        await connection.close()
