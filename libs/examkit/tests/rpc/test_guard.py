"""The guard before every servicer: certificates, allowlists, roles, tokens. All over real mutual TLS."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from examkit.errors import AppError, Kind
from examkit.ids import uuid7
from examkit.rpc.client import call
from examkit.rpc.context import (
    acting,
    current_caller,
    current_request_id,
    current_token,
    current_user,
    maybe_user,
)
from examkit.rpc.policy import allow, rule_for
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

ECHO = "examhall.test.v1.Echo"
STUDENTS = {ECHO: allow("gateway-student", roles=("student",))}
ANYONE = {ECHO: allow("gateway-student", "grading")}


async def who(request: bytes, context: Any) -> bytes:
    user = maybe_user()
    return f"{current_caller()} {user.role if user else '-'} {current_request_id()}".encode()


def say(channel: grpc.aio.Channel) -> Any:
    return channel.unary_unary(f"/{ECHO}/Say")


async def refusal(channel: grpc.aio.Channel, **options: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        await call(say(channel), b"", timeout=5.0, **options)
    return caught.value


async def test_a_listed_caller_with_the_right_role_comes_in(world: Any) -> None:
    server = await world.serve(STUDENTS, unary=who)
    with acting(request_id="req-7"):
        answer = await call(say(world.channel(server.port)), b"", timeout=5.0, token=world.signer.token())
    assert answer == b"gateway-student student req-7"


async def test_a_caller_who_is_not_listed_is_refused(world: Any) -> None:
    server = await world.serve(STUDENTS, unary=who)
    error = await refusal(world.channel(server.port, identity="import"), token=world.signer.token())
    assert (error.kind, error.code) == (Kind.FORBIDDEN, "forbidden")
    assert "import" in error.detail


async def test_a_service_without_policy_is_closed_to_all(world: Any) -> None:
    server = await world.serve({}, unary=who)
    error = await refusal(world.channel(server.port), token=world.signer.token())
    assert error.kind is Kind.FORBIDDEN


async def test_a_method_rule_goes_before_that_of_its_service(world: Any) -> None:
    policies = {ECHO: allow("gateway-student"), f"{ECHO}/Say": allow("grading")}
    server = await world.serve(policies, unary=who)
    assert (await refusal(world.channel(server.port))).kind is Kind.FORBIDDEN
    assert await call(say(world.channel(server.port, identity="grading")), b"", timeout=5.0) == b"grading - "


def test_an_empty_method_rule_does_not_fall_back_to_the_service() -> None:
    policies = {ECHO: allow("exam"), f"{ECHO}/Say": allow()}
    rule = rule_for(policies, f"/{ECHO}/Say")
    assert rule is not None
    assert not rule.callers


async def test_the_wrong_role_is_refused(world: Any) -> None:
    server = await world.serve(STUDENTS, unary=who)
    error = await refusal(world.channel(server.port), token=world.signer.token(role="admin"))
    assert (error.kind, error.code) == (Kind.FORBIDDEN, "forbidden")


async def test_a_missing_token_is_refused_where_a_role_is_needed(world: Any) -> None:
    server = await world.serve(STUDENTS, unary=who)
    assert (await refusal(world.channel(server.port))).kind is Kind.UNAUTHENTICATED


async def test_a_token_is_verified_even_where_none_is_needed(world: Any) -> None:
    server = await world.serve(ANYONE, unary=who)
    channel = world.channel(server.port)
    assert await call(say(channel), b"", timeout=5.0) == b"gateway-student - "
    assert (await refusal(channel, token="rubbish")).kind is Kind.UNAUTHENTICATED


async def test_a_revoked_session_ends_a_token_that_was_let_in_before(world: Any) -> None:
    session_id = uuid7()
    token = world.signer.token(session_id=session_id)
    server = await world.serve(STUDENTS, unary=who)
    channel = world.channel(server.port)
    await call(say(channel), b"", timeout=5.0, token=token)
    world.revocations.revoke_session(session_id, expires_at=9e9)
    error = await refusal(channel, token=token)
    assert (error.kind, error.code) == (Kind.UNAUTHENTICATED, "unauthenticated")


async def test_a_servicer_without_a_user_gets_a_401_from_current_user(world: Any) -> None:
    async def needs_user(request: bytes, context: Any) -> bytes:
        return current_user().role.encode()

    server = await world.serve(ANYONE, unary=needs_user)
    assert (await refusal(world.channel(server.port))).kind is Kind.UNAUTHENTICATED


async def test_the_token_travels_on_with_further_calls(world: Any) -> None:
    inner = await world.serve({ECHO: allow("exam", roles=("student",))}, unary=who)
    onward = world.channel(inner.port, identity="exam")

    async def forward(request: bytes, context: Any) -> bytes:
        assert current_token.get()
        return await call(say(onward), b"", timeout=5.0)

    outer = await world.serve(STUDENTS, unary=forward)
    answer = await call(say(world.channel(outer.port)), b"", timeout=5.0, token=world.signer.token())
    assert answer == b"exam student "


async def test_a_client_without_certificate_gets_no_connection(world: Any, pki: Any) -> None:
    server = await world.serve(ANYONE, unary=who)
    nameless = grpc.ssl_channel_credentials(pki.files("grading").ca.read_bytes())
    options = (("grpc.ssl_target_name_override", "exam.examhall.internal"),)
    async with grpc.aio.secure_channel(f"127.0.0.1:{server.port}", nameless, options=options) as channel:
        assert (await refusal(channel)).kind is Kind.UNAVAILABLE


async def test_a_certificate_of_another_ca_gets_no_connection(world: Any, pki: Any, foreign_pki: Any) -> None:
    server = await world.serve(ANYONE, unary=who)
    foreign = foreign_pki.files("gateway-student")
    mixed = type(foreign)(pki.files("grading").ca, foreign.cert, foreign.key)
    assert (await refusal(world.channel_with(mixed, server.port))).kind is Kind.UNAVAILABLE


async def test_a_server_under_another_name_is_not_talked_to(world: Any) -> None:
    server = await world.serve(ANYONE, unary=who)
    error = await refusal(world.channel(server.port, server="grading"))
    assert error.kind is Kind.UNAVAILABLE


@pytest.mark.parametrize(
    "names",
    [("localhost",), ("a.examhall.internal", "b.examhall.internal"), ("x.y.examhall.internal",)],
)
async def test_a_certificate_that_names_no_single_identity_is_refused(
    world: Any, pki: Any, names: tuple[str, ...]
) -> None:
    server = await world.serve(ANYONE, unary=who)
    error = await refusal(world.channel_with(pki.files("odd", *names), server.port))
    assert error.kind is Kind.UNAUTHENTICATED


async def test_the_operator_may_ask_for_health_and_reflection_and_nothing_else(world: Any) -> None:
    server = await world.serve(ANYONE, unary=who)
    channel = world.channel(server.port, identity="operator")
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", ECHO):
        answer = await call(health.Check, health_pb2.HealthCheckRequest(service=name), timeout=5.0)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    question = reflection_pb2.ServerReflectionRequest(list_services="")
    listed = [answer async for answer in reflection.ServerReflectionInfo(iter([question]))]
    assert ECHO in {service.name for service in listed[0].list_services_response.service}
    assert (await refusal(channel)).kind is Kind.FORBIDDEN


async def test_health_watch_sees_the_drain(world: Any) -> None:
    server = await world.serve(ANYONE, unary=who)
    health = health_pb2_grpc.HealthStub(world.channel(server.port, identity="operator"))
    watch = health.Watch(health_pb2.HealthCheckRequest(service=ECHO))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    await server.stop(0.5)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
