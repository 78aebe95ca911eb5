"""`/auth/…` and the public keys. Served by both surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from examkit.errors import AppError, unauthenticated
from examkit.rpc.client import call
from examkit.rpc.interceptors import bearer_token
from examprotos.auth.v1 import identity_pb2, keys_pb2
from fastapi import APIRouter, Depends, Request, Response

from exam_gateway.auth.cookies import COOKIE, RefreshCookie
from exam_gateway.auth.shapes import Login, Me, PasswordByLink, PasswordChange, Session, me, session
from exam_gateway.describe import failures
from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.routes import AccountRoute, PublicRoute

if TYPE_CHECKING:
    from examprotos.auth.v1.identity_pb2_grpc import IdentityAsyncStub
    from examprotos.auth.v1.keys_pb2_grpc import KeysAsyncStub

SECONDS = 5.0
LOGIN_SECONDS = 15.0
"""Hashing queues up when a class logs in together."""


@dataclass(frozen=True)
class AuthBackend:
    identity: IdentityAsyncStub
    keys: KeysAsyncStub
    cookie: RefreshCookie


async def _backend(request: Request) -> AuthBackend:
    backend: AuthBackend = request.app.state.auth
    return backend


Auth = Annotated[AuthBackend, Depends(_backend)]

public = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=PublicRoute)
account = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=AccountRoute)
root = APIRouter(tags=["auth"], route_class=PublicRoute)


@public.post(
    "/login",
    operation_id="login",
    summary="Log in",
    responses=failures("invalid_credentials", "rate_limited"),
)
async def login(body: Login, request: Request, response: Response, auth: Auth) -> Session:
    """Gives an access token, and a refresh token in an HttpOnly cookie. Failures are throttled by account and
    address together."""
    found = await call(
        auth.identity.Login,
        identity_pb2.LoginRequest(
            email=body.email,
            password=body.password,
            address=_keeper(request).address(request.scope),
            user_agent=_user_agent(request),
        ),
        timeout=LOGIN_SECONDS,
    )
    auth.cookie.give(response, found)
    return session(found)


@public.post(
    "/refresh",
    operation_id="refresh",
    summary="Get a new access token",
    responses=failures("unauthenticated", "refresh_reused", "origin_refused"),
)
async def refresh(request: Request, response: Response, auth: Auth) -> Session:
    """By the cookie, from an allowed origin. The refresh token is rotated; an old one ends the session."""
    auth.cookie.check_origin(request)
    given = request.cookies.get(COOKIE)
    if not given:
        raise unauthenticated("There is no session to refresh.")
    found = await call(
        auth.identity.Refresh,
        identity_pb2.RefreshRequest(refresh_token=_text(given), user_agent=_user_agent(request)),
        timeout=SECONDS,
    )
    auth.cookie.give(response, found)
    return session(found)


@public.post(
    "/logout",
    operation_id="logout",
    summary="Log out",
    status_code=204,
    responses=failures("unauthenticated", "origin_refused"),
)
async def logout(request: Request, response: Response, auth: Auth) -> None:
    """Ends the session that the access token or the cookie belongs to, on every device that shares it."""
    given = request.cookies.get(COOKIE)
    token = await _living_token(request)
    if not given and not token:
        raise unauthenticated("There is no session to end.")
    if given and not token:
        auth.cookie.check_origin(request)
    await call(
        auth.identity.Logout,
        identity_pb2.LogoutRequest(refresh_token=_text(given or "")),
        timeout=SECONDS,
        idempotent=True,
        token=token or "",
    )
    auth.cookie.clear(response)


@account.get("/me", operation_id="me", summary="Who I am")
async def get_me(auth: Auth) -> Me:
    return me(await call(auth.identity.GetMe, identity_pb2.GetMeRequest(), timeout=SECONDS, idempotent=True))


@account.post(
    "/password",
    operation_id="change_password",
    summary="Change the own password",
    responses=failures("invalid_credentials", "rate_limited"),
)
async def change_password(body: PasswordChange, request: Request, response: Response, auth: Auth) -> Session:
    """Ends all other sessions and goes on with a new one."""
    found = await call(
        auth.identity.ChangePassword,
        identity_pb2.ChangePasswordRequest(
            current_password=body.current_password,
            new_password=body.new_password,
            address=_keeper(request).address(request.scope),
        ),
        timeout=LOGIN_SECONDS,
    )
    auth.cookie.give(response, found)
    return session(found)


@public.post(
    "/password/set",
    operation_id="set_password",
    summary="Set a password by a link's token",
    status_code=204,
    responses=failures("link_expired", "rate_limited"),
)
async def set_password(body: PasswordByLink, auth: Auth) -> None:
    """The token works once."""
    request = identity_pb2.SetPasswordRequest(token=body.token, new_password=body.new_password)
    await call(auth.identity.SetPassword, request, timeout=LOGIN_SECONDS)


@root.get(
    "/.well-known/jwks.json",
    operation_id="jwks",
    summary="The public keys that sign access tokens",
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def jwks(auth: Auth) -> Response:
    """RFC 7517; EdDSA only. Keys rotate without logging anyone out."""
    found = await call(auth.keys.GetJwks, keys_pb2.GetJwksRequest(), timeout=SECONDS, idempotent=True)
    return Response(
        found.jwks_json, media_type="application/json", headers={"cache-control": "public, max-age=60"}
    )


def _keeper(request: Request) -> Gatekeeper:
    keeper: Gatekeeper = request.app.state.gatekeeper
    return keeper


def _user_agent(request: Request) -> str:
    return _text(request.headers.get("user-agent", ""))[:256]


def _text(value: str) -> str:
    return value.replace("\0", "")[:2048]


async def _living_token(request: Request) -> str | None:
    """The access token if it still opens anything."""
    try:
        token = bearer_token(request.headers.get("authorization"))
        if token:
            await _keeper(request).verifier.verify(token)
    except AppError as error:
        if error.kind.http_status != 401:
            raise
        return None
    return token or None


routers = (public, account, root)
