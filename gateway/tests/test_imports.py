"""Importing: the upload's form, jobs, and workbooks to download."""

import gateway_samples as samples
from examkit.errors import unavailable, unsupported
from examprotos.imports.v1 import imports_pb2

ADMIN = "/api/v1/admin"


async def test_importing(gateway, fakes):
    fakes.answers["Imports/CreateJob"] = samples.job("queued")
    path = f"{ADMIN}/imports"
    files = {"file": ("C:\\temp\\q.xlsx", b"PK", "application/octet-stream")}
    reply = await gateway.admin.post(path, files=files, data={"kind": "questions", "dry_run": "true"})
    assert reply.status_code == 202, reply.text
    assert (reply.json()["id"], reply.json()["status"]) == (samples.JOB, "queued")
    sent = fakes.asked("Imports/CreateJob")
    assert (sent.filename, sent.data, sent.kind, sent.dry_run, sent.on_error) == (
        "q.xlsx",
        b"PK",
        "questions",
        True,
        "reject_file",
    )
    assert (await gateway.admin.post(path, files=files, data={"kind": "answers"})).status_code == 422
    assert (await gateway.admin.post(path, data={"kind": "questions"})).status_code == 422
    broken = {"content-type": "multipart/form-data"}
    assert (await gateway.admin.post(path, content=b"x", headers=broken)).status_code == 422
    fakes.answers["Imports/CreateJob"] = unsupported("This is not a workbook.")
    reply = await gateway.admin.post(path, files=files, data={"kind": "questions"})
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported")


async def test_import_jobs_and_workbooks(gateway, fakes):
    fakes.answers["Imports/GetJob"] = samples.job()
    fakes.answers["Imports/ListJobs"] = imports_pb2.ListJobsResponse(items=[samples.job()])
    fakes.answers["Imports/ListFailedRows"] = samples.failed_rows()
    workbook = imports_pb2.Workbook(filename="errors ä.xlsx", data=b"PKxx")
    fakes.answers["Imports/GetErrorWorkbook"] = workbook
    fakes.answers["Imports/GetTemplate"] = workbook
    path = f"{ADMIN}/imports"
    body = (await gateway.admin.get(f"{path}/{samples.JOB}")).json()
    assert body["errors"] == [
        {"row": 3, "column": "correct", "code": "unknown_option", "message": "Name A to D."}
    ]
    assert (await gateway.admin.get(path)).json()["items"][0] == body
    rows = (await gateway.admin.get(f"{path}/{samples.JOB}/rows?limit=7")).json()
    assert rows["items"] == [
        {
            "row": 3,
            "cells": {"question": "2 + 2?", "correct": "F"},
            "errors": [{"column": "correct", "code": "unknown_option", "message": "Name A to D."}],
        }
    ]
    assert (rows["next_cursor"], fakes.asked("Imports/ListFailedRows").limit) == ("on", 7)
    for part in (f"{samples.JOB}/errors.xlsx", "template.xlsx?kind=users"):
        reply = await gateway.admin.get(f"{path}/{part}")
        assert reply.content == b"PKxx"
        assert reply.headers["content-disposition"] == "attachment; filename*=UTF-8''errors%20%C3%A4.xlsx"
    assert (await gateway.admin.get(f"{path}/template.xlsx")).status_code == 422
    fakes.answers["Imports/GetJob"] = unavailable("away")
    assert (await gateway.admin.get(f"{path}/{samples.JOB}")).status_code == 503
