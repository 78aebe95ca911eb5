"""Puts the HTTP application together: routes, error handlers, and the layers around them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from examkit.errors import AppError, FieldError, internal, invalid, not_found
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from exam_gateway import problems
from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.body import BodyLimit, BodyRefused
from exam_gateway.guards.cors import Cors
from exam_gateway.guards.frame import Frame
from exam_gateway.guards.quick import Quick, QuickRoute
from exam_gateway.health import health_routes
from exam_gateway.openapi import Documented, describe
from exam_gateway.settings import GatewaySettings
from exam_gateway.web import Web

Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]
NotReady = Callable[[], Awaitable[str | None]]

_QUESTION_TYPES = frozenset(
    {"single_choice", "multi_choice", "true_false", "numeric", "short_text", "text", "image"}
)
_MOST_ERRORS = 100


@dataclass(frozen=True)
class Surface:
    """What a surface adds: `backend` is kept as `app.state.<name>`; `thin` are endpoints by exact path,
    `thin_under` those by the path before an id, `quick` the short way of some of the first.
    """

    name: str
    backend: object
    routers: Sequence[APIRouter]
    thin: Mapping[str, Endpoint] = field(default_factory=dict)
    thin_under: Mapping[str, Endpoint] = field(default_factory=dict)
    quick: Mapping[str, QuickRoute] = field(default_factory=dict)
    documented: Sequence[Documented] = ()


def assemble(
    settings: GatewaySettings, keeper: Gatekeeper, surfaces: Sequence[Surface], not_ready: NotReady
) -> tuple[ASGIApp, Quick]:
    """The whole application, and the short way beside it."""
    api, leaves = _api(surfaces)
    api.state.gatekeeper = keeper
    _handle_failures(api, leaves)
    thin: dict[str, Endpoint] = dict(health_routes(not_ready))
    thin_under: dict[str, Endpoint] = {}
    for surface in surfaces:
        setattr(api.state, surface.name, surface.backend)
        thin |= surface.thin
        thin_under |= surface.thin_under
    if settings.docs:
        from exam_gateway.docs import docs_routes

        thin |= docs_routes(_described(api, leaves, surfaces))
    inner = Dispatch(api, thin, thin_under, Web(settings.web_root, docs=settings.docs))
    cors = Cors(BodyLimit(inner, keeper.limits), settings.cors_origins)
    frame = Frame(cors, hsts=settings.cookie_secure)
    quick = {path: route for surface in surfaces for path, route in surface.quick.items()}
    return frame, Quick(frame, cors, quick)


def document(surfaces: Sequence[Surface]) -> dict[str, Any]:
    """The OpenAPI document of these surfaces."""
    return _described(*_api(surfaces), surfaces)


def _api(surfaces: Sequence[Surface]) -> tuple[FastAPI, list[APIRoute]]:
    # With openapi_url unset FastAPI serves neither the document nor docs; ours are in `docs`.
    api = FastAPI(title="Examhall", openapi_url=None, redirect_slashes=False)
    leaves: list[APIRoute] = []
    for router in (router for surface in surfaces for router in surface.routers):
        api.include_router(router)
        leaves += [route for route in router.routes if isinstance(route, APIRoute)]
    return api, leaves


def _described(api: FastAPI, leaves: Sequence[APIRoute], surfaces: Sequence[Surface]) -> dict[str, Any]:
    return describe(api, leaves, [one for surface in surfaces for one in surface.documented])


class Dispatch:
    """Thin endpoints, the API, and everything else: the web pages."""

    def __init__(
        self, api: ASGIApp, thin: Mapping[str, Endpoint], thin_under: Mapping[str, Endpoint], web: ASGIApp
    ) -> None:
        self._api = api
        self._thin = thin
        self._thin_under = thin_under
        self._web = web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        endpoint = self._thin.get(path) or self._thin_under.get(path.rpartition("/")[0])
        if endpoint is None:
            api = path == "/api" or path.startswith(("/api/", "/.well-known/"))
            endpoint = self._api if api else self._web
        await endpoint(scope, receive, send)


def _handle_failures(api: FastAPI, leaves: Sequence[APIRoute]) -> None:
    async def on_app_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, AppError)
        return problems.from_app_error(error)

    async def on_invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problems.from_app_error(_invalid(error.errors()))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _refused(request, error, leaves)

    async def on_unexpected(_request: Request, _error: Exception) -> Response:
        # Starlette raises it again after this answer, and the frame logs it.
        return problems.from_app_error(internal())

    api.add_exception_handler(AppError, on_app_error)
    api.add_exception_handler(RequestValidationError, on_invalid)
    api.add_exception_handler(HTTPException, on_http)
    api.add_exception_handler(Exception, on_unexpected)


def _invalid(errors: Sequence[Any]) -> AppError:
    """A path that can't be one of ours is not found; everything else is told field by field."""
    if any(error["loc"][:1] == ("path",) for error in errors):
        return not_found()
    fields = [_field(error) for error in errors[:_MOST_ERRORS]]
    detail = fields[0].msg if len(fields) == 1 else "Some fields are not valid."
    return invalid(detail, *fields)


def _field(error: Any) -> FieldError:
    if error["type"] == "json_invalid":
        return FieldError(("body",), str(error["ctx"]["error"]))
    # Which kind of question it was taken for, and what pydantic tried, is no part of the way to the field.
    loc = tuple(
        part
        for place, part in enumerate(error["loc"])
        if not (place == 1 and part in _QUESTION_TYPES) and not str(part).startswith("constrained-")
    )
    return FieldError(loc, error["msg"].removeprefix("Value error, "))


def _refused(request: Request, error: HTTPException, leaves: Sequence[APIRoute]) -> Response:
    if isinstance(error, BodyRefused):
        return error.response
    match error.status_code:
        case 400:
            # FastAPI and Starlette say so of forms that can't be read.
            return problems.from_app_error(invalid("The body can't be read."))
        case 404:
            return problems.from_status(404, "There is nothing at this address.")
        case 405:
            allowed = _methods(request.scope, leaves)
            return problems.from_status(405, f"This address takes {allowed}.", {"allow": allowed})
    return problems.from_status(error.status_code, headers=error.headers)


def _methods(scope: Scope, leaves: Sequence[APIRoute]) -> str:
    """All methods of this address, which may be several routes."""
    plain = {"type": "http", "path": scope["path"], "method": scope["method"], "root_path": ""}
    found = {
        method
        for route in leaves
        if route.matches(dict(plain))[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(found))
