"""A DHIS2 system on loopback, written from its documented answers: it checks, stores by key, and complains."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.core.measurement.dhis2_imports.rules import Conflict, Summary
from services.core.measurement.dhis2_imports.tables import Dhis2Import
from services.core.platform.db.database import Database
from tests.support.http import Place

TOKEN = "d2pat_5xVA12xyUbWNedQxy4ohH77WlxRGVvZZ1151814092"


def summary(
    status: str = "SUCCESS", *, imported: int = 0, updated: int = 0, ignored: int = 0,
    conflicts: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return an import summary as DHIS2 answers it."""
    return {
        "responseType": "ImportSummary", "status": status, "description": "Import process completed successfully",
        "importOptions": {"dryRun": False, "async": False, "importStrategy": "CREATE_AND_UPDATE"},
        "importCount": {"imported": imported, "updated": updated, "ignored": ignored, "deleted": 0},
        "conflicts": conflicts or [], "dataSetComplete": "false",
    }  # fmt: skip


def conflict(uid: str, problem: str) -> dict[str, Any]:
    """Return a conflict as version 2.38 and later word it."""
    return {"object": uid, "objects": {"dataElement": uid}, "value": problem, "errorCode": "E7610", "indexes": [0]}


def wrapped(summary: dict[str, Any], status: int) -> dict[str, Any]:
    """Return a summary in the message around it, as version 2.38 and later answer."""
    return {
        "httpStatus": HTTPStatus(status).phrase, "httpStatusCode": status,
        "status": "OK" if summary["status"] == "SUCCESS" else summary["status"],
        "message": "Import was successful." if status == HTTPStatus.OK
        else "One more conflicts encountered, please check import summary.",
        "response": summary,
    }  # fmt: skip


@dataclass
class Dhis2:
    """Stores data values by data element, period and organisation unit; ``answers`` come before its own."""

    elements: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    is_new: bool = True
    token: str = TOKEN
    port: int = 0
    values: dict[tuple[str, str, str], str] = field(default_factory=dict)
    # The parameters and the number of values of each request that was authorised.
    requests: list[tuple[dict[str, str], int]] = field(default_factory=list)
    # (status, body) in place of the own answer; None as status: the connection breaks off after the values are stored.
    answers: deque[tuple[int | None, object]] = field(default_factory=deque)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Dhis2]:
        """Answer on a free port of loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            content = await reader.readexactly(int(headers.get("content-length", "0")))
            method, target, _ = first.split(" ")
            status, body = self._answer(method, target, headers, content)
            if status is not None:
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                extra = "Retry-After: 120\r\n" if status == HTTPStatus.TOO_MANY_REQUESTS else ""
                extra += (
                    f"Location: {self.url}/dhis-web-commons/security/login.action\r\n" if status // 100 == 3 else ""
                )
                head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n{extra}\r\n"
                writer.write(head.encode() + raw)
                await writer.drain()
        writer.close()

    def _answer(  # noqa: PLR0911 - an answer each
        self, method: str, target: str, headers: dict[str, str], content: bytes
    ) -> tuple[int | None, object]:
        parts = urlsplit(target)
        if (method, parts.path) != ("POST", "/api/dataValueSets"):
            return 404, b"<html>Not found</html>"
        if headers.get("authorization") != f"ApiToken {self.token}":
            return 401, {"httpStatus": "Unauthorized", "httpStatusCode": 401, "status": "ERROR"}
        if headers.get("content-type") != "application/json":
            return 415, b""
        query = dict(parse_qsl(parts.query))
        values: list[dict[str, str]] = json.loads(content)["dataValues"]
        self.requests.append((query, len(values)))
        forced = self.answers.popleft() if self.answers else (0, None)
        if forced[0]:
            return forced
        summary = self._take(values, is_dry=query["dryRun"] == "true")
        if forced[0] is None:
            return None, None
        if not self.is_new:
            return 200, summary
        status = 200 if summary["status"] == "SUCCESS" else 409
        return status, wrapped(summary, status)

    def _take(self, values: list[dict[str, str]], *, is_dry: bool) -> dict[str, Any]:
        count = {"imported": 0, "updated": 0, "ignored": 0}
        conflicts: dict[str, dict[str, Any]] = {}
        for value in values:
            key = (value["dataElement"], value["period"], value["orgUnit"])
            unknown = [uid for uid, known in ((key[0], self.elements), (key[2], self.units)) if uid not in known]
            for uid in unknown:
                what = "Data element" if uid == key[0] else "Organisation unit"
                conflicts[uid] = conflict(uid, f"{what} not found or not accessible: `{uid}`")
            count["ignored" if unknown else "updated" if key in self.values else "imported"] += 1
            if not unknown and not is_dry:
                self.values[key] = value["value"]
        return summary("WARNING" if conflicts else "SUCCESS", **count, conflicts=list(conflicts.values()))


async def ended_dhis2_import(database: Database, place: Place) -> str:
    """Make an import of the place's programme that DHIS2 rejected, and return its id."""
    conflicts = (Conflict("fbfJHSPpUQD", "Data element not found", "E7610"),)
    async with database.begin() as work:
        made = Dhis2Import(
            programme_id=place.site.programme_id, state="conflicts", problem="conflicts", asked_at=work.now,
            changed_at=work.now, ended_at=work.now, checked=Summary(0, 0, 1, 1, conflicts).written(),
        )  # fmt: skip
        work.add(made)
        return str(made.import_id)
