"""WebAuthn, as far as it is pure: what to ask an authenticator, and whether its answer holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from infra.settings import Settings

TIMEOUT_MILLISECONDS = 5 * 60 * 1000

Credential = dict[str, Any]
"""What `credential.toJSON()` gives in a browser."""

Known = tuple[bytes, Sequence[str]]
"""Id and transports of a credential."""


class Refused(ValueError):
    """The answer of an authenticator does not hold."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A new credential."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Used:
    """A credential that signed a challenge."""

    sign_count: int
    backed_up: bool


def registration(
    settings: Settings, challenge: bytes, *, handle: bytes, email: str, name: str, known: Sequence[Known]
) -> dict[str, Any]:
    """Options for `navigator.credentials.create()`.

    Every passkey is discoverable and verifies its user, so that each is a way to sign in by itself.
    Attestation is not asked for: we trust no maker more than another.
    """
    options = webauthn.generate_registration_options(
        rp_id=rp_id(settings),
        rp_name="Doxie",
        user_id=handle,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(known),
    )
    return options_to_json_dict(options)


def request(settings: Settings, challenge: bytes, *, verified: bool, known: Sequence[Known] = ()) -> dict[str, Any]:
    """Options for `navigator.credentials.get()`, for one of the known credentials or any discoverable one."""
    wish = UserVerificationRequirement.REQUIRED if verified else UserVerificationRequirement.PREFERRED
    options = webauthn.generate_authentication_options(
        rp_id=rp_id(settings),
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=_descriptors(known),
        user_verification=wish,
    )
    return options_to_json_dict(options)


def register(settings: Settings, credential: Credential, challenge: bytes) -> Registered:
    """The credential that an authenticator made for a challenge.

    Raises:
        Refused: it did not.
    """
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id(settings),
            expected_origin=origins(settings),
            require_user_verification=True,
        )
    except Exception as error:  # the library parses hostile bytes, and lets every kind of error through
        raise Refused(f"{type(error).__name__}: {error}") from error
    return Registered(
        made.credential_id, made.credential_public_key, made.sign_count, made.aaguid, made.credential_backed_up
    )


def use(settings: Settings, credential: Credential, challenge: bytes, *, public_key: bytes, verified: bool) -> Used:
    """What an authenticator says of itself in its signature of a challenge.

    Raises:
        Refused: it is not signed by that key, for this challenge, at this site, or for a user it has
            verified where that is demanded.
    """
    try:
        used = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id(settings),
            expected_origin=origins(settings),
            credential_public_key=public_key,
            # The library compares counts before it checks the signature; whoever calls does so after.
            credential_current_sign_count=0,
            require_user_verification=verified,
        )
    except Exception as error:  # as above
        raise Refused(f"{type(error).__name__}: {error}") from error
    return Used(used.new_sign_count, used.credential_backed_up)


def rp_id(settings: Settings) -> str:
    """The name that passkeys are bound to: the host of the public URL. They do not work at another."""
    return urlsplit(settings.public_url).hostname or ""


def origins(settings: Settings) -> list[str]:
    """Where pages that use passkeys may come from."""
    public = urlsplit(settings.public_url)
    return [f"{public.scheme}://{public.netloc}", *settings.allowed_origins]


def _descriptors(known: Sequence[Known]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=id_, transports=[AuthenticatorTransport(name) for name in transports])
        for id_, transports in known
    ]
