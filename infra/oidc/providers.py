"""Talking to providers: what they say of themselves, where to send people, and who came back."""

import time
import warnings
from dataclasses import dataclass
from typing import Any, Final

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.integrations.base_client import OAuthError

from infra.oidc import fence, tokens
from infra.oidc.errors import AnswerRefused, ProviderDown
from infra.oidc.fence import Fence
from infra.settings import OidcProvider

with warnings.catch_warnings():  # it would rather have httpx2, which nothing else here uses
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

KEEP_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider publishes about itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    names_itself: bool
    """Whether it puts `iss` into what it sends back (RFC 9207)."""
    secret_in_body: bool
    """Whether it takes the client's secret in the body only."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is at a provider."""

    subject: str
    email: str | None
    email_verified: bool
    name: str | None
    asked_at: float | None = None
    """When the provider last asked them who they are (seconds since 1970), if it says so."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    until: float


class Providers:
    """The providers of a process: one set of connections, and what they published, kept for an hour."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._connections: httpx.AsyncHTTPTransport | None = None

    async def metadata(self, provider: OidcProvider) -> Metadata:
        """What the provider says of itself.

        Raises:
            ProviderDown: nothing, or what another provider would say.
        """
        url = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = await self._published(provider, url)
        if found.get("issuer") != provider.issuer:
            raise ProviderDown(f"{provider.id}: it calls itself {found.get('issuer')!r}")
        try:
            metadata = Metadata(
                authorization_endpoint=found["authorization_endpoint"],
                token_endpoint=found["token_endpoint"],
                jwks_uri=found["jwks_uri"],
                userinfo_endpoint=found.get("userinfo_endpoint"),
                names_itself=found.get("authorization_response_iss_parameter_supported") is True,
                secret_in_body="client_secret_basic"
                not in found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]),
            )
            urls = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
            fence.every((*urls, metadata.userinfo_endpoint), provider)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ProviderDown(f"{provider.id}: its configuration is none") from error
        return metadata

    async def authorization_url(
        self, provider: OidcProvider, *, redirect_uri: str, state: str, nonce: str, verifier: str, fresh: bool
    ) -> str:
        """Where to send a browser; `fresh` if the provider is to ask again who it is, though it knows the browser.

        Raises:
            ProviderDown: nobody knows.
        """
        metadata = await self.metadata(provider)
        async with self._client(provider, metadata, redirect_uri) as client:
            again = {"prompt": "login", "max_age": 0} if fresh else {}
            url, _ = client.create_authorization_url(
                metadata.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier, **again
            )
        return str(url)

    async def person(
        self, provider: OidcProvider, *, redirect_uri: str, code: str, nonce: str, verifier: str
    ) -> Person:
        """Who came back with a code.

        Raises:
            ProviderDown: the provider does not answer.
            AnswerRefused: it does not take the code, or its answer does not hold.
        """
        metadata = await self.metadata(provider)
        async with self._client(provider, metadata, redirect_uri) as client:
            try:
                token = await client.fetch_token(metadata.token_endpoint, code=code, code_verifier=verifier)
            except OAuthError as error:
                raise AnswerRefused(f"the provider does not take the code: {error.error}") from error
            except (httpx.HTTPError, ValueError) as error:
                raise ProviderDown(f"{provider.id}: {type(error).__name__}") from error
            claims = await self._claims(provider, metadata, dict(token), nonce)
            if "email" not in claims and metadata.userinfo_endpoint:
                claims |= await self._userinfo(client, metadata.userinfo_endpoint, claims["sub"])
        return Person(
            subject=claims["sub"],
            email=_text(claims.get("email")),
            # Some write the boolean as text.
            email_verified=claims.get("email_verified") in (True, "true"),
            name=_text(claims.get("name")),
            asked_at=_number(claims.get("auth_time")),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._connections is not None:
            await self._connections.aclose()

    async def _claims(
        self, provider: OidcProvider, metadata: Metadata, token: dict[str, Any], nonce: str
    ) -> dict[str, Any]:
        if not isinstance(token.get("id_token"), str):
            raise AnswerRefused("the provider gave no ID token")
        wanted: dict[str, Any] = {
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "nonce": nonce,
            "access_token": token.get("access_token"),
        }
        try:
            return tokens.verify(token["id_token"], await self._published(provider, metadata.jwks_uri), **wanted)
        except tokens.UnknownKey:
            # It came from the provider itself just now, so nobody else can make us ask again and again.
            keys = await self._published(provider, metadata.jwks_uri, fresh=True)
            return tokens.verify(token["id_token"], keys, **wanted)

    async def _userinfo(self, client: Any, url: str, subject: str) -> dict[str, Any]:
        answer = await client.get(url)
        found = _object(answer)
        if found is None or found.get("sub") != subject:
            raise AnswerRefused("what the provider says of the user is about somebody else")
        return {name: found[name] for name in ("email", "email_verified", "name") if name in found}

    async def _published(self, provider: OidcProvider, url: str, *, fresh: bool = False) -> dict[str, Any]:
        kept = self._kept.get((provider.id, url))
        if kept is None or fresh or kept.until < time.monotonic():
            transport = self._fence(provider)
            async with httpx.AsyncClient(transport=transport, timeout=fence.TIMEOUT, trust_env=False) as client:
                found = _object(await client.get(url))
            if found is None:
                raise ProviderDown(f"{provider.id}: {url} is no JSON object")
            kept = self._kept[provider.id, url] = _Kept(found, time.monotonic() + KEEP_SECONDS)
        value: dict[str, Any] = kept.value
        return value

    def _client(self, provider: OidcProvider, metadata: Metadata, redirect_uri: str) -> Any:
        return AsyncOAuth2Client(
            client_id=provider.client_id,
            client_secret=provider.client_secret.get_secret_value(),
            token_endpoint_auth_method="client_secret_post" if metadata.secret_in_body else "client_secret_basic",
            scope=" ".join(provider.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            transport=self._fence(provider),
            timeout=fence.TIMEOUT,
            trust_env=False,
        )

    def _fence(self, provider: OidcProvider) -> Fence:
        if self._connections is None:
            self._connections = fence.connections()
        return Fence(self._connections, provider)


def _object(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        found = answer.json() if answer.is_success else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
