"""The OpenAPI document: FastAPI's, made true: our errors, our security, and the routes it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from exam_gateway.describe import failures, merge
from exam_gateway.guards.routes import PublicRoute
from exam_gateway.shapes import Problem

REF = "#/components/schemas/{model}"
_TAGS = (
    ("auth", "Logging in, and the own account."),
    ("taking an exam", "For students."),
    ("question bank", "Questions with their keys. For admins."),
    ("exams", "Building, publishing, closing. For admins."),
    ("accommodations", "Extra time, attempts, own windows. For admins."),
    ("marks and results", "For admins."),
    ("people", "For admins."),
    ("importing", "Workbooks. For admins."),
    ("pages", "For the web application: what its pages show, and what they tell of themselves."),
    ("audit", "Who did what, when, to what, why. For admins."),
)
_ABOUT = (
    "Timed exams. Errors are `application/problem+json` (RFC 9457); programs look at `code`. Lists take "
    "`limit` and `cursor`. Times are RFC 3339 in UTC, scores numbers with two decimals."
)
_WAIT = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


@dataclass(frozen=True)
class Documented:
    """An operation that FastAPI does not know."""

    models: Sequence[tuple[type[BaseModel], bool]]
    """Each with whether it is a response."""
    path: str
    operation: Mapping[str, Any]
    method: str = "post"


def describe(api: FastAPI, leaves: Sequence[APIRoute], documented: Sequence[Documented]) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(
        title="Examhall",
        version=version("exam-gateway"),
        description=_ABOUT,
        routes=api.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
    )
    _models(document, [(Problem, True), *(model for one in documented for model in one.models)])
    for route in leaves:
        for method in route.methods or ():
            _complete(document["paths"][route.path_format][method.lower()], route)
    for one in documented:
        document["paths"].setdefault(one.path, {})[one.method] = dict(one.operation)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "refresh_cookie": {"type": "apiKey", "in": "cookie", "name": "refresh_token"},
    }
    return document


def _models(document: dict[str, Any], models: Sequence[tuple[type[BaseModel], bool]]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, found = models_json_schema(
        [(model, "serialization" if response else "validation") for model, response in models],
        ref_template=REF,
    )
    for name, schema in found.get("$defs", {}).items():
        schemas.setdefault(name, schema)


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    codes = ["rate_limited", "unavailable", "internal"]
    if operation.get("requestBody"):
        codes += ["request_timeout", "too_large", "invalid"]
        if "multipart/form-data" not in operation["requestBody"]["content"]:
            codes.append("unsupported")
    parameters = operation.get("parameters", [])
    if any(one["in"] == "query" for one in parameters):
        codes.append("invalid")
    if any(one["in"] == "path" for one in parameters):
        codes.append("not_found")
    operation["security"] = _security(operation["operationId"])
    if isinstance(route, PublicRoute) and route.signed_in:
        codes += ["unauthenticated", "token_expired"]
        operation["security"] = [{"bearer": []}]
        if route.roles is not None:
            codes.append("forbidden")
    declared = {str(status): response for status, response in route.responses.items() if int(status) >= 400}
    responses.update(declared)
    complete(responses, codes)


def complete(responses: dict[str, Any], codes: Sequence[str]) -> None:
    """Adds failures, and the header that comes with some."""
    merge(responses, failures(*codes))
    for status in ("429", "503"):
        if status in responses:
            responses[status]["headers"] = _WAIT


def _security(operation: str) -> list[dict[str, list[str]]]:
    match operation:
        case "refresh":
            return [{"refresh_cookie": []}]
        case "logout":
            return [{"bearer": []}, {"refresh_cookie": []}]
    return []
