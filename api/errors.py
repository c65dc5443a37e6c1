"""Errors as clients get them: RFC 9457 problem documents."""

import inspect
import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.idempotency import AnsweredBefore
from infra.hashing import Busy
from infra.logging import get_logger
from models import errors

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[errors.DoxieError], HTTPStatus] = {
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "A problem document", "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}}}
}


def install(app: FastAPI) -> None:
    """Let the app answer every error with a problem document."""
    app.add_exception_handler(errors.DoxieError, _domain_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(AnsweredBefore, _answered_before)
    for unreachable in (OperationalError, InterfaceError, PoolTimeout, OSError):
        app.add_exception_handler(unreachable, _unreachable)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(DBAPIError, _database_error)
    app.add_exception_handler(Exception, unexpected)


def problem(
    request: Request, status: HTTPStatus, detail: str, *, kind: str = "about:blank", **more: Any
) -> JSONResponse:
    """A problem document; `kind` names the error for programs."""
    content = {
        "type": kind,
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", ""),
        **more,
    }
    return JSONResponse(content, status, media_type=MEDIA_TYPE)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.DoxieError)
    status = next(STATUS[base] for base in type(error).__mro__ if base in STATUS)
    response = problem(request, status, error.detail, kind=f"urn:doxie:{type(error).__name__}")
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = "Bearer"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["retry-after"] = "1"
    if isinstance(error, errors.TooMany):
        response.headers["retry-after"] = str(math.ceil(error.seconds))
    return response


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Without the input: it may hold a password.
    found = [{"loc": list(item["loc"]), "msg": item["msg"], "type": item["type"]} for item in error.errors()]
    detail = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found)
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=found)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, errors.DoxieError):  # while the body was read, which FastAPI calls a bad one
        return await _domain_error(request, error.__cause__)
    response = problem(request, HTTPStatus(error.status_code), str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _answered_before(_request: Request, answered: Exception) -> Response:
    assert isinstance(answered, AnsweredBefore)
    return answered.response()


async def _unreachable(request: Request, error: Exception) -> Response:
    log.error("a store is unreachable", error=str(error))
    response = problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "A store is unreachable. Nothing was changed.")
    response.headers["retry-after"] = "1"
    return response


async def _busy(request: Request, busy: Exception) -> Response:
    response = problem(request, HTTPStatus.SERVICE_UNAVAILABLE, inspect.cleandoc(type(busy).__doc__ or ""))
    response.headers["retry-after"] = "2"
    return response


async def _database_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    # A NUL character: JSON has it, Postgres text does not. The driver refuses it in text, the server in JSON.
    if sqlstate in {"22P05", "22021"} or (
        isinstance(error, DataError) and "NUL (0x00)" in str(error.orig)
    ):  # a NUL character: JSON has it, Postgres text does not
        return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "Text must not contain the NUL character.")
    if sqlstate == "23505":
        return problem(request, HTTPStatus.CONFLICT, "That contradicts what is there already.")
    return await unexpected(request, error)


async def unexpected(request: Request, error: Exception) -> Response:
    """The answer to what nobody foresaw."""
    log.error("unexpected error", exc_info=error, path=request.url.path)
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. It has been logged.")
