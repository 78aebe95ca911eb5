"""FastAPI routes behind the gatekeeper: admitted first, read after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar

from examkit.errors import invalid, unsupported
from examkit.rpc.context import acting, current_request_id
from fastapi import params
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.body import seconds_for
from exam_gateway.guards.json_body import JsonRequest, is_json
from exam_gateway.guards.roles import STUDENT_ONLY, staff_roles

REQUEST_SECONDS = 60.0
"""For all calls behind a request. Its body has a time of its own."""

Handle = Callable[[Request], Awaitable[Response]]


class PublicRoute(APIRoute):
    """Open to everyone; limited by address."""

    signed_in: ClassVar[bool] = False

    @property
    def roles(self) -> frozenset[str] | None:
        """Who may pass; None: everyone."""
        return None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            return await self._serve(request, handle)

        return guarded

    async def _serve(self, request: Request, handle: Handle) -> Response:
        keeper: Gatekeeper = request.app.state.gatekeeper
        principal, token = None, None
        if self.signed_in:
            principal, token = await keeper.admit(request.scope, self.roles)
            keeper.limits.user(principal.user_id)
        else:
            keeper.limits.address(self.path, keeper.address(request.scope))
        self._check(request)
        seconds = REQUEST_SECONDS + seconds_for(request.scope["path"])
        with acting(principal=principal, token=token, request_id=current_request_id(), timeout=seconds):
            return await handle(JsonRequest(request.scope, request.receive))

    def _check(self, request: Request) -> None:
        """Raises unsupported for a body of another type, invalid for a NUL in the query."""
        if b"%00" in request.scope["query_string"]:
            raise invalid("A text holds a NUL character.")
        field = self.body_field
        if field is not None and not isinstance(field.field_info, params.Form) and not is_json(request.scope):
            raise unsupported("The body must be application/json.")


class AccountRoute(PublicRoute):
    """For everyone who is signed in."""

    signed_in = True


class StudentRoute(AccountRoute):
    @property
    def roles(self) -> frozenset[str]:
        return STUDENT_ONLY


class StaffRoute(AccountRoute):
    @property
    def roles(self) -> frozenset[str]:
        return staff_roles(self.operation_id)
