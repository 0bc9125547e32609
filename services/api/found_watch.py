"""The page behind a label's QR code: whoever finds a watch reads whom to call, in four languages.

The serial stands in the address's fragment, which browsers do not send: the page is the same for every watch, loads
nothing, runs no script and asks nothing.
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse

from services.api.access import OPEN
from services.api.declaring import Routes
from services.api.dependencies import SettingsHere
from services.core.office.papers.site_papers import Imprint, programme_phone
from services.core.office.papers.wording import paper_texts
from services.core.platform.locales import LOCALES, region_of

router = Routes(tags=["system"])

_STYLE = (
    "body{margin:0;background:#faf6f0;color:#1f2933;font:18px/1.6 system-ui,sans-serif}"
    "main{max-width:34rem;margin:0 auto;padding:24px 16px}"
    "section{background:#fff;border-radius:12px;padding:8px 16px;margin-block-end:16px}"
    "h2{font-size:20px;margin:8px 0}p{margin:8px 0}"
    "a{display:inline-block;min-height:48px;line-height:48px;font-size:22px;color:#a63f17}"
    "@media(prefers-color-scheme:dark){body{background:#14181b;color:#f2eee8}section{background:#1f2529}a{color:#f2a273}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"


@router.get("/w", response_class=HTMLResponse, dependencies=[OPEN])
async def found_watch(settings: SettingsHere) -> HTMLResponse:
    """Show whoever found a watch the programme's numbers. The same page for every watch, real or not."""
    return HTMLResponse(found_page(settings.phones_of_programme()), headers={"content-security-policy": _POLICY})


def found_page(phones: Mapping[str, str]) -> str:
    """Return the page; a language shows the number of its country first."""
    sections = "".join(_section(locale, phones) for locale in LOCALES)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>SmartWatch</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main>{sections}</main></body></html>"
    )


def _section(locale: str, phones: Mapping[str, str]) -> str:
    texts = paper_texts(locale)
    own = region_of(locale)
    countries = [own] if own in phones else sorted(phones)
    imprint = Imprint("", phones)
    links = "<br>".join(
        f'<a href="tel:{escape(phones[country])}">{escape(programme_phone(imprint, country))}</a>'
        for country in countries
        if country is not None
    )
    return (
        f'<section lang="{locale}"><h2>{escape(texts["found.title"])}</h2>'
        f"<p>{escape(texts['found.ask'])}</p><p>{links}</p></section>"
    )
