"""The process as it is wired: it starts with nothing around it, and serves all that its policies name."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from exam_service.bootstrap import build
from exam_service.rpc.policies import POLICIES
from exam_service.settings import Settings
from examkit.rpc.client import connect
from examkit.rpc.policy import service_names
from examkit.settings import SettingsError, load
from examkit.testing import TestDatabase
from examkit.tls import TlsFiles
from examprotos.common.v1 import audit_pb2
from examprotos.exam.v1 import (
    attempts_pb2,
    authoring_pb2,
    content_store_pb2,
    exam_ends_pb2,
    files_pb2,
    invigilation_pb2,
)

HANDLERS = [
    service
    for module in (
        attempts_pb2,
        authoring_pb2,
        content_store_pb2,
        exam_ends_pb2,
        files_pb2,
        invigilation_pb2,
        audit_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
]


def environment(database: TestDatabase, tls: TlsFiles, files: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database.serve_dsn,
        "DB_SCHEMA": "exam",
        "RABBITMQ_URL": "amqp://exam:exam@127.0.0.1:1/",
        "TLS_CA": str(tls.ca),
        "TLS_CERT": str(tls.cert),
        "TLS_KEY": str(tls.key),
        "AUTH_TARGET": "127.0.0.1:1",
        "GRADING_TARGET": "127.0.0.1:1",
        "FILES_URL": files.as_uri(),
    }


async def test_every_service_of_the_policies_is_served(
    database: TestDatabase, certificates: Callable[[str], TlsFiles], tmp_path: Path
) -> None:
    settings = load(Settings, environment(database, certificates("exam"), tmp_path))
    async with build(settings) as app:
        assert app.rpc_server is not None
        assert await app.ready() == "waiting for auth"
        port = await app.rpc_server.start()
        operator = connect(f"127.0.0.1:{port}", server="exam", tls=certificates("operator"))
        assert {handlers.full_name for handlers in HANDLERS} == set(service_names(POLICIES))
        for handlers in HANDLERS:
            for method in handlers.methods:
                probe = operator.unary_unary(f"/{handlers.full_name}/{method.name}")
                with pytest.raises(grpc.aio.AioRpcError) as failure:
                    await probe(b"", timeout=10)
                # Refused and not unknown: it is there, and an operator may not call it.
                assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED, method.full_name
        await operator.close()
        await app.rpc_server.stop(0)
        names = [worker.name for worker in (*app.workers, *app.always)]
        assert len(names) == len(set(names))
        assert {"relay", "publications"} <= set(names)


def test_settings_without_peers_are_refused(
    database: TestDatabase, certificates: Callable[[str], TlsFiles], tmp_path: Path
) -> None:
    complete = environment(database, certificates("exam"), tmp_path)
    incomplete = complete | {"AUTH_TARGET": "", "GRADING_TARGET": ""}
    with pytest.raises(SettingsError) as failure:
        load(Settings, incomplete)
    assert len(failure.value.problems) == 2


@pytest.mark.parametrize("url", ["", "/var/files", "file://host/folder", "s3://", "https://example.com/x"])
def test_files_lie_in_a_folder_or_in_s3(
    database: TestDatabase, certificates: Callable[[str], TlsFiles], tmp_path: Path, url: str
) -> None:
    wrong = environment(database, certificates("exam"), tmp_path) | {"FILES_URL": url}
    with pytest.raises(SettingsError, match="FILES_URL"):
        load(Settings, wrong)
    load(Settings, wrong | {"FILES_URL": "s3://bucket/prefix"})
