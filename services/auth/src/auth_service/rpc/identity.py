"""Identity: logging in, and what a person may do with the own account."""

from __future__ import annotations

from typing import Any

from examkit.errors import AppError, Kind, unauthenticated
from examkit.rpc.context import current_user, maybe_user
from examprotos.auth.v1 import identity_pb2 as pb
from examprotos.auth.v1 import users_pb2
from examprotos.auth.v1.identity_pb2_grpc import IdentityServicer as Base

from auth_service.rpc.translate import session_message, user_message
from auth_service.usecases.login import login
from auth_service.usecases.passwords import change_password, set_password
from auth_service.usecases.sessions import logout, refresh
from auth_service.usecases.unit import Auth
from auth_service.usecases.users import get_user


class IdentityServicer(Base):
    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    async def Login(self, request: pb.LoginRequest, context: Any) -> pb.Session:
        granted = await login(
            self._auth, request.email, request.password, request.address, request.user_agent
        )
        return session_message(granted)

    async def Refresh(self, request: pb.RefreshRequest, context: Any) -> pb.Session:
        return session_message(await refresh(self._auth, request.refresh_token))

    async def Logout(self, request: pb.LogoutRequest, context: Any) -> pb.LogoutResponse:
        await logout(self._auth, maybe_user(), request.refresh_token)
        return pb.LogoutResponse()

    async def GetMe(self, request: pb.GetMeRequest, context: Any) -> users_pb2.User:
        try:
            return user_message(await get_user(self._auth, current_user().user_id))
        except AppError as error:
            if error.kind is Kind.NOT_FOUND:
                raise unauthenticated("This account is gone.") from None
            raise

    async def ChangePassword(self, request: pb.ChangePasswordRequest, context: Any) -> pb.Session:
        granted = await change_password(
            self._auth, current_user(), request.current_password, request.new_password, request.address
        )
        return session_message(granted)

    async def SetPassword(self, request: pb.SetPasswordRequest, context: Any) -> pb.SetPasswordResponse:
        await set_password(self._auth, request.token, request.new_password)
        return pb.SetPasswordResponse()
