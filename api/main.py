"""The composition of the HTTP door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from api import docs, errors, health
from api.auth.routes import router as auth
from api.documents.routes import router as documents
from api.exports.routes import router as exports
from api.imports.routes import router as imports
from api.middleware import Guard
from api.orgs.routes import router as orgs
from api.pipeline.routes import router as pipeline
from api.revisions.routes import present
from api.revisions.routes import router as revisions
from api.runtime import Runtime
from infra import logging
from infra.settings import get_settings

DESCRIPTION = """
Every edit is journaled before it is answered; everything else about a document is derived from the
journal by flows you can see. Errors are RFC 9457 problem documents; lists are paged by cursor;
unsafe requests take `Idempotency-Key`; resources carry `ETag` and honour `If-Match`.
"""


def create_app() -> FastAPI:
    """The application of one process."""
    settings = get_settings()
    logging.configure("api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.runtime = Runtime.start(settings)
        yield
        await app.state.runtime.close()

    app = FastAPI(
        title="Doxie",
        version="0.1.0",
        summary="Documents as pipelines.",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=errors.RESPONSES,
    )
    app.add_middleware(Guard, settings=settings)
    errors.install(app)
    v1 = APIRouter(prefix="/api/v1")
    for router in (auth, orgs, documents, revisions, present, pipeline, exports, imports):
        v1.include_router(router)
    app.include_router(v1)
    app.include_router(health.router)
    docs.install(app)
    return app
