"""OpenID Connect, as the side that relies on a provider: discovery, the code flow with PKCE, ID tokens."""

from infra.oidc.errors import AnswerRefused, ProviderDown
from infra.oidc.providers import Person, Providers
from infra.oidc.tokens import verify

__all__ = ["AnswerRefused", "Person", "ProviderDown", "Providers", "verify"]
