"""The files of a static web export: which one an address means, how it is cached, what its page may do."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import Scope

POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self'{styles}; img-src 'self' data: blob:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HASHED = "_next/static/"
"""What is in there has another name when it changes."""
_WORKER = "sw.js"
_HASHES = "csp.json"
_NOT_FOUND = "404.html"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_STYLE = re.compile(rb"<style[^>]*>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True)
class _File:
    """`name`: within the export; `path`: where it really is, once links are followed."""

    name: str
    path: Path
    stat: os.stat_result


class Export:
    """`root`: the folder, with an `index.html` for each page. Compressed neighbours (`.br`, `.gz`) and
    `csp.json`, with the hashes of each page's inline scripts, are made at build.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def respond(self, scope: Scope) -> Response | None:
        """None where there is nothing, and no page that says so either."""
        # Files are looked up and hashed in a thread: a slow disk must not hold up those who save.
        return await run_in_threadpool(self._respond, scope["path"], Headers(scope=scope), scope)

    def _respond(self, path: str, asked: Headers, scope: Scope) -> Response | None:
        name = path.lstrip("/")
        file = self._file(f"{name}index.html" if not name or name.endswith("/") else name)
        if file is not None:
            return self._found(file, asked)
        if name and self._file(f"{name}/index.html") is not None:
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse(f"/{quote(name)}/" + (f"?{query}" if query else ""), 308)
        page = self._file(_NOT_FOUND)
        return self._sent(page, page, self._headers(page), 404) if page is not None else None

    def _file(self, name: str) -> _File | None:
        """A file of the export, and nothing outside of it."""
        try:
            path = (self._root / name).resolve()
            if path.is_relative_to(self._root) and path.is_file():
                return _File(path.relative_to(self._root).as_posix(), path, path.stat())
        except (OSError, ValueError):
            # Too long, or with a NUL.
            pass
        return None

    def _found(self, file: _File, asked: Headers) -> Response:
        headers = self._headers(file)
        accepted = _accepted(asked.get("accept-encoding", ""))
        content = file
        for encoding, suffix in _ENCODINGS:
            neighbour = self._file(file.name + suffix) if encoding in accepted else None
            if neighbour is not None:
                content = neighbour
                headers["content-encoding"] = encoding
                break
        response = self._sent(file, content, headers, 200)
        if _matches(asked.get("if-none-match", ""), response.headers["etag"]):
            # With all headers of the page: a browser takes those of a 304 for the ones that it keeps.
            kept = {name: response.headers[name] for name in ("etag", *headers) if name != "content-encoding"}
            return Response(status_code=304, headers=kept)
        return response

    def _sent(self, file: _File, content: _File, headers: dict[str, str], status: int) -> FileResponse:
        media_type = _TYPES.get(file.path.suffix) or guess_type(file.name)[0] or "application/octet-stream"
        return FileResponse(content.path, status, headers, media_type, stat_result=content.stat)

    def _headers(self, file: _File) -> dict[str, str]:
        hashed = file.name.startswith(_HASHED)
        headers = {
            "cache-control": "public, max-age=31536000, immutable" if hashed else "no-cache",
            "vary": "Accept-Encoding",
            "content-security-policy": self._policy(file),
        }
        return headers | ({"service-worker-allowed": "/"} if file.name == _WORKER else {})

    def _policy(self, file: _File) -> str:
        """Of workers too: they obey the policy that their script came with."""
        if file.path.suffix != ".html":
            return POLICY.format(scripts="", styles="")
        scripts, styles = _inline(file.path, file.stat.st_mtime_ns)
        built = self._file(_HASHES)
        if built is not None:
            scripts = _built(built.path, built.stat.st_mtime_ns).get(f"/{file.name}", [])
        return POLICY.format(scripts=_sources(scripts), styles=_sources(styles))


def _sources(hashes: list[str]) -> str:
    return "".join(f" '{each}'" for each in hashes)


@lru_cache(maxsize=4)
def _built(path: Path, _modified: int) -> dict[str, list[str]]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, list[str]])


@lru_cache(maxsize=1024)
def _inline(page: Path, _modified: int) -> tuple[list[str], list[str]]:
    """The hashes of a page's inline scripts, and of its style elements."""
    text = page.read_bytes()
    return [_hash(each) for each in _SCRIPT.findall(text)], [_hash(each) for each in _STYLE.findall(text)]


def _hash(text: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}"


def _accepted(header: str) -> frozenset[str]:
    """The encodings that an Accept-Encoding names and does not rule out."""
    found = set()
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight):
            found.add(name.strip())
    return frozenset(found)


def _matches(header: str, etag: str) -> bool:
    return any(each.strip().removeprefix("W/") in {etag, "*"} for each in header.split(","))
