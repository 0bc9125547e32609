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
from http import HTTPStatus
from pathlib import Path
from typing import Final

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
    ".png": "image/png",
}
# `style` attributes set by script need no exception. The policy `worker` returns the one address of the service worker.
PARENTS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker"
)
_PAGE_HEADERS: Final = {
    "content-security-policy": PARENTS_POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}
# One application; the fragment of the address stays on the phone and says what to begin with.
PARENTS_ADDRESSES: Final = ("/", "/pair", "/log-in")
# What this phone can do, tried without a log-in.
CHECK_ADDRESS: Final = "/check"
# The worker itself, and the page that tries a phone once.
_NOT_KEPT: Final = frozenset({"sw.js", "check.js"})
_FOREVER: Final = "public, max-age=31536000, immutable"
_EACH_TIME: Final = "no-cache"


@dataclass(frozen=True)
class _File:
    """A built file as it is sent, with its compressed form."""

    body: bytes
    packed: bytes
    media_type: str
    version: str


class Pages:
    """The built pages of one folder, held in memory; ``build`` is the hash that their addresses carry."""

    def __init__(self, folder: Path = BUILT) -> None:
        bodies = {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}
        self.build = hashlib.sha256(repr(sorted(bodies.items())).encode()).hexdigest()[:16]
        listed = self._listed(bodies).encode()
        self._files: dict[str, _File] = {}
        for name, body in bodies.items():
            placed = body.replace(b"{{files}}", listed)
            for other in bodies:
                address = self._address(other).encode()
                # In pages a name in braces; in scripts the import of another part.
                placed = placed.replace(f"{{{{{other}}}}}".encode(), address)
                placed = placed.replace(f'"./{other}"'.encode(), b'"' + address + b'"')
            self._files[name] = _file(placed, Path(name).suffix)

    def routes(self) -> list[Route]:
        """Return the routes of all pages and files."""
        pages = [Route(address, self._page, name=f"page {address}") for address in PARENTS_ADDRESSES]
        return [
            *pages,
            Route(CHECK_ADDRESS, self._check, name="page /check"),
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
        scripts = [name for name in bodies if Path(name).suffix in {".js", ".css"} and name not in _NOT_KEPT]
        kept = [self._address(name) for name in scripts]
        # A JSON text inside a quoted string of the script.
        return json.dumps(json.dumps(kept))[1:-1]

    async def _page(self, request: Request) -> Response:
        return self._answer(request, "parents.html", _EACH_TIME, _PAGE_HEADERS)

    async def _check(self, request: Request) -> Response:
        return self._answer(request, "check.html", _EACH_TIME, _PAGE_HEADERS)

    async def _worker(self, request: Request) -> Response:
        return self._answer(request, "sw.js", _EACH_TIME, {"content-security-policy": PARENTS_POLICY})

    async def _manifest(self, request: Request) -> Response:
        return self._answer(request, "manifest.webmanifest", _EACH_TIME, {})

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = self._files.get(name)
        is_current = file is not None and request.query_params.get("v") == self.build
        return self._answer(request, name, _FOREVER if is_current else _EACH_TIME, {})

    def _answer(self, request: Request, name: str, caching: str, headers: Mapping[str, str]) -> Response:
        file = self._files.get(name)
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        tag = f'"{file.version}"'
        sent = {**headers, "cache-control": caching, "etag": tag, "vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") in {tag, f"W/{tag}"}:
            return Response(status_code=304, headers=sent)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**sent, "content-encoding": "gzip"}, media_type=file.media_type)
        return Response(file.body, headers=sent, media_type=file.media_type)


def _file(body: bytes, suffix: str) -> _File:
    packed = gzip.compress(body, 9, mtime=0)
    return _File(body, packed, _TYPES.get(suffix, "application/octet-stream"), hashlib.sha256(body).hexdigest()[:16])
