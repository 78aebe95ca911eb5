"""The refresh token's cookie, and which pages may use it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from examkit.errors import forbidden
from examprotos.auth.v1 import identity_pb2
from starlette.requests import Request
from starlette.responses import Response

COOKIE = "refresh_token"
PATH = "/api/v1/auth"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class RefreshCookie:
    """`secure`: only over HTTPS. `origins`: pages elsewhere that may refresh."""

    secure: bool
    origins: Collection[str]

    def give(self, response: Response, session: identity_pb2.Session) -> None:
        response.set_cookie(
            COOKIE,
            session.refresh_token,
            max_age=session.refresh_expires_in,
            path=PATH,
            secure=self.secure,
            httponly=True,
            samesite="strict",
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(COOKIE, path=PATH, secure=self.secure, httponly=True, samesite="strict")

    def check_origin(self, request: Request) -> None:
        """Raises forbidden for a page that is neither ours nor named.

        Browsers tell at least one of Origin and Sec-Fetch-Site; who sends neither is no browser.
        """
        origin = request.headers.get("origin")
        if origin is None:
            if "sec-fetch-site" in request.headers:
                raise forbidden("This origin may not use the session.")
            return
        if origin not in self.origins and not self._same(origin, request.headers.get("host", "")):
            raise forbidden("This origin may not use the session.")

    def _same(self, origin: str, host: str) -> bool:
        """Whether the page came from this very host; over HTTPS where cookies are for HTTPS alone."""
        try:
            page, here = urlsplit(origin), urlsplit(f"//{host}")
            standard = _DEFAULT_PORTS.get(page.scheme)
            if standard is None or (self.secure and page.scheme != "https"):
                return False
            return (page.hostname, page.port or standard) == (here.hostname, here.port or standard)
        except ValueError:
            return False
