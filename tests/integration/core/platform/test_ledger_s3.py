"""The ledger of erasures in a bucket: two machines write it, and each knows what the other one erased."""

from __future__ import annotations

import http.client
import socketserver
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import obstore
import pytest
from obstore.store import S3Store

from services.backup.ledger import back_up_ledger, bring_ledger
from services.core.platform.clock import system_clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import (
    CHILD,
    FAMILY,
    ErasureLedger,
    ErasuresPendingError,
    LedgerAwayError,
    LedgerBrokenError,
    LedgerEntry,
)
from services.core.platform.opened_ledger import open_ledger
from services.core.platform.settings import Environment, Settings
from services.devstack.doctor_cluster import ledger_bucket
from tests.integration.broker.waiting import becomes_true
from tests.support.s3 import S3Server
from tests.support.world import make_home

FORGETFUL_WITHIN_S = 20.0


def entry(subject_id: uuid.UUID | None = None) -> LedgerEntry:
    return LedgerEntry(uuid.uuid4(), CHILD, subject_id or uuid.uuid4())


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


def settings_at(server: S3Server) -> Settings:
    bucket = uuid.uuid4().hex
    server.add_bucket(bucket)
    return Settings(
        environment=Environment.TEST, erasure_ledger_url=f"s3://{bucket}/ledger", s3_region="us-east-1",
        s3_endpoint=server.url, s3_access_key_id="key-id", s3_secret_access_key="secret",
    )  # fmt: skip


@pytest.fixture
def bucket(s3_server: S3Server) -> Settings:
    return settings_at(s3_server)


def test_two_machines_write_one_ledger_and_lose_nothing(bucket: Settings) -> None:
    machines = [open_ledger(bucket), open_ledger(bucket)]
    assert [machine.read() for machine in machines] == [[], []]
    written = [entry() for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pair: machines[pair[0] % 2].append(pair[1]), enumerate(written)))
    machines[0].append(written[3])  # a repeat changes nothing
    found = [machine.read() for machine in (*machines, open_ledger(bucket))]
    assert found[0] == found[1] == found[2]
    assert sorted(found[0], key=str) == sorted(written, key=str)


async def test_what_one_machine_erased_no_other_one_serves(bucket: Settings, settings: Settings) -> None:
    elsewhere, here = open_ledger(bucket), open_ledger(bucket)
    database = Database(
        settings.database_url, vault=Vault(settings.master_key.get_secret_value()), clock=system_clock, ledger=here
    )
    home = await make_home(database)
    elsewhere.append(LedgerEntry(uuid.uuid4(), FAMILY, home.family_id))

    async def is_refused() -> bool:
        try:
            async with database.begin() as work:
                await work.fetch("SELECT 1")
        except ErasuresPendingError:
            return True
        return False

    try:
        await becomes_true(is_refused, FORGETFUL_WITHIN_S)
    finally:
        await database.close()


def test_a_bucket_that_is_away_stops_erasures_and_nothing_that_is_known() -> None:
    with S3Server() as other:
        bucket = settings_at(other)
        ledger, known = open_ledger(bucket), entry()
        ledger.append(known)
        assert ledger.read() == [known]
    with pytest.raises(LedgerAwayError):
        ledger.append(entry())
    assert ledger.read() == [known]
    assert ledger.unchanged_entries() == [known]
    with pytest.raises(LedgerAwayError):
        open_ledger(bucket).read()


def test_a_hole_or_a_foreign_object_stops_everything(bucket: Settings) -> None:
    ledger = open_ledger(bucket)
    for _ in range(3):
        ledger.append(entry())
    name, _, prefix = bucket.erasure_ledger_url.removeprefix("s3://").partition("/")
    store = S3Store(
        name, prefix=prefix, endpoint=bucket.s3_endpoint, region="us-east-1", access_key_id="key-id",
        secret_access_key="secret", client_options={"allow_http": True},
    )  # fmt: skip
    obstore.delete(store, "erasures/0000000002")
    with pytest.raises(LedgerBrokenError):
        open_ledger(bucket).read()
    obstore.put(store, "erasures/0000000002", b"{}")
    with pytest.raises(LedgerBrokenError):
        open_ledger(bucket).read()


def test_it_is_copied_into_backups_and_back(
    bucket: Settings, s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("backup") / "erasures.jsonl"
    ledger, written = open_ledger(bucket), [entry(), entry()]
    assert back_up_ledger(bucket, file) == 0
    for one in written:
        ledger.append(one)
    assert [back_up_ledger(bucket, file), back_up_ledger(bucket, file)] == [2, 0]
    assert ErasureLedger(file).read() == written
    fresh = settings_at(s3_server)
    assert bring_ledger(file, fresh) == 2
    assert open_ledger(fresh).read() == written


class _Forgetful(BaseHTTPRequestHandler):
    """An S3 server that ignores `If-None-Match`, as some do."""

    behind: tuple[str, int]
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "if-none-match"}
        connection = http.client.HTTPConnection(*self.behind)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - http.server's own names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_bucket_that_replaces_objects_takes_no_erasure(
    bucket: Settings, s3_server: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = type("Handler", (_Forgetful,), {"behind": (s3_server.host, s3_server.port)})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        replacing = open_ledger(bucket.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{port}"}))
        with pytest.raises(LedgerAwayError):
            replacing.append(entry())
        found = ledger_bucket(bucket.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{port}"}))
        assert (found.ok, "create only" in found.what) == (False, True)
        server.shutdown()
    assert ledger_bucket(bucket).ok
    away = ledger_bucket(bucket.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"}))
    assert (away.ok, "does not answer" in away.what) == (False, True)
    assert "erasure_ledger_not_create_only" in capsys.readouterr().out
    assert open_ledger(bucket).read() == []
