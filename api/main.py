"""The composition of the HTTP door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from api import afterwards, docs, errors, health, keys, metrics, page
from api.audit.routes import router as audit
from api.auth.accounts import router as accounts
from api.auth.login import router as login
from api.auth.people import router as people
from api.auth.routes import router as auth
from api.auth.sessions import router as sessions
from api.auth.tokens import router as tokens
from api.backups.routes import router as backups
from api.documents.routes import router as documents
from api.exports.routes import router as exports
from api.factors.passkeys import router as passkeys
from api.factors.routes import router as factors
from api.federation.routes import journeys
from api.federation.routes import router as federation
from api.imports.routes import router as imports
from api.middleware import Guard
from api.notifications.routes import router as notifications
from api.notifications.unsubscribing import router as unsubscribing
from api.operations.routes import router as operations
from api.orgs.groups import router as groups
from api.orgs.invitations import router as invitations
from api.orgs.members import router as members
from api.orgs.routes import router as orgs
from api.pipeline.routes import router as pipeline
from api.revisions.routes import present
from api.revisions.routes import router as revisions
from api.runtime import Runtime
from api.sharing.routes import router as sharing
from api.sharing.visiting import router as visiting
from api.webhooks.routes import router as webhooks
from infra import logging, tracing
from infra.settings import Settings, get_settings
from models.documents import fullness

DESCRIPTION = """
Every edit is journaled before it is answered; everything else about a document is derived from the
journal by flows you can see. Errors are RFC 9457 problem documents; lists are paged by cursor;
unsafe requests take `Idempotency-Key`; resources carry `ETag` and honour `If-Match`.
"""

ROUTERS: Final = (
    documents,  # first, since a request is compared with one path after another
    auth,
    login,
    accounts,
    tokens,
    people,
    sessions,
    factors,
    passkeys,
    federation,
    journeys,
    audit,
    orgs,
    members,
    invitations,
    groups,
    backups,
    sharing,
    visiting,
    revisions,
    present,
    pipeline,
    exports,
    imports,
    notifications,
    webhooks,
    operations,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application of one process, with its own settings where none are given."""
    settings = settings or get_settings()
    logging.configure("api")
    tracing.configure("api", settings.otlp_endpoint)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.runtime = runtime = Runtime.start(settings)
        await runtime.signer.reload(runtime.signing_keys)
        following = [
            asyncio.create_task(runtime.signer.follow(runtime.signing_keys)),
            asyncio.create_task(runtime.bulletin.follow()),
            asyncio.create_task(runtime.herald.run()),
            asyncio.create_task(fullness.watch(runtime.db)),
        ]
        yield
        for task in following:
            task.cancel()
        await afterwards.finish()
        await runtime.close()
        tracing.finish()

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
    requests = metrics.Requests()
    app.add_middleware(Guard, settings=settings, requests=requests)
    errors.install(app)
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    app.include_router(health.router)
    app.include_router(keys.router)
    app.include_router(unsubscribing)
    metrics.install(app, requests)
    docs.install(app)
    page.install(app, settings)
    return app
