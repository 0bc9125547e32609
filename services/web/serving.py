"""Serve the built pages: addresses, content security policy, compression, caching.

Built files are read once, at the start: a page and its scripts are always of one build. A file is addressed with the
hash of the build (``/web/parents.js?v=...``) and never changes under it, so that a phone keeps it; pages and the
service worker are asked for again each time.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.web import spoken

BUILT: Final = Path(__file__).parent / "built"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".wasm": "application/wasm",
}
# `style` attributes set by script need no exception. The policy `worker` returns the one address of the service worker.
PARENTS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker"
)
# Scanning codes runs a compiled program; there is no worker, and nothing to hear.
STAFF_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_PAGE_HEADERS: Final = {
    "content-security-policy": PARENTS_POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}
WALL_POLICY: Final = STAFF_POLICY.replace(" 'wasm-unsafe-eval'", "")
_STAFF_HEADERS: Final = {
    "content-security-policy": STAFF_POLICY,
    "permissions-policy": "microphone=(), camera=(self), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "x-robots-tag": "noindex",
}
_WALL_HEADERS: Final = {
    **_STAFF_HEADERS,
    "content-security-policy": WALL_POLICY,
    "permissions-policy": "microphone=(), camera=(), geolocation=()",
}
# One application; the fragment of the address stays on the phone and says what to begin with.
PARENTS_ADDRESSES: Final = ("/", "/pair", "/log-in")
# What this phone can do, tried without a log-in.
CHECK_ADDRESS: Final = "/check"
# The console of the programme's staff, and what a hand-out shows on the wall.
STAFF_ADDRESS: Final = "/staff"
WALL_ADDRESS: Final = "/wall"
# Files that name the addresses of others.
_NAME_OTHERS: Final = frozenset({".html", ".js"})
# The worker itself, the page that tries a phone once, and what parents never open.
_NOT_KEPT: Final = frozenset({"sw.js", "check.js"})
_NOT_OF_PARENTS: Final = ("staff", "wall")
_FOREVER: Final = "public, max-age=31536000, immutable"
_EACH_TIME: Final = "no-cache"


@dataclass(frozen=True)
class _File:
    """A built file as it is sent, with its compressed form."""

    body: bytes
    media_type: str
    version: str

    @classmethod
    def of(cls, name: str, body: bytes) -> Self:
        """Return the file of this name."""
        media_type = _TYPES.get(Path(name).suffix, "application/octet-stream")
        return cls(body, media_type, hashlib.sha256(body).hexdigest()[:16])

    @cached_property
    def packed(self) -> bytes:
        """The compressed form; made when it is first asked for, because the decoder alone takes a tenth of a second."""
        return gzip.compress(self.body, 9, mtime=0)


class Pages:
    """The built pages of one folder, held in memory; ``build`` is the hash that their addresses carry."""

    def __init__(self, folder: Path = BUILT) -> None:
        bodies = {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}
        self.build = hashlib.sha256(repr(sorted(bodies.items())).encode()).hexdigest()[:16]
        listed = self._listed(bodies).encode()
        self._files: dict[str, _File] = {}
        for name, body in bodies.items():
            if Path(name).suffix not in _NAME_OTHERS:
                self._files[name] = _File.of(name, body)
                continue
            placed = body.replace(b"{{files}}", listed)
            for other in bodies:
                address = self._address(other).encode()
                # In pages a name in braces; in scripts the import of another part.
                placed = placed.replace(f"{{{{{other}}}}}".encode(), address)
                placed = placed.replace(f'"./{other}"'.encode(), b'"' + address + b'"')
            self._files[name] = _File.of(name, placed)

    def routes(self) -> list[Route]:
        """Return the routes of all pages and files."""
        pages = [Route(address, self._page, name=f"page {address}") for address in PARENTS_ADDRESSES]
        return [
            *pages,
            Route(CHECK_ADDRESS, self._check, name="page /check"),
            Route(STAFF_ADDRESS, self._staff, name="page /staff"),
            Route(WALL_ADDRESS, self._wall, name="page /wall"),
            *spoken.routes(),
            Route("/sw.js", self._worker, name="service worker"),
            Route("/manifest.webmanifest", self._manifest, name="manifest"),
            Route("/web/{name:path}", self._asset, name="built file"),
        ]

    def sizes(self) -> Mapping[str, int]:
        """Return the compressed size of each file in bytes."""
        return {name: len(file.packed) for name, file in self._files.items()}

    def _address(self, name: str) -> str:
        return f"/web/{name}?v={self.build}"

    def _listed(self, bodies: Mapping[str, bytes]) -> str:
        """Return what a phone keeps to start without a network: the addresses of the application's own files."""
        scripts = [
            name
            for name in bodies
            if Path(name).suffix in {".js", ".css"} and name not in _NOT_KEPT and not name.startswith(_NOT_OF_PARENTS)
        ]
        kept = [self._address(name) for name in scripts]
        # A JSON text inside a quoted string of the script.
        return json.dumps(json.dumps(kept))[1:-1]

    def _words_for(self, accepted: str) -> str:
        """Return the built file of words that the page will choose for these languages, as a browser lists them."""
        fitting = {name.split(".")[1].split("-")[0]: name for name in self._files if name.startswith("locale.")}
        languages = (tag.split(";")[0].split("-")[0].strip().lower() for tag in accepted.split(","))
        return next((fitting[language] for language in languages if language in fitting), "locale.en.json")

    async def _page(self, request: Request) -> Response:
        # The words are asked for together with the scripts, not after them: a round trip less on a slow network.
        words = self._words_for(request.headers.get("accept-language", ""))
        ahead = {"link": f"<{self._address(words)}>; rel=preload; as=fetch; crossorigin"}
        return self._answer(
            request, "parents.html", _EACH_TIME, {**_PAGE_HEADERS, **ahead}, vary="Accept-Encoding, Accept-Language"
        )

    async def _check(self, request: Request) -> Response:
        return self._answer(request, "check.html", _EACH_TIME, _PAGE_HEADERS)

    async def _staff(self, request: Request) -> Response:
        return self._answer(request, "staff.html", _EACH_TIME, _STAFF_HEADERS)

    async def _wall(self, request: Request) -> Response:
        return self._answer(request, "wall.html", _EACH_TIME, _WALL_HEADERS)

    async def _worker(self, request: Request) -> Response:
        return self._answer(request, "sw.js", _EACH_TIME, {"content-security-policy": PARENTS_POLICY})

    async def _manifest(self, request: Request) -> Response:
        return self._answer(request, "manifest.webmanifest", _EACH_TIME, {})

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = self._files.get(name)
        is_current = file is not None and request.query_params.get("v") == self.build
        return self._answer(request, name, _FOREVER if is_current else _EACH_TIME, {})

    def _answer(
        self, request: Request, name: str, caching: str, headers: Mapping[str, str], vary: str = "Accept-Encoding"
    ) -> Response:
        file = self._files.get(name)
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        tag = f'"{file.version}"'
        sent = {**headers, "cache-control": caching, "etag": tag, "vary": vary}
        if request.headers.get("if-none-match") in {tag, f"W/{tag}"}:
            return Response(status_code=304, headers=sent)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**sent, "content-encoding": "gzip"}, media_type=file.media_type)
        return Response(file.body, headers=sent, media_type=file.media_type)
