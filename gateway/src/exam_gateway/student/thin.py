"""Thin endpoints: what a whole class does in the same second, without routing, dependencies and models.

FastAPI never sees them; `documented.py` tells the OpenAPI of them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from examkit.errors import AppError, not_found
from examkit.principal import Principal
from examkit.rpc.context import act_for
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from exam_gateway import problems
from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.body import BodyRefused, seconds_for
from exam_gateway.guards.frame import QUIET, RECEIVED, ROUTE, Template
from exam_gateway.guards.roles import STUDENT_ONLY

REQUEST_SECONDS = 60.0
"""For the calls behind it, beside the time that its body may take."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a student who was let in."""

    scope: Scope
    receive: Receive
    principal: Principal
    token: str

    @property
    def received(self) -> float:
        """When it came in, on `time.monotonic()`."""
        at: float = self.scope[RECEIVED]
        return at

    def id_in_path(self) -> str:
        """The UUID that the path ends in. Raises not_found for anything else."""
        last: str = self.scope["path"].rpartition("/")[2]
        if not _UUID.fullmatch(last):
            raise not_found()
        return last.lower()

    async def body(self) -> bytes:
        """Raises BodyRefused, ClientDisconnect."""
        parts = []
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(parts) if len(parts) > 1 else parts[0]


Answer = Callable[[Call], Awaitable[bytes]]
"""The JSON of the answer. Raises AppError."""


class ThinRoute:
    """An ASGI endpoint for students."""

    def __init__(
        self, keeper: Gatekeeper, method: str, template: str, answer: Answer, *, status: int = 200
    ) -> None:
        self._keeper = keeper
        self._method = method
        self._template = Template(template)
        self._answer = answer
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = self._template
        scope[QUIET] = True
        try:
            content = await self._served(scope, receive)
        except AppError as error:
            await problems.from_app_error(error)(scope, receive, send)
        except BodyRefused as refused:
            await refused.response(scope, receive, send)
        else:
            if content is None:
                refusal = problems.from_status(
                    405, f"This address takes {self._method}.", {"allow": self._method}
                )
                await refusal(scope, receive, send)
                return
            length = str(len(content)).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", length)]
            await send({"type": "http.response.start", "status": self._status, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    async def _served(self, scope: Scope, receive: Receive) -> bytes | None:
        """None for another method."""
        if scope["method"] != self._method:
            return None
        principal, token = await self._keeper.admit(scope, STUDENT_ONLY)
        act_for(principal, token, timeout=REQUEST_SECONDS + seconds_for(scope["path"]))
        return await self._answer(Call(scope, receive, principal, token))
