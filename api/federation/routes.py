"""`/auth/oidc` and `/auth/identities`: signing in at a provider, and linking accounts there.

Nothing is asked of a provider while a transaction is open.
"""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from api import cookies
from api.auth import answers
from api.auth.deps import Person
from api.deps import CurrentActor, CurrentDevice, CurrentRuntime, Session
from api.federation.journeys import JourneyRoute
from api.federation.schemas import Identities, IdentityRead, Link, LinkBegun, LocalPath, ProviderRead, Providers
from api.routing import v1
from api.runtime import Runtime
from infra import oidc
from infra.logging import get_logger
from infra.oidc import AnswerRefused, ProviderDown
from infra.settings import OidcProvider
from models import factors, federation
from models.federation.errands import Returned, Sent

log = get_logger(__name__)

router = v1("/auth", tags=["federation"])
journeys = v1("/auth", tags=["federation"], route_class=JourneyRoute)

Parameter = Annotated[str | None, Query(max_length=4000)]


@router.get("/oidc")
async def providers(runtime: CurrentRuntime) -> Providers:
    """Where one may sign in with an account one has elsewhere."""
    return Providers(items=[ProviderRead.model_validate(item) for item in runtime.settings.oidc_providers])


@journeys.get("/oidc/{provider_id}/start", status_code=303, response_class=RedirectResponse)
async def start(provider_id: str, runtime: CurrentRuntime, return_to: LocalPath = "/", fresh: bool = False) -> Response:
    """Go to the provider to sign in; `return_to` is a path on this site.

    With `fresh` the provider asks again who it is: whoever has neither a password nor a passkey proves so that
    it is still them.
    """
    provider = federation.errands.provider(runtime.settings, provider_id)
    async with runtime.db.transaction() as session:
        sent = await federation.errands.begin(
            session, runtime.settings, runtime.signer, provider_id, return_to=return_to
        )
    response = RedirectResponse(await _address(runtime, provider, sent, fresh=fresh), status_code=303)
    _remember(response, runtime, sent)
    return response


@router.post("/oidc/{provider_id}/link")
async def link(provider_id: str, body: Link, response: Response, actor: Person, runtime: CurrentRuntime) -> LinkBegun:
    """Send the browser to the provider, to link an account there. Needs `POST /auth/reauthenticate` before."""
    provider = federation.errands.provider(runtime.settings, provider_id)
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        sent = await federation.errands.begin_link(
            session, actor, runtime.settings, runtime.signer, provider_id, return_to=body.return_to
        )
    address = await _address(runtime, provider, sent)
    _remember(response, runtime, sent)
    return LinkBegun(authorization_url=address)


@journeys.get("/oidc/{provider_id}/callback", status_code=303, response_class=RedirectResponse)
async def callback(
    provider_id: str,
    request: Request,
    runtime: CurrentRuntime,
    device: CurrentDevice,
    state: Parameter = None,
    code: Parameter = None,
    iss: Parameter = None,
    error: Parameter = None,
) -> Response:
    """Come back from the provider: signed in, with a second factor to follow in the fragment, or linked."""
    provider = federation.errands.provider(runtime.settings, provider_id)
    async with runtime.db.transaction() as session:
        errand = await federation.errands.take(
            session,
            runtime.settings,
            runtime.signer,
            provider_id,
            cookie=cookies.errand(request),
            state=state or "",
        )
    person = await _person(runtime, provider, errand, code=code, iss=iss, error=error)
    if errand.user_id is not None:
        async with runtime.db.transaction() as session:
            await federation.identities.link(session, provider, person, errand)
        return _back(runtime, errand.return_to)
    async with runtime.db.transaction() as session:
        begun = await federation.identities.sign_in(session, provider, person, device, runtime.settings, runtime.signer)
    if isinstance(begun, factors.SecondFactorNeeded):
        # In the fragment, which browsers keep to themselves.
        wanted = urlencode({"second_factor": begun.token, "methods": ",".join(begun.methods)})
        return _back(runtime, f"{errand.return_to}#{wanted}")
    response = _back(runtime, errand.return_to)
    await answers.signed_in(request, response, runtime, begun)
    return response


@router.get("/identities")
async def identities(session: Session, actor: CurrentActor) -> Identities:
    """The accounts at providers that sign in here."""
    found = await federation.identities.mine(session, actor)
    return Identities(items=[IdentityRead.model_validate(item) for item in found])


@router.delete("/identities/{identity_id}", status_code=204)
async def unlink(identity_id: UUID, session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> None:
    """Let one sign in no more. Needs `POST /auth/reauthenticate` before; the last way to sign in stays."""
    await federation.identities.unlink(session, actor, identity_id, runtime.settings)


async def _address(runtime: Runtime, provider: OidcProvider, sent: Sent, *, fresh: bool = False) -> str:
    try:
        return await runtime.providers.authorization_url(
            provider,
            redirect_uri=federation.errands.redirect_uri(runtime.settings, provider.id),
            state=sent.secrets.state,
            nonce=sent.secrets.nonce,
            verifier=sent.secrets.verifier,
            fresh=fresh,
        )
    except ProviderDown as failure:
        raise _unavailable(failure) from failure


async def _person(
    runtime: Runtime,
    provider: OidcProvider,
    errand: Returned,
    *,
    code: str | None,
    iss: str | None,
    error: str | None,
) -> oidc.Person:
    """Who came back, if the provider says so itself."""
    try:
        metadata = await runtime.providers.metadata(provider)
        if iss != provider.issuer and (iss is not None or metadata.names_itself):
            raise AnswerRefused("the answer is from another provider")
        if error is not None or code is None:
            raise AnswerRefused(f"the provider says {(error or 'nothing')[:100]!r}")
        return await runtime.providers.person(
            provider,
            redirect_uri=federation.errands.redirect_uri(runtime.settings, provider.id),
            code=code,
            nonce=errand.secrets.nonce,
            verifier=errand.secrets.verifier,
        )
    except ProviderDown as failure:
        raise _unavailable(failure) from failure
    except AnswerRefused as refusal:
        log.warning("sign-in refused", provider=provider.id, reason=str(refusal))
        raise federation.SignInRefused() from refusal


def _unavailable(failure: ProviderDown) -> federation.ProviderUnavailable:
    log.warning("provider down", reason=str(failure))
    return federation.ProviderUnavailable()


def _remember(response: Response, runtime: Runtime, sent: Sent) -> None:
    seconds = int(federation.errands.LIFETIME.total_seconds())
    cookies.store_errand(response, runtime.settings, sent.cookie, seconds=seconds)


def _back(runtime: Runtime, return_to: str) -> Response:
    response = RedirectResponse(return_to, status_code=303, headers={"cache-control": "no-store"})
    cookies.clear_errand(response, runtime.settings)
    return response
