"""The pages of the documents, made of our own files only: the API, the watch protocol, the problems."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from services import __version__
from services.api.access import OPEN
from services.api.declaring import Routes
from services.api.documents.additions import problem_types

if TYPE_CHECKING:
    from jinja2 import Environment

router = Routes(prefix="/docs", include_in_schema=False, dependencies=[OPEN])

# No script, style, font or frame from elsewhere, and none that stands in a page. Pictures in the viewer's own style
# sheet are data addresses.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CSS, _JS = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
# Name: folder, file and media type. Compressed files are sent as they are to clients that read gzip.
_ASSETS: Final[Mapping[str, tuple[str, str, str]]] = {
    "swagger-ui.css": ("swagger_ui", "swagger-ui.css.gz", _CSS),
    "swagger-ui-bundle.js": ("swagger_ui", "swagger-ui-bundle.js.gz", _JS),
    "documents.css": ("templates", "documents.css", _CSS),
    "viewer.js": ("templates", "viewer.js", _JS),
}
# An hour: a new version of the product may have new files under these names.
_CACHE: Final = "public, max-age=3600"


@router.get("")
async def api_page() -> HTMLResponse:
    """Return the page of the API: Swagger UI on /openapi.json."""
    return _page("api.html.jinja", title="API")


@router.get("/watches")
async def watch_protocol_page() -> HTMLResponse:
    """Return the page of the watch protocol, rendered from the AsyncAPI document."""
    # The first time takes a fifth of a second, in which other requests go on.
    return await asyncio.to_thread(_watch_protocol)


@router.get("/problems")
async def problems_page() -> HTMLResponse:
    """Return the page of all problem types."""
    return _page("problems.html.jinja", title="Problems", problems=problem_types())


@router.get("/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    """Return a style sheet or script of these pages."""
    if name not in _ASSETS:
        raise HTTPException(404)
    folder, file, media_type = _ASSETS[name]
    content = _content(folder, file)
    headers = {"Cache-Control": _CACHE, "Vary": "Accept-Encoding"}
    if file.endswith(".gz"):
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    return Response(content, media_type=media_type, headers=headers)


@cache
def _content(folder: str, file: str) -> bytes:
    return resources.files(__package__).joinpath(folder, file).read_bytes()


@cache
def _environment() -> Environment:
    # The API starts without them: few people read the pages.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415
    from markdown_it import MarkdownIt  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader(__package__, "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    # Tables beside CommonMark; HTML inside the text stays text.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    environment.filters["markdown"] = lambda text: Markup(markdown.render(text))  # noqa: S704 - escaped by the renderer
    environment.filters["last"] = lambda reference: reference.rpartition("/")[2]
    return environment


def _page(template: str, **values: object) -> HTMLResponse:
    content = _environment().get_template(template).render(version=__version__, **values)
    return HTMLResponse(content, headers={"Content-Security-Policy": POLICY, "Cache-Control": _CACHE})


@cache
def _watch_protocol() -> HTMLResponse:
    # The API starts without the models of the protocol, of which it uses none.
    from services.protocol import asyncapi  # noqa: PLC0415

    document = asyncapi.document()
    return _page("watches.html.jinja", title="Watch protocol", document=document, limits=document["x-limits"])
