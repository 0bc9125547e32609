"""A programme with two sites, and lists of watches for it."""

from collections.abc import Callable

import pytest
import pytest_asyncio

from services.core.devices.watches.rules import WatchRow, read_watch_list
from services.core.people.programme.actions import create_cohort, create_programme, create_site
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def programme(database: Database) -> None:
    async with database.begin() as work:
        made = await create_programme(work, OPERATOR, "Pilot")
        for name in ("Dongguan", "Huizhou"):
            site = await create_site(
                work, OPERATOR, made.row, name=name, country="CN", timezone="Asia/Shanghai", locale="zh-Hans"
            )
            await create_cohort(work, OPERATOR, site.row, name="2026A")


@pytest.fixture(scope="session")
def watch_list() -> Callable[..., list[WatchRow]]:
    def make(*serials: str, site: str = "Dongguan", more: str = "") -> list[WatchRow]:
        heading, *cells = more.split(";") if more else ("", "")
        rows = [f"{serial},sim-1,{site}{''.join(f',{cell}' for cell in cells if cell)}" for serial in serials]
        return read_watch_list("\n".join([f"serial,model,site{f',{heading}' if heading else ''}", *rows]).encode())

    return make
