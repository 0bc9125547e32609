"""Refresh and device tokens in cookies, for pages: no script of a page can read them.

Guardians and staff have a cookie each, so that one browser can hold both sessions. That of staff carries the prefix
`__Host-`: browsers then refuse it from any other host, from a page without TLS, and for a part of the addresses.

Only the routes of log-in read these cookies, and only for requests that the page of this server itself makes. Every
other route needs the access token in a header, so that no cookie alone changes anything.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Cookie, Header, Request, Response

from services.core.platform.errors import CoreError

REFRESH_COOKIE: Final = "sw_refresh"
DEVICE_COOKIE: Final = "sw_device"
COOKIE_PATH: Final = "/v1/auth"
STAFF_COOKIE: Final = "__Host-sw_staff"
# The prefix `__Host-` asks for it.
STAFF_COOKIE_PATH: Final = "/"
PAGE_HEADER: Final = "X-SmartWatch"
# The longest lifetime that browsers grant to a cookie.
_DEVICE_COOKIE_MAX_AGE_S: Final = 400 * 24 * 3600

PageMark = Annotated[str | None, Header(alias=PAGE_HEADER, max_length=20, description="`web` from the parents' app")]
RefreshCookie = Annotated[str | None, Cookie(alias=REFRESH_COOKIE, max_length=200, include_in_schema=False)]
DeviceCookie = Annotated[str | None, Cookie(alias=DEVICE_COOKIE, max_length=100, include_in_schema=False)]

StaffCookie = Annotated[str | None, Cookie(alias=STAFF_COOKIE, max_length=200, include_in_schema=False)]


class ForeignPageError(CoreError):
    """Cookies are used or set by pages of this server only."""

    code = "foreign_page"
    sentence = "Cookies are only for the pages of this server."


def is_own_page(request: Request, mark: str | None) -> bool:
    """Return whether a page of this server sent the request.

    A page elsewhere cannot set the header without a preflight, which this server never grants, and a browser does not
    let it choose its ``Origin``. Behind a proxy the scheme of the request is not known, so only the host is compared.
    """
    if mark != "web":
        return False
    origin = request.headers.get("origin", "")
    public = urlsplit(request.app.state.settings.public_url)
    own = {request.headers.get("host", ""), public.netloc}
    return urlsplit(origin).scheme in {"https", "http"} and urlsplit(origin).netloc in own - {""}


def require_own_page(request: Request, mark: str | None) -> None:
    """Raise ForeignPageError unless a page of this server sent the request."""
    if not is_own_page(request, mark):
        raise ForeignPageError


def set_cookies(response: Response, *, refresh_token: str, refresh_expires_in_s: int, device_token: str | None) -> None:
    """Keep the tokens of a session in cookies; without a device token the stored one stays."""
    _set(response, REFRESH_COOKIE, refresh_token, refresh_expires_in_s)
    if device_token is not None:
        _set(response, DEVICE_COOKIE, device_token, _DEVICE_COOKIE_MAX_AGE_S)


def forget_session(response: Response) -> None:
    """Remove the refresh token; the device stays known, as with tokens that an app keeps itself."""
    _set(response, REFRESH_COOKIE, "", 0)


def keep_staff_session(response: Response, refresh_token: str) -> None:
    """Keep a staff session in a cookie that the browser forgets when it is closed."""
    _set(response, STAFF_COOKIE, refresh_token, None, STAFF_COOKIE_PATH)


def forget_staff_session(response: Response) -> None:
    """Remove the refresh token of a staff session."""
    _set(response, STAFF_COOKIE, "", 0, STAFF_COOKIE_PATH)


def _set(response: Response, name: str, value: str, max_age_s: int | None, path: str = COOKIE_PATH) -> None:
    response.set_cookie(name, value, max_age=max_age_s, path=path, secure=True, httponly=True, samesite="strict")
