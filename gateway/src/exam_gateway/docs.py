"""The OpenAPI document and its page, with assets of our own: nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from exam_gateway import problems

DOCUMENT = "/api/v1/openapi.json"
PAGE = "/api/v1/docs"
# Swagger UI styles elements as it goes; scripts come from here and nowhere else.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OWN = Path(__file__).parent / "static"

Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Asset:
    """A file, or a text, at one address."""

    def __init__(self, path: str, content: Path | bytes, media_type: str, csp: str | None = None) -> None:
        self.path = path
        self._content = content
        self._media_type = media_type
        self._headers = {"cache-control": "no-cache"} | ({"content-security-policy": csp} if csp else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self
        if scope["method"] not in {"GET", "HEAD"}:
            response = problems.from_status(405, "This address takes GET.", {"allow": "GET, HEAD"})
        elif isinstance(self._content, Path):
            response = FileResponse(self._content, media_type=self._media_type, headers=self._headers)
        else:
            response = Response(self._content, media_type=self._media_type, headers=self._headers)
        await response(scope, receive, send)


def docs_routes(document: dict[str, Any]) -> dict[str, Endpoint]:
    """By exact path."""
    swagger = _swagger()
    assets = (
        _Asset(DOCUMENT, msgspec.json.encode(document), "application/json"),
        _Asset(PAGE, _OWN / "docs.html", "text/html", CSP),
        _Asset(f"{PAGE}/init.js", _OWN / "docs.js", "text/javascript"),
        _Asset(f"{PAGE}/swagger-ui.css", swagger / "swagger-ui.css", "text/css"),
        _Asset(f"{PAGE}/swagger-ui-bundle.js", swagger / "swagger-ui-bundle.js", "text/javascript"),
    )
    return {asset.path: asset for asset in assets}


def _swagger() -> Path:
    """Where fastapi-offline keeps Swagger UI; the package itself is not imported."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("fastapi-offline is not installed")
    return Path(spec.origin).parent / "static"
