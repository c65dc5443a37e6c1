"""`/orgs`: organizations, what is set in them, their end."""

from uuid import UUID

from api.deps import CurrentActor, Revoked, Scope, Session
from api.orgs.schemas import DeletedOrg, DeletedOrgs, OrgChange, OrgDelete, OrgRead, Orgs, OrgWrite, UsageRead
from api.routing import v1
from infra.bus import Revocation
from models import documents, orgs
from models.orgs import Role

router = v1(tags=["orgs"])


@router.post("/orgs", status_code=201)
async def found(body: OrgWrite, session: Session, actor: CurrentActor, revoked: Revoked) -> OrgRead:
    """Found an organization and own it."""
    organization = await orgs.found(session, actor, name=body.name)
    revoked(Revocation(user_id=actor.user_id, org_id=organization.id))
    return OrgRead.of(organization, Role.OWNER)


@router.get("/orgs")
async def mine(session: Session, actor: CurrentActor) -> Orgs:
    """The organizations one belongs to."""
    return Orgs(items=[OrgRead.of(*row) for row in await orgs.of(session, actor)])


@router.get("/deleted-orgs")
async def deleted(session: Session, actor: CurrentActor) -> DeletedOrgs:
    """The deleted organizations one can restore."""
    return DeletedOrgs(items=[DeletedOrg.of(item) for item in await orgs.deleted(session, actor)])


@router.post("/deleted-orgs/{org_id}/restore")
async def restore(org_id: UUID, session: Session, actor: CurrentActor, revoked: Revoked) -> OrgRead:
    """Take the deletion of an organization back."""
    revoked(Revocation(org_id=org_id))
    return OrgRead.of(await orgs.restore(session, actor, org_id), Role.OWNER)


@router.get("/orgs/{org_id}")
async def read(session: Session, scope: Scope) -> OrgRead:
    """One of them."""
    return OrgRead.of(await orgs.read(session, scope), scope.role)


@router.patch("/orgs/{org_id}")
async def change(body: OrgChange, session: Session, scope: Scope) -> OrgRead:
    """Give it another name or other settings."""
    return OrgRead.of(await orgs.change(session, scope, **body.model_dump(exclude_none=True)), scope.role)


@router.get("/orgs/{org_id}/usage")
async def usage(session: Session, scope: Scope) -> UsageRead:
    """How much it has, and how much it may have."""
    return UsageRead.of(await documents.usage(session, scope))


@router.delete("/orgs/{org_id}", status_code=202)
async def delete(body: OrgDelete, session: Session, scope: Scope, revoked: Revoked) -> DeletedOrg:
    """Delete it: everybody is out at once; an owner can restore it for 30 days, then it is erased."""
    await orgs.delete(session, scope, name=body.name)
    revoked(Revocation(org_id=scope.org_id))
    return DeletedOrg.of(await orgs.read(session, scope))
