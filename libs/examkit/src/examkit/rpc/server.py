"""Builds a gRPC server: mutual TLS, the guard before every servicer, health, reflection, drain."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from examkit.rpc.interceptors import GuardInterceptor, Verifier
from examkit.rpc.policy import Policies, service_names
from examkit.rpc.trailers import MAX_METADATA_BYTES
from examkit.tls import TlsFiles, server_credentials

MAX_MESSAGE_BYTES = 32 * 1024 * 1024


class RpcServer:
    """A gRPC server. Servicers are added by `add_XServicer_to_server(servicer, server.grpc)`, then `start()`.

    Build it within the running event loop. `bind` is `host:port`; port 0 takes a free one.
    `max_connection_age` in seconds: clients reconnect after it, so that new replicas get their share.
    """

    def __init__(
        self,
        bind: str,
        tls: TlsFiles,
        policies: Policies,
        verifier: Verifier,
        *,
        max_connection_age: float | None = None,
        max_concurrent_calls: int | None = None,
    ) -> None:
        self._bind = bind
        self._tls = tls
        self._names = service_names(policies)
        self.grpc = grpc.aio.server(
            interceptors=[GuardInterceptor(policies, verifier)],
            options=_options(max_connection_age),
            maximum_concurrent_rpcs=max_concurrent_calls,
        )
        self.port = 0
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        reflection.enable_server_reflection(
            (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME), self.grpc
        )

    async def start(self) -> int:
        """Begins to serve; the port it is bound to. Raises RuntimeError if the address is taken."""
        self.port = self.grpc.add_secure_port(self._bind, server_credentials(self._tls))
        if not self.port:
            raise RuntimeError(f"can't bind {self._bind}")
        await self.grpc.start()
        for name in ("", *self._names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return self.port

    async def stop(self, grace: float = 10.0) -> None:
        """Reports NOT_SERVING, takes no new calls, and gives those under way `grace` seconds to end."""
        await self._health.enter_graceful_shutdown()
        await self.grpc.stop(grace)


def _options(max_connection_age: float | None) -> Sequence[tuple[str, int]]:
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", 2 * MAX_METADATA_BYTES),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients ping every second; a server that minds would close their connections.
        ("grpc.http2.min_ping_interval_without_data_ms", 500),
        # Two processes on one port would share its calls in silence.
        ("grpc.so_reuseport", 0),
    ]
    if max_connection_age:
        options += [
            ("grpc.max_connection_age_ms", int(max_connection_age * 1000)),
            ("grpc.max_connection_age_grace_ms", 30_000),
        ]
    return options
