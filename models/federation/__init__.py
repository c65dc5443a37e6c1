"""Identities at other providers, and signing in with them."""

from models.federation import errands, identities
from models.federation.errors import (
    EmailUnverified,
    ErrandForeign,
    IdentityMissing,
    IdentityTaken,
    ProviderUnavailable,
    ProviderUnknown,
    ReturnRefused,
    SignInRefused,
    SignInToLink,
)
from models.federation.tables import FederatedIdentity

__all__ = [
    "EmailUnverified",
    "ErrandForeign",
    "FederatedIdentity",
    "IdentityMissing",
    "IdentityTaken",
    "ProviderUnavailable",
    "ProviderUnknown",
    "ReturnRefused",
    "SignInRefused",
    "SignInToLink",
    "errands",
    "identities",
]
