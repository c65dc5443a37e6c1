"""`/documents/{id}/access`, `/grants`, `/share-links`, `/access-requests`: who else may do what with a document."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends

from api.deps import Access, Claims, CurrentActor, CurrentClaims, CurrentRuntime, Revoked, Session, only_reads
from api.routing import v1
from api.sharing.schemas import (
    AddressWrite,
    Approval,
    Asked,
    Decided,
    GrantRead,
    Grants,
    LevelWrite,
    LinkChange,
    LinkRead,
    Links,
    LinkWrite,
    OrgAccessWrite,
    RequestRead,
    Requests,
    RequestWrite,
)
from infra import hashing
from infra.bus import Revocation
from infra.mail import link
from models import sharing

router = v1("/documents/{document_id}", tags=["sharing"])

Plural = Literal["users", "groups", "invitations"]
_KINDS: dict[Plural, sharing.Kind] = {"users": "user", "groups": "group", "invitations": "invitation"}


@router.put("/access", status_code=204)
async def open_to_org(body: OrgAccessWrite, session: Session, access: Access, revoked: Revoked) -> None:
    """Say what members of the organization may do with the document."""
    await sharing.open_to_org(session, access.scope, body.org_access)
    revoked(Revocation(document_id=access.id))


@router.get("/grants")
@only_reads
async def grants(session: Session, access: Access) -> Grants:
    """What is granted on the document, and to whom."""
    return Grants(items=[GrantRead.model_validate(item) for item in await sharing.grants(session, access.scope)])


@router.post("/grants", status_code=201)
async def grant_address(body: AddressWrite, session: Session, access: Access, revoked: Revoked) -> GrantRead:
    """Grant to whoever has an address: somebody of the organization, or a guest who is invited by mail."""
    granted = await sharing.grant_address(session, access.scope, body.email, body.level)
    if granted.kind == "user":
        revoked(Revocation(user_id=granted.id, document_id=access.id))
    return GrantRead.model_validate(granted)


@router.put("/grants/users/{user_id}", status_code=204)
async def grant_user(user_id: UUID, body: LevelWrite, session: Session, access: Access, revoked: Revoked) -> None:
    """Grant to a member or guest."""
    await sharing.grant_user(session, access.scope, user_id, body.level)
    revoked(Revocation(user_id=user_id, document_id=access.id))


@router.put("/grants/groups/{group_id}", status_code=204)
async def grant_group(group_id: UUID, body: LevelWrite, session: Session, access: Access, revoked: Revoked) -> None:
    """Grant to everybody in a group."""
    await sharing.grant_group(session, access.scope, group_id, body.level)
    revoked(Revocation(document_id=access.id))


@router.delete("/grants/{kind}/{grantee_id}", status_code=204)
async def revoke_grant(kind: Plural, grantee_id: UUID, session: Session, access: Access, revoked: Revoked) -> None:
    """Take a grant back."""
    await sharing.revoke_grant(session, access.scope, _KINDS[kind], grantee_id)
    revoked(Revocation(document_id=access.id))


async def _made_hash(body: LinkWrite, claims: CurrentClaims) -> str | None:
    return await _hash(body, claims)


async def _changed_hash(body: LinkChange, claims: CurrentClaims) -> str | None:
    return await _hash(body, claims)


async def _hash(body: LinkWrite | LinkChange, claims: Claims | None) -> str | None:
    """Argon2 takes its time: it comes before the transaction, for nobody who has not signed in."""
    return await hashing.hash_password(body.password.get_secret_value()) if claims and body.password else None


# Dependencies are resolved in order: these stand before whatever opens the session.
MadeHash = Annotated[str | None, Depends(_made_hash)]
ChangedHash = Annotated[str | None, Depends(_changed_hash)]


@router.get("/share-links")
@only_reads
async def links(session: Session, access: Access) -> Links:
    """The links to the document."""
    return Links(items=[LinkRead.of(item) for item in await sharing.links(session, access.scope)])


@router.post("/share-links", status_code=201)
async def make_link(
    body: LinkWrite, password_hash: MadeHash, session: Session, access: Access, runtime: CurrentRuntime
) -> LinkRead:
    """Make a link that opens the document to whoever has it; its token is shown this once."""
    made, token = await sharing.make_link(
        session, access.scope, level=body.level, expires_at=body.expires_at, password_hash=password_hash
    )
    return LinkRead.of(made, token, link(runtime.settings, "shared", token))


@router.patch("/share-links/{link_id}")
async def change_link(
    link_id: UUID,
    body: LinkChange,
    password_hash: ChangedHash,
    session: Session,
    access: Access,
    revoked: Revoked,
) -> LinkRead:
    """Change a link. With another password everybody has to open it again."""
    changes = body.model_dump(exclude_unset=True)
    if changes.get("level") is None:
        changes.pop("level", None)
    if "password" in changes:
        del changes["password"]
        changes["password_hash"] = password_hash
    changed = await sharing.change_link(session, access.scope, link_id, **changes)
    revoked(Revocation(document_id=access.id))
    return LinkRead.of(changed)


@router.delete("/share-links/{link_id}", status_code=204)
async def revoke_link(link_id: UUID, session: Session, access: Access, revoked: Revoked) -> None:
    """End a link, at once and for everybody."""
    await sharing.revoke_link(session, access.scope, link_id)
    revoked(Revocation(document_id=access.id))


@router.post("/access-requests", status_code=202)
async def ask(document_id: UUID, body: RequestWrite, session: Session, actor: CurrentActor) -> Asked:
    """Ask whoever manages the document for access. The answer is the same where there is no such document."""
    await sharing.ask(session, actor, document_id, level=body.level, message=body.message)
    return Asked()


@router.get("/access-requests")
@only_reads
async def asked(session: Session, access: Access) -> Requests:
    """Who waits for access to the document."""
    return Requests(items=[RequestRead.of(*row) for row in await sharing.asked(session, access.scope)])


@router.post("/access-requests/{request_id}/approve")
async def approve(request_id: UUID, body: Approval, session: Session, access: Access, revoked: Revoked) -> Decided:
    """Grant what somebody asked for, or another level."""
    request = await sharing.approve(session, access.scope, request_id, level=body.level)
    revoked(Revocation(user_id=request.user_id, document_id=access.id))
    return Decided.of(request)


@router.post("/access-requests/{request_id}/deny")
async def deny(request_id: UUID, session: Session, access: Access) -> Decided:
    """Say no; the one who asked is not told."""
    return Decided.of(await sharing.deny(session, access.scope, request_id))
