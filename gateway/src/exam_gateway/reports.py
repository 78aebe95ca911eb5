"""What pages tell of themselves: how long an answer has waited to be saved, and what went wrong.

It is counted and logged, and kept nowhere. Nothing in it is believed, and nothing personal is written down.
"""

from __future__ import annotations

import re
from itertools import islice
from string import ascii_letters, digits
from typing import Annotated, Literal
from urllib.parse import urlsplit

import structlog
from examkit import faults
from fastapi import APIRouter, Request
from pydantic import Field

from exam_gateway import metrics
from exam_gateway.guards.access import USER
from exam_gateway.guards.frame import QUIET
from exam_gateway.guards.routes import AccountRoute
from exam_gateway.shapes import In, Out, Time

MOST_ERRORS = 20
MESSAGE_LOGGED = 200
LOOKED_AT = 500
"""Of a text, before it is looked through: that takes the longer, the longer it is."""
FRAMES_LOGGED = 20
NAME_LOGGED = 80
_OF_NAMES = frozenset(ascii_letters + digits + "_$.<> ")

_Kind = Literal["script", "promise", "render", "network", "api", "storage", "worker", "other"]
# What could say who it was, or what they wrote: addresses, ids, tokens, and whatever a message quotes.
_PERSONAL = re.compile(
    r"[^\s@<>\"']+@[^\s@<>\"']+\.\w+"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[\w-]{16,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|\?[^\s:)]*"
)
_QUOTED = re.compile(r"\"[^\"]*(?:\"|$)|“[^”]*(?:”|$)|`[^`]*(?:`|$)|(?<!\w)'[^']*(?:'|$)")
# `at name (https://host/a.js:1:2)` of Chromium, `name@https://host/a.js:1:2` of the others.
# Found from its end, part by part: one pattern for all of it could be made to try for minutes.
_PLACE = re.compile(r"[a-z-]+://[^\s()]+:\d+:\d+")

log = structlog.get_logger("exam_gateway.pages")

router = APIRouter(prefix="/api/v1/client", tags=["pages"], route_class=AccountRoute)


class PageError(In):
    kind: _Kind
    message: Annotated[str, Field(max_length=2_000)]
    stack: Annotated[str, Field(max_length=8_000)] | None = None
    page: Annotated[str, Field(max_length=500, description="The path; what follows a `?` is dropped.")]
    at: Time


class PageReport(In):
    oldest_unsaved_seconds: (
        Annotated[float, Field(ge=0, le=604_800, description="Of the answers that the server has not got.")]
        | None
    ) = None
    errors: Annotated[list[PageError], Field(max_length=MOST_ERRORS)] = Field(default_factory=list)
    page_load_ms: Annotated[float, Field(ge=0, le=3_600_000)] | None = None
    version: Annotated[str, Field(max_length=64, pattern=r"^[\w.+-]*$", examples=["0.2.0"])] = ""


class ReportTaken(Out):
    success: Literal[True] = True


@router.post("/reports", operation_id="report_from_page", summary="Tell how a page fares", status_code=202)
async def report_from_page(request: Request, body: PageReport) -> ReportTaken:
    """Numbers are counted, errors logged without what is personal. 20 reports at once, then one in 5 s."""
    request.app.state.gatekeeper.limits.report(request.scope[USER])
    request.scope[QUIET] = True
    metrics.page_reports.inc()
    if body.oldest_unsaved_seconds is not None:
        metrics.oldest_unsaved.observe(body.oldest_unsaved_seconds)
    if body.page_load_ms is not None:
        metrics.page_load.observe(body.page_load_ms / 1000)
    for error in body.errors:
        _tell(error, body.version, request.scope[USER])
    return ReportTaken()


def _tell(error: PageError, version: str, user: object) -> None:
    message, frames, page = without_persons(error.message), frames_of(error.stack or ""), _path(error.page)
    metrics.page_errors.labels(error.kind).inc()
    log.warning(
        "page_error",
        kind=error.kind,
        message=message,
        frames=frames,
        page=page,
        reported_at=error.at.isoformat(),
        version=version,
    )
    # Sentry's innermost frame is the last.
    stack = [{"function": frame.rpartition(" ")[0], "filename": frame.rpartition(" ")[2]} for frame in frames]
    tags = {"kind": error.kind, "page": page, "version": version}
    faults.tell(faults.Fault(message, "exam_gateway.pages", tags, stack[::-1], user))


def without_persons(text: str) -> str:
    """The beginning of a message, without what it quotes and whatever could name somebody."""
    return _PERSONAL.sub("…", _QUOTED.sub("…", text[:LOOKED_AT]))[:MESSAGE_LOGGED]


def frames_of(stack: str) -> list[str]:
    """`name /path.js:1:2` for each frame: where it was, without hosts, queries and the message above them."""
    found = (_frame(line.strip()[:LOOKED_AT]) for line in stack.splitlines())
    return list(islice((frame for frame in found if frame), FRAMES_LOGGED))


def _frame(line: str) -> str | None:
    before, separator, place = line.removesuffix(")").rpartition("@" if "@" in line else " ")
    place = place.lstrip("(")
    if not _PLACE.fullmatch(place):
        return None
    name = before.removeprefix("at").strip() if separator == " " else before.strip()
    return f"{name if _is_name(name) else ''} {_path(place)}".strip()


def _is_name(text: str) -> bool:
    return len(text) <= NAME_LOGGED and not set(text) - _OF_NAMES


def _path(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "…"
    # A frame's line and column stand behind the query, if there is one.
    place = re.search(r":\d+:\d+$", address)
    behind = place[0] if place and not parts.path.endswith(place[0]) else ""
    return _PERSONAL.sub("…", parts.path + behind)[:MESSAGE_LOGGED]
