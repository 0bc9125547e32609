"""The pages of the documents: of our own files only, and what they say to type works."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from services.api.app import create_app
from services.api.documents import pages
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.protocol import asyncapi
from tests.support.http import code_in, enrol_family, new_phone, sms_to

FOLDER = Path(pages.__file__).parent
PAGES = ("/docs", "/docs/watches", "/docs/problems")


class Loaded(HTMLParser):
    """Resources that a page loads or inlines."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inside: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in {"script", "img", "link"}:
            self.addresses += [value for name in ("src", "href") if (value := attributes.get(name))]
        if (tag == "script" and "src" not in attributes) or tag == "style":
            self.inside.append(tag)
        self.inside += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        if value := attributes.get("id"):
            self.anchors.add(value)
        if (value := attributes.get("href")) and value.startswith("#"):
            self.links.add(value[1:])


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_our_own_files_only(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    loaded = Loaded(answer.text)
    assert loaded.inside == []
    assert loaded.links <= loaded.anchors
    for address in loaded.addresses:
        assert address.startswith("/docs/assets/")
        asset = await client.get(address)
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith(("text/css", "text/javascript"))
        assert "max-age" in asset.headers["cache-control"]


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json", "/docs/watches"])
async def test_requests_are_answered_while_a_document_is_written(
    settings: Settings, database: Database, path: str
) -> None:
    """That takes up to a second, and anybody may ask for it: it must not hold up everybody else."""
    pages._watch_protocol.cache_clear()  # noqa: SLF001 - as in a process that has just started
    app = create_app(settings, database)
    new = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test")
    async with app.router.lifespan_context(app), new:
        writing = asyncio.gather(*(new.get(path) for _ in range(3)))
        answered = 0
        while not writing.done():
            answered += (await new.get("/healthz")).is_success
            # No socket is waited for here: without this the event loop would not see that the thread is done.
            await asyncio.sleep(0)
        assert answered > 2
        first, *others = [answer.text for answer in await writing]
        assert others == [first, first]


async def test_every_other_answer_allows_nothing(client: httpx.AsyncClient) -> None:
    for path in ("/openapi.json", "/healthz", "/docs/assets/documents.css"):
        assert (await client.get(path)).headers["content-security-policy"].startswith("default-src 'none'; frame-anc")
    for missing in ("/redoc", "/docs/oauth2-redirect", "/docs/assets/LICENSE", "/docs/assets/..%2Fpages.py"):
        assert (await client.get(missing)).status_code == 404


async def test_assets_are_what_was_published_and_reach_clients_without_gzip(client: httpx.AsyncClient) -> None:
    table = (FOLDER / "swagger_ui" / "README.md").read_text()
    hashes = dict(re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", table, re.MULTILINE))
    assert hashes.keys() == {file.name.removesuffix(".gz") for file in (FOLDER / "swagger_ui").glob("*.gz")}
    for name, sha256 in hashes.items():
        content = gzip.decompress((FOLDER / "swagger_ui" / f"{name}.gz").read_bytes())
        assert hashlib.sha256(content).hexdigest() == sha256
        packed = await client.get(f"/docs/assets/{name}")
        plain = await client.get(f"/docs/assets/{name}", headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content == content


async def test_the_page_of_the_watch_protocol_shows_every_operation_message_and_field(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/docs/watches")).text
    document = asyncapi.document()
    anchors = Loaded(page).anchors
    assert {f"operation-{name}" for name in document["operations"]} <= anchors
    assert {f"message-{name}" for name in document["components"]["messages"]} <= anchors
    for name, schema in document["components"]["schemas"].items():
        assert f"schema-{name}" in anchors
        assert all(f"<code>{field}</code>" in page for field in schema.get("properties", {}))
    assert "<script" not in page


async def test_the_page_of_problems_shows_every_code(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs/problems")).text
    spec = (await client.get("/openapi.json")).json()
    assert {problem_type["code"] for problem_type in spec["x-problem-types"]} <= Loaded(page).anchors


async def test_log_in_works_from_the_example_of_the_page_at_the_first_try(
    client: httpx.AsyncClient, database: Database
) -> None:
    phone = new_phone()
    await enrol_family(database, phone)
    described = (await client.get("/openapi.json")).json()["info"]["description"]
    commands = [line for line in described.splitlines() if line.startswith("curl ")]
    assert len(commands) == 3
    known = {"+8613800138000": phone}
    answers = []
    for command in commands:
        for placeholder, value in known.items():
            command = command.replace(placeholder, value)  # noqa: PLW2901 - filled in as a reader would
        answers.append(await play(client, command))
        assert answers[-1].is_success, answers[-1].text
        known |= {f"<{name}>": str(value) for name, value in answers[-1].json().items()}
        if "<challenge_id>" in known and "<code>" not in known:
            known["<code>"] = code_in((await sms_to(database, phone))[-1])
    assert answers[-1].json()["phone"] == phone


async def play(client: httpx.AsyncClient, command: str) -> httpx.Response:
    """Send what a curl command with -s, -H and -d would send."""
    words = iter(shlex.split(command)[1:])
    address, headers, content = "", {}, None
    for word in words:
        match word:
            case "-s":
                continue
            case "-H":
                name, value = next(words).split(": ", 1)
                headers[name] = value
            case "-d":
                content = next(words)
                json.loads(content)
            case _:
                assert not address, f"curl would take {word} for a second address"
                address = word
    assert address.startswith("http://127.0.0.1:8080/")
    method = "GET" if content is None else "POST"
    return await client.request(method, httpx.URL(address).path, headers=headers, content=content)


async def test_an_unknown_field_is_named_and_its_value_is_not(client: httpx.AsyncClient) -> None:
    body = {"phone": "+8613800138000", "colour": "a secret value", "+8613900139000": 1, "a sentence": 2}
    answer = await client.post("/v1/auth/codes", json=body)
    assert answer.status_code == 422
    assert [error.get("unknown") for error in answer.json()["errors"]] == ["colour", None, None]
    assert all(error["pointer"] == "" for error in answer.json()["errors"])
    assert "secret" not in answer.text
    assert "139" not in answer.text
