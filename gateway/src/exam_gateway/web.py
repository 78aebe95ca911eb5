"""The pages at `/`: the web export where there is one, else a plain page that says what this is."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from exam_gateway import problems

_OWN = Path(__file__).parent / "static"
_LANDING = {"/": ("index.html", "text/html"), "/landing.css": ("landing.css", "text/css")}
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_POLICY = (
    "default-src 'self'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class _Pages:
    path = "web"


class Web:
    """`root`: the folder of the export; empty: the landing page. `docs`: whether to link to the docs."""

    def __init__(self, root: str, *, docs: bool) -> None:
        self._root = Path(root) if root else None
        self._files = StaticFiles(directory=root, html=True) if root else None
        self._docs = docs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = _Pages
        if scope["method"] not in {"GET", "HEAD"}:
            response = problems.from_status(405, "This address takes GET.", {"allow": "GET, HEAD"})
            await response(scope, receive, send)
        elif self._files is None:
            await self._landing(scope["path"])(scope, receive, send)
        else:
            await self._export(self._files, scope, receive, send)

    def _landing(self, path: str) -> Response:
        if path not in _LANDING:
            return _nothing()
        name, media_type = _LANDING[path]
        if name == "index.html" and not self._docs:
            page = re.sub(r"\s*<li><a href=\"/api/.*?</li>", "", (_OWN / name).read_text())
            return Response(page, media_type=media_type, headers=_headers(""))
        return FileResponse(_OWN / name, media_type=media_type, headers=_headers(""))

    async def _export(self, files: StaticFiles, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message["headers"]}
                if headers.get(b"content-type", b"").startswith(b"text/html"):
                    policy = _headers(self._hashes(scope["path"]))
                    message["headers"] = [
                        *message["headers"],
                        *((name.encode(), value.encode()) for name, value in policy.items()),
                    ]
            await send(message)

        try:
            response = await files.get_response(files.get_path(scope), scope)
        except HTTPException:
            response = _nothing()
        await response(scope, receive, with_policy)

    def _hashes(self, path: str) -> str:
        """Static exports start with inline scripts: exactly those of this page may run."""
        assert self._root is not None
        for name in (path.strip("/"), f"{path.strip('/')}/index.html", f"{path.strip('/')}.html", "404.html"):
            page = (self._root / name.lstrip("/")).resolve()
            if page.is_relative_to(self._root.resolve()) and page.suffix == ".html" and page.is_file():
                return _inline_hashes(page, page.stat().st_mtime_ns)
        return ""


@lru_cache(maxsize=256)
def _inline_hashes(page: Path, _modified: int) -> str:
    found = (hashlib.sha256(script).digest() for script in _INLINE.findall(page.read_bytes()))
    return "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in found)


def _headers(hashes: str) -> dict[str, str]:
    return {"content-security-policy": _POLICY.format(hashes=hashes), "cache-control": "no-cache"}


def _nothing() -> Response:
    return problems.from_status(404, "There is nothing at this address.")
