"""The process as the operator runs it: settings, ready file, drain."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gateway_samples as samples
import httpx
import pytest
from exam_gateway.bootstrap import build
from exam_gateway.settings import read
from examkit.errors import unavailable
from examkit.settings import SettingsError
from examkit.testing import eventually
from examkit.workers import Supervisor


@pytest.fixture
def environment(services, certificates, tmp_path):
    student, staff = certificates("gateway-student"), certificates("gateway-staff")
    return {
        "PATH": os.environ["PATH"],
        "HTTP_BIND": "127.0.0.1:0",
        "OPS_BIND": "127.0.0.1:0",
        "AUTH_TARGET": services.addresses["auth"],
        "EXAM_TARGET": services.addresses["exam"],
        "GRADING_TARGET": services.addresses["grading"],
        "IMPORT_TARGET": services.addresses["import"],
        "TLS_CA": str(student.ca),
        "STUDENT_TLS_CERT": str(student.cert),
        "STUDENT_TLS_KEY": str(student.key),
        "STAFF_TLS_CERT": str(staff.cert),
        "STAFF_TLS_KEY": str(staff.key),
        "READY_FILE": str(tmp_path / "ready.json"),
    }


async def start(command, environment, *before):
    return await asyncio.create_subprocess_exec(
        *before,
        sys.executable,
        "-m",
        "exam_gateway",
        command,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@contextlib.asynccontextmanager
async def serving(environment, *before):
    """The process, and what its ready file tells."""
    ready = Path(environment["READY_FILE"])
    process = await start("serve", environment, *before)
    try:
        await eventually(ready.exists, timeout=30)
        yield process, json.loads(ready.read_text())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_serve_until_told_to_stop(environment, fakes):
    async with serving(environment) as (process, told):
        assert told["pid"] == process.pid
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{told['url']}/readyz")).status_code == 200
            assert (await client.get(f"{told['url']}/api/v1/auth/me")).status_code == 401
            metrics = (await client.get(f"{told['ops_url']}/metrics")).text
            assert (
                'examhall_http_request_seconds_count{method="GET",route="/api/v1/auth/me",status="401"} 1.0'
                in metrics
            )
            process.send_signal(signal.SIGTERM)
            out, errors = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 0, errors.decode()
    events = [json.loads(line)["event"] for line in out.decode().splitlines()]
    assert events[-1] == "stopped"
    assert "ready" in events


async def test_under_load_no_request_is_dropped(environment, fakes):
    """Everyone hears of the end with an answer, and who waits for one gets it when no one else is let in."""
    asked, graded = asyncio.Event(), asyncio.Event()

    async def slowly(_request):
        asked.set()
        await graded.wait()
        return samples.closed()

    fakes.answers |= {"Attempts/SaveBatch": samples.store_all, "Attempts/Submit": slowly}
    fakes.answers["Results/Await"] = unavailable("Later.")
    answer = {"question_id": samples.QUESTION, "answer": "B", "revision": 1}
    body = {"student_exam_id": samples.ATTEMPT, **answer}
    saved = 0
    busy = asyncio.Event()
    async with serving(environment) as (process, told):

        async def saves():
            nonlocal saved
            async with client() as student:
                last = None
                while last != "close":
                    reply = await student.post("/api/v1/student/save-answer", json=body)
                    assert reply.status_code == 200
                    last = reply.headers.get("connection")
                    saved += 1
                    if saved == 200:
                        busy.set()

        def client():
            headers = {"authorization": f"Bearer {fakes.token()}"}
            return httpx.AsyncClient(base_url=told["url"], headers=headers, timeout=15)

        savers = [asyncio.create_task(saves()) for _ in range(20)]
        async with client() as student, httpx.AsyncClient(base_url=told["ops_url"]) as ops:
            submitting = asyncio.create_task(student.post(f"/api/v1/student/submit/{samples.ATTEMPT}"))
            await asked.wait()
            await busy.wait()
            process.send_signal(signal.SIGTERM)
            await asyncio.gather(*savers)
            assert (await ops.get("/readyz")).json()["reason"] == "stopping"
            graded.set()
            assert (await submitting).status_code == 200
        assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_it_may_open_as_many_files_as_the_system_lets_it(environment, fakes):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with serving(environment, "prlimit", f"--nofile=128:{hard}") as (process, _):
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (hard, hard)


NOWHERE = "127.0.0.1:1"


async def test_students_need_auth_and_exam_only(run, fakes):
    fakes.answers["Attempts/Submit"] = samples.closed()
    async with run(grading_target=NOWHERE, import_target=NOWHERE) as gateway:
        reply = await gateway.student.post(f"/api/v1/student/submit/{samples.ATTEMPT}")
        assert (reply.status_code, reply.json()["grading"]) == (200, "pending")
        reply = await gateway.admin.get("/api/v1/admin/imports")
        assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")


async def test_staff_need_auth_only(run, fakes, certificates):
    alone = {"identities": {"staff": certificates("gateway-staff")}, "surfaces": ("staff",)}
    async with run(exam_target=NOWHERE, grading_target=NOWHERE, import_target=NOWHERE, **alone) as gateway:
        reply = await gateway.admin.get("/api/v1/admin/exams")
        assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")


async def test_without_exam_or_auth_it_waits(fakes, certificates, environment):
    async def never() -> str:
        return "no"

    settings = read(environment)
    for target, waits in (
        ("exam_target", "waiting for exam"),
        ("auth_target", "waiting for the keys of auth"),
    ):
        async with build(replace(settings, **{target: NOWHERE}), never) as gateway:
            supervisor = Supervisor(gateway.workers)
            supervisor.start()

            async def waits_for(reason=waits, gateway=gateway) -> bool:
                return await gateway.ready() == reason

            await eventually(waits_for)
            await supervisor.stop()


async def test_check_config(environment):
    process = await start("check-config", environment)
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b"The settings are complete.\n")
    process = await start("check-config", environment | {"STAFF_TLS_CERT": "/none", "WEB_ROOT": "/none"})
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"WEB_ROOT" in errors
    assert b"/none: No such file" in errors


async def test_the_api_describes_itself_without_any_setting(gateway):
    """For clients to be made from: all of both surfaces, and the same text each time."""
    texts = []
    for _ in range(2):
        process = await start("openapi", {})
        out, _ = await process.communicate()
        assert process.returncode == 0
        texts.append(out)
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    assert document == (await gateway.anonymous.get("/api/v1/openapi.json")).json()
    assert texts[0].decode() == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_settings_name_all_that_is_wrong(environment):
    del environment["EXAM_TARGET"], environment["STAFF_TLS_KEY"], environment["IMPORT_TARGET"]
    environment |= {"CORS_ORIGINS": "https://a.example, *", "TRUSTED_PROXIES": "-1"}
    with pytest.raises(SettingsError) as wrong:
        read(environment)
    for name in ("EXAM_TARGET", "STAFF_TLS_KEY", "IMPORT_TARGET", "CORS_ORIGINS", "TRUSTED_PROXIES"):
        assert any(name in problem for problem in wrong.value.problems), name


def test_a_student_surface_needs_nothing_of_staff(environment):
    for name in ("STAFF_TLS_CERT", "STAFF_TLS_KEY", "IMPORT_TARGET"):
        del environment[name]
    settings = read(environment | {"SURFACES": "student", "CORS_ORIGINS": "https://a.example"})
    assert list(settings.identities) == ["student"]
    assert settings.cookie_secure
    with pytest.raises(SettingsError):
        read(environment | {"SURFACES": "parents"})


def test_the_student_surface_is_out_of_reach_of_keys(environment):
    """Nothing that is loaded to serve students has a message for a key."""
    script = (
        "import sys\n"
        "from exam_gateway import bootstrap, app\n"
        "from exam_gateway.auth import routes\n"
        "from exam_gateway.student import exams, results, saves, submit, documented, backend\n"
        "away = ('grading.v1.keys', 'gateway.staff', 'imports.v1')\n"
        "print([name for name in sys.modules if any(part in name for part in away)])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
