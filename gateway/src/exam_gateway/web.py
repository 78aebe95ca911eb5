"""The pages at `/`: the web export where there is one, else a plain page that says what this is."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from exam_gateway import problems
from exam_gateway.export import POLICY, Export

_OWN = Path(__file__).parent / "static"
_LANDING = {"/": ("index.html", "text/html"), "/landing.css": ("landing.css", "text/css")}
_HEADERS = {
    "content-security-policy": POLICY.format(scripts="", styles=""),
    "cache-control": "no-cache",
}


class _Pages:
    path = "web"


class Web:
    """`root`: the folder of the export; empty: the landing page. `docs`: whether to link to the docs."""

    def __init__(self, root: str, *, docs: bool) -> None:
        self._export = Export(Path(root)) if root else None
        self._docs = docs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = _Pages
        if scope["method"] not in {"GET", "HEAD"}:
            response = problems.from_status(405, "This address takes GET.", {"allow": "GET, HEAD"})
        elif self._export is None:
            response = self._landing(scope["path"])
        else:
            response = await self._export.respond(scope) or _nothing()
        await response(scope, receive, send)

    def _landing(self, path: str) -> Response:
        if path not in _LANDING:
            return _nothing()
        name, media_type = _LANDING[path]
        if name == "index.html" and not self._docs:
            page = re.sub(r"\s*<li><a href=\"/api/.*?</li>", "", (_OWN / name).read_text())
            return Response(page, media_type=media_type, headers=_HEADERS)
        return FileResponse(_OWN / name, media_type=media_type, headers=_HEADERS)


def _nothing() -> Response:
    return problems.from_status(404, "There is nothing at this address.")
