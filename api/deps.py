"""What handlers ask for: a transaction, who is calling, and where they may act."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, TypeVar, cast
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api import cookies, runtime
from api.idempotency import SAFE, take_key
from api.runtime import Runtime
from infra import origin
from infra.bus import Revocation
from infra.identities import Recalled
from infra.tokens import TokenError
from models import auth, documents, orgs
from models.auth import Actor, Device
from models.errors import Invalid, TooLarge, Unauthenticated

ROOT: Final = "/api/v1"
"""What the paths of the API begin with."""

Call = Callable[[], Awaitable[object]]


class AfterCommit(list[Call]):
    """What to do once the transaction of the request is committed, and only then."""


async def _after_commit() -> AfterCommit:
    return AfterCommit()


# Dependencies are coroutines even where they wait for nothing: plain functions run on a thread each.
Later = Annotated[AfterCommit, Depends(_after_commit)]


Claims = dict[str, Any]


def claims_of(request: Request) -> Claims | None:
    """What a valid access token of the request says; None where there is no token.

    Raises:
        SessionOver: there is one, but it is not valid.
    """
    token = bearer(request) or cookies.access_token(request)
    if token is None or personal_token(request) is not None:
        return None
    if (verified := getattr(request.state, "claims", None)) is not None:
        return cast(Claims, verified)
    try:
        request.state.claims = runtime.of(request).signer.verify(token, typ="access")
    except TokenError as error:
        raise auth.SessionOver() from error
    return cast(Claims, request.state.claims)


async def _claims(request: Request) -> Claims | None:
    return claims_of(request)


CurrentClaims = Annotated[Claims | None, Depends(_claims)]


# FastAPI visits all that a dependency depends on wherever it is named, be it solved already: what is named often
# depends on little.
async def _open_session(request: Request, later: Later) -> AsyncIterator[AsyncSession]:
    claims = claims_of(request)
    user_id = auth.subject(claims) if claims else None
    recalled = request.state.recalled = await _recall(request, claims) if claims else None
    remembered = recalled.identity if recalled else None
    org_ids = auth.Identity.from_json(remembered).org_ids if remembered else ()
    only_reading = request.scope.get("endpoint") in READERS
    source = runtime.of(request).reads if only_reading else runtime.of(request).db
    async with source.transaction(user_id=user_id, org_ids=org_ids) as session:
        request.state.session = session
        yield session
    for call in later:
        await call()


async def _recall(request: Request, claims: Claims) -> Recalled:
    """What is remembered of the token's session, before a transaction is open for it."""
    return await runtime.of(request).identities.recall(auth.subject(claims), auth.session_of(claims))


Handler = TypeVar("Handler", bound=Callable[..., Any])

READERS: set[Callable[..., Any]] = set()
"""The handlers whose requests only read."""


def only_reads(handler: Handler) -> Handler:
    """Let a replica answer the requests of this handler, where there is one."""
    READERS.add(handler)
    return handler


# Function scope: otherwise the commit would come after the response, and a failed one would still
# have answered 201.
Session = Annotated[AsyncSession, Depends(_open_session, scope="function")]
CurrentRuntime = Annotated[Runtime, Depends(runtime.current)]


Announce = Callable[[Revocation], None]


async def _revoked(later: Later, runtime: CurrentRuntime) -> Announce:
    return lambda revocation: later.append(lambda: runtime.revoke(revocation))


Revoked = Annotated[Announce, Depends(_revoked)]
"""Call it with whose access changes, for the better or the worse; every process hears of it once that is committed."""


async def _current_actor(request: Request, session: Session, later: Later) -> Actor:
    if (token := personal_token(request)) is not None:
        actor = await auth.identify_token(session, token)
        auth.confine(actor, changes=_changes(request), account=_is_about_account(request))
        await take_key(request, session, actor)
        return actor
    claims, recalled = claims_of(request), cast("Recalled | None", request.state.recalled)
    if claims is None or recalled is None:
        raise Unauthenticated()
    if recalled.identity is not None:
        actor = auth.Identity.from_json(recalled.identity).actor(claims)
    else:
        identity = await auth.known(session, claims)
        actor = identity.actor(claims)
        if recalled.generations is not None:
            later.append(partial(_remember, request, identity, recalled.generations))
    await take_key(request, session, actor)
    return actor


def personal_token(request: Request) -> str | None:
    """The personal access token of the request."""
    token = bearer(request)
    return token if token is not None and token.startswith(auth.access_tokens.PREFIX) else None


def _changes(request: Request) -> bool:
    # Opening a document in an editor is a POST that changes nothing; whether it may be edited there its scope decides.
    return request.method not in SAFE and not request.url.path.endswith("/collab-token")


def _is_about_account(request: Request) -> bool:
    path = request.url.path.removeprefix(ROOT)
    return path.startswith("/auth/") and (request.method, path) != ("GET", "/auth/me")


async def _remember(request: Request, identity: auth.Identity, generations: str) -> None:
    await runtime.of(request).identities.keep(identity.user_id, identity.session_id, identity.as_json(), generations)


def bearer(request: Request) -> str | None:
    """The bearer token of a request, whatever it is."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


CurrentActor = Annotated[Actor, Depends(_current_actor)]


async def _org_scope(org_id: UUID, session: Session, actor: CurrentActor) -> orgs.OrgScope:
    return await orgs.enter(session, actor, org_id)


Scope = Annotated[orgs.OrgScope, Depends(_org_scope)]


@dataclass(frozen=True, slots=True)
class DocumentAccess:
    """A document and the scope of whoever asks for it."""

    document: documents.DocumentView
    scope: orgs.DocumentScope

    @property
    def id(self) -> UUID:
        """The document's id."""
        return self.document.id


async def _document(document_id: UUID, session: Session, actor: CurrentActor) -> DocumentAccess:
    return DocumentAccess(*await documents.enter(session, actor, document_id))


Access = Annotated[DocumentAccess, Depends(_document)]


async def _device() -> Device:
    here = origin.current()
    return Device(here.user_agent, here.ip)


CurrentDevice = Annotated[Device, Depends(_device)]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: after a cursor, so many."""

    cursor: str | None
    limit: int

    @property
    def after(self) -> UUID | None:
        """The cursor of lists that are ordered by id."""
        try:
            return UUID(self.cursor) if self.cursor else None
        except ValueError as error:
            raise Invalid("The cursor is not one of ours.") from error


async def _page(
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page:
    return Page(cursor, limit)


CurrentPage = Annotated[Page, Depends(_page)]
IfMatch = Annotated[str | None, Header()]


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request, read no further than the limit (bytes).

    Raises:
        TooLarge: there is more.
    """
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
    return bytes(body)
