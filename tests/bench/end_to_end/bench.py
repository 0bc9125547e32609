"""An installation with families, and the sides of each row: the product, and the baselines on a broker of their own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.installation import Installation
from services.devstack.ports import free_port
from tests.bench.end_to_end.crowd import PASSWORD, Person, make_crowd, token
from tests.bench.end_to_end.grow import add_newest, grow
from tests.bench.end_to_end.lab import Broker, CpuMeter, StatementCounter, baseline, own_cpu_s, second_broker
from tests.bench.end_to_end.loads import Measured, Side
from tests.bench.end_to_end.profiles import Profiles
from tests.bench.end_to_end.report import short, summary
from tests.bench.end_to_end.rows import FAMILIES, Row
from tests.bench.end_to_end.storm import memory_of_watches, resident_bytes, storm, weights_of
from tests.bench.end_to_end.wire import Watch

_IDLE_S: Final = 2.0
_IDLE_WINDOWS: Final = 3
_USERS_WITHIN_S: Final = 60.0
_PRODUCT_ROLE, _BASELINE_ROLE = "smartwatch", "smartwatch_owner"
# Recordings of these children since then that have neither a rendition nor a row that asks for one.
_LOST: Final = """
SELECT count(*) FROM clip WHERE child_id = ANY($1::uuid[]) AND created_at >= $2 AND state = 'raw'
 AND NOT EXISTS (SELECT FROM outbox WHERE kind = 'clip' AND target = clip.clip_id::text)
"""
# Out of the last day as well: the first screens that later rows read would show them.
_END_CALLS: Final = (
    "UPDATE alert SET escalate_at = NULL, check_at = NULL, acknowledged_at = now(),"
    " raised_at = raised_at - interval '2 days' WHERE child_id = ANY($1::uuid[])"
)
_DROP_RECORDINGS: Final = """
WITH gone AS (DELETE FROM clip WHERE child_id = ANY($1::uuid[]) AND created_at >= $2 RETURNING blob_id)
DELETE FROM blob WHERE blob_id IN (SELECT blob_id FROM gone)
"""
_VERSIONS: Final = (
    "SELECT c.version, s.version FROM contact_list c JOIN watch_settings s USING (child_id) WHERE c.child_id = $1"
)
Say = Callable[[str], None]


class Bench:
    """Runs rows. ``say`` prints a line of progress, ``profiles`` samples the product's processes."""

    def __init__(
        self, installation: Installation, folder: Path, *, say: Say, profiles: Profiles | None = None
    ) -> None:  # fmt: skip
        assert installation.postgres is not None
        self._installation = installation
        self._settings = Settings()
        self._database = Database.of(self._settings)
        self._owner_url = installation.chores_environment["SMARTWATCH_MIGRATION_DATABASE_URL"]
        self._superuser_url = installation.postgres.superuser_dsn("smartwatch")
        self._folder = folder
        self._say = say
        self._profiles = profiles
        self._people: list[Person] = []
        self._crowd: list[Person] = []
        self._times = 0
        self._first = 0
        self._idle: dict[str, float] = {}
        self._lists: dict[str, int] = {}
        self.postgres: asyncpg.Connection

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Bench]:
        """Make the families and hold a connection to Postgres for the block."""
        self.postgres = await asyncpg.connect(self._superuser_url)
        try:
            self._people = await self._make_people(FAMILIES)
            await add_newest(self._database, self._superuser_url, self._people)
            yield self
        finally:
            await self.postgres.close()
            await self._database.close()

    async def cost_of_start(self) -> dict[str, Any]:
        """Return what each process has spent until it was ready; called before anything is asked of them."""
        cpu_ms = {name: round(1000 * own_cpu_s(id_)) for name, id_ in self._product_processes().items()}
        of_product = {name: cpu_ms[name] for name in ("api", "bridge", "worker")}
        self._say(f"start, ms of CPU until ready: {of_product}")
        return {"row": "start", "what": "a process until it is ready", "product": {"cpu_ms": of_product}}

    async def grow_to(self, times: int) -> dict[str, Any]:
        """Fill the database up to so many times the rows, and measure what idle processes spend; return that row."""
        await self._restart_connection()
        took_s = await grow(self._superuser_url, self._times, times)
        self._times = times
        # As autovacuum does within a minute or two: until then the first rows would be measured with other plans.
        await self.postgres.execute("ANALYZE")
        gigabytes = await self.postgres.fetchval("SELECT pg_database_size('smartwatch') / 1e9")
        self._say(f"{times} x the rows: {gigabytes:.1f} GB in {took_s:.0f} s")
        await asyncio.to_thread(self._installation.wait_ready, 120.0)
        self._idle = await self._idle_cost()
        shown = {name: round(1e6 * share) for name, share in self._idle.items()}
        self._say(f"idle, us of CPU a second: {shown}")
        return {"row": "idle", "times": times, "fill_s": round(took_s), "gigabytes": round(float(gigabytes), 1),
                "cpu_us_a_second": shown}  # fmt: skip

    async def _idle_cost(self) -> dict[str, float]:
        """Return CPU seconds a second by part: the least of some windows, for a sweep that just runs is no idling."""
        windows = []
        for _ in range(_IDLE_WINDOWS):
            meter = CpuMeter(self._product_processes)
            await asyncio.sleep(_IDLE_S)
            windows.append({name: spent / _IDLE_S for name, spent in meter.spent_s().items()})
        return {name: min(window.get(name, 0.0) for window in windows) for name in windows[0]}

    async def run(self, row: Row, rounds: int) -> dict[str, Any]:
        """Run a row at the present size: all sides in turns, each with families of its own."""
        await asyncio.to_thread(self._installation.wait_ready, 60.0)
        measured: dict[str, list[Measured]] = {"product": [], **{side: [] for side in row.baselines(self._times)}}
        with contextlib.ExitStack() as stack:
            sides = {"product": self._product, **self._baselines(row, stack)}
            for number in range(rounds):
                for side, of_side in measured.items():
                    people = self._take(row.people)
                    tokens = self._tokens(people)
                    of_side.append(await self._run_side(row, side, sides[side](tokens), people))
                shown = " | ".join(f"{name} {short(of[-1])}" for name, of in measured.items())
                self._say(f"{row.name} {self._times}x {number + 1}/{rounds}: {shown}")
        if self._profiles is not None:
            self._profiles.write(f"{row.name}-{self._times}x")
        return {
            "row": row.name, "what": row.each, "times": self._times,
            **{name: summary(of) for name, of in measured.items()},
        }  # fmt: skip

    async def run_storm(self, count: int, rounds: int) -> dict[str, Any]:
        """Have thousands of watches come back through the gate with TLS; the baselines end TLS in Mosquitto."""
        people = await self._crowd_of(count)
        measured: dict[str, list[Measured]] = {"product": [], "lean": [], "bare": []}
        with contextlib.ExitStack() as stack:
            sides = {"product": self._product()} | {
                kind: self._relay(kind, stack.enter_context(self._second_broker()), stack)({})
                for kind in ("lean", "bare")
            }  # fmt: skip
            ca_file = self._installation.tls_ca_file
            for number in range(rounds):
                for name, side in sides.items():
                    watches = [Watch(person.username) for person in people]
                    measured[name].append(await storm(side, watches, tls_ca_file=ca_file))
                shown = " | ".join(f"{name} {short(of[-1])}" for name, of in measured.items())
                self._say(f"storm {number + 1}/{rounds}: {shown}")
        if self._profiles is not None:
            self._profiles.write("storm")
        what = f"hello of one of {len(people)} watches through the gate with TLS, the connection included"
        return {"row": "storm", "what": what, **{name: summary(of) for name, of in measured.items()}}

    async def run_memory(self, count: int) -> dict[str, Any]:
        """Weigh idle watches: in the gate and Mosquitto, and in a Mosquitto that ends TLS by itself."""
        people = await self._crowd_of(count)
        ca_file = self._installation.tls_ca_file
        product = await memory_of_watches(
            people, weights=weights_of(self._product_processes()["broker"], "gate", "mosquitto"),
            tls_port=self._installation.ports["mosquitto_tls_port"], tls_ca_file=ca_file,
        )  # fmt: skip
        with self._second_broker() as broker:
            bare = await memory_of_watches(
                people, weights=lambda: {"mosquitto": resident_bytes(broker.process_id)}, tls_port=broker.tls_port,
                tls_ca_file=ca_file,
            )  # fmt: skip
        result: dict[str, Any] = {"row": "memory", "what": f"idle watch of {count} through the gate with TLS"}
        for name, weights in (("product", product), ("bare", bare)):
            result[name] = {"bytes_each": {part: round(weight) for part, weight in weights.items()}}
        self._say(f"memory: {result['product']['bytes_each']} bytes a watch, bare {result['bare']['bytes_each']}")
        return result

    async def _run_side(self, row: Row, name: str, side: Side, people: Sequence[Person]) -> Measured:
        began_at = await self.postgres.fetchval("SELECT now()")
        measured = await row.load(side, people)
        children = [person.child_id for person in people]
        if row.makes_clips and name == "product":
            measured.faults += await self.postgres.fetchval(_LOST, children, began_at)
            # Renditions that still wait would be made during the next row, and counted there.
            await self.postgres.execute("DELETE FROM outbox WHERE kind = 'clip'")
        if row.makes_clips and name == "lean":
            # The product could not open these messages.
            await self.postgres.execute(_DROP_RECORDINGS, children, began_at)
        if row.makes_alerts:
            # Calls of guardians would go on for minutes.
            await self.postgres.execute(_END_CALLS, children)
        return measured

    def _product(self, tokens: Mapping[str, str] | None = None) -> Side:
        processes, profiles = self._product_processes, self._profiles
        return Side(
            self._installation.ports["mosquitto_plain_port"], self._installation.ports["api_port"],
            CpuMeter(processes), StatementCounter(self.postgres, _PRODUCT_ROLE), says_hello=True,
            until_settled=self._until_settled, tokens=dict(tokens or {}), idle=self._idle,
            tls_port=self._installation.ports["mosquitto_tls_port"], lists=self._lists,
            begins=(lambda: profiles.begin(processes())) if profiles else lambda: None,
            ends=(lambda: profiles.end(processes())) if profiles else lambda: None,
        )  # fmt: skip

    def _baselines(
        self, row: Row, stack: contextlib.ExitStack
    ) -> dict[str, Callable[[Mapping[str, str]], Side]]:  # fmt: skip
        """Start the baselines of a row until the stack closes; each is made a side with the tokens of its families."""
        if row.module == "lean_api":
            return {"lean": self._lean_api(stack)}
        start = self._relay if row.module == "relay" else self._reader
        return {
            kind: start(kind, stack.enter_context(self._second_broker()), stack)
            for kind in row.baselines(self._times)
        }  # fmt: skip

    @property
    def _log(self) -> Path:
        return self._folder / "baselines.log"

    def _second_broker(self) -> contextlib.AbstractContextManager[Broker]:
        return second_broker(self._installation, self._folder / f"mosquitto-{time.monotonic_ns()}")

    def _reader(
        self, kind: str, broker: Broker, stack: contextlib.ExitStack
    ) -> Callable[[Mapping[str, str]], Side]:  # fmt: skip
        process_id = stack.enter_context(baseline(self._log, "reader", kind, *self._mqtt_words(broker)))
        return lambda tokens: self._baseline_side(broker, process_id, 0, tokens)

    def _relay(self, kind: str, broker: Broker, stack: contextlib.ExitStack) -> Callable[[Mapping[str, str]], Side]:
        http_port = free_port(range(22084, 22183))
        files = self._folder / f"files-{kind}"
        files.mkdir(exist_ok=True)
        process_id = stack.enter_context(
            baseline(self._log, "relay", kind, *self._mqtt_words(broker), http_port, files)
        )
        return lambda tokens: self._baseline_side(broker, process_id, http_port, tokens)

    def _lean_api(self, stack: contextlib.ExitStack) -> Callable[[Mapping[str, str]], Side]:
        port, keys = free_port(range(22084, 22183)), self._installation.environment["SMARTWATCH_TOKEN_KEYS"]
        key = keys.split(",", maxsplit=1)[0].partition(":")[2]
        process_id = stack.enter_context(baseline(self._log, "lean_api", self._owner_url, key, port))
        return lambda tokens: self._baseline_side(None, process_id, port, tokens)

    def _mqtt_words(self, broker: Broker) -> list[object]:
        password = self._settings.mqtt_backend_password.get_secret_value()
        return [broker.backend_port, self._settings.mqtt_backend_username, password, self._owner_url]

    def _baseline_side(
        self, broker: Broker | None, process_id: int, http_port: int, tokens: Mapping[str, str]
    ) -> Side:  # fmt: skip
        roots = {"baseline": process_id, "postgres": self._product_processes()["postgres"]}
        if broker is not None:
            roots["broker"] = broker.process_id
        # The product idles beside its baselines, and Postgres does so for it.
        idle = {"postgres": self._idle.get("postgres", 0.0)}
        return Side(
            broker.plain_port if broker else 0, http_port, CpuMeter(lambda: roots),
            StatementCounter(self.postgres, _BASELINE_ROLE), says_hello=False, until_settled=_at_once,
            tokens=dict(tokens), idle=idle, tls_port=broker.tls_port if broker else 0,
        )  # fmt: skip

    async def _until_settled(self) -> None:
        """Return once the outbox holds nothing but renditions, after a minute at most."""
        for _ in range(600):
            if not await self.postgres.fetchval("SELECT count(*) FROM outbox WHERE kind IN ('watch', 'wake')"):
                return
            await asyncio.sleep(0.1)

    def _product_processes(self) -> dict[str, int]:
        return {name: id_ for name, id_ in self._installation.process_ids().items() if id_ is not None}

    def _tokens(self, people: Sequence[Person]) -> dict[str, str]:
        keys = self._installation.environment["SMARTWATCH_TOKEN_KEYS"]
        return {person.username: token(person, keys) for person in people}

    def _take(self, count: int) -> list[Person]:
        """Return families in turns: rates are limited by watch and by guardian."""
        if self._first + count > len(self._people):
            self._first = 0
        self._first += count
        return self._people[self._first - count : self._first]

    async def _crowd_of(self, count: int) -> list[Person]:
        if len(self._crowd) < count:
            self._crowd += await self._make_people(count - len(self._crowd))
        return self._crowd[:count]

    async def _make_people(self, count: int) -> list[Person]:
        """Make families, and wait until the broker knows their watches."""
        began_s = time.monotonic()
        people = await make_crowd(self._database, self._superuser_url, count)
        await self.postgres.execute("NOTIFY broker_users")
        last = Watch(people[-1].username)
        while True:
            try:
                await last.connect(self._installation.ports["mosquitto_plain_port"], PASSWORD)
                break
            except (ConnectionError, PermissionError):
                if time.monotonic() - began_s > _USERS_WITHIN_S:
                    raise
                await asyncio.sleep(0.2)
        last.close()
        versions = await self.postgres.fetchrow(_VERSIONS, people[0].child_id)
        assert versions is not None
        # All families are copies of one.
        self._lists = {"contacts": versions[0], "config": versions[1]}
        self._say(f"{count} families in {time.monotonic() - began_s:.0f} s")
        return people

    async def _restart_connection(self) -> None:
        await self.postgres.close()
        self.postgres = await asyncpg.connect(self._superuser_url)


async def _at_once() -> None:
    """Nothing waits in a baseline."""
