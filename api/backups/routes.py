"""`/orgs/{id}/backups`: which backups an organization has, and making one now."""

from api.backups.schemas import OrgBackupRead, OrgBackups
from api.deps import CurrentPage, Scope, Session
from api.routing import v1
from models.backups import organizations

router = v1("/orgs/{org_id}/backups", tags=["backups"])


@router.get("")
async def page(session: Session, scope: Scope, page: CurrentPage) -> OrgBackups:
    """The backups of the organization, newest first."""
    found = await organizations.page(session, scope, after=page.after, limit=page.limit + 1)
    items = [OrgBackupRead.model_validate(backup) for backup in found[: page.limit]]
    return OrgBackups(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.post("", status_code=202)
async def request(session: Session, scope: Scope) -> OrgBackupRead:
    """Have a backup made now; the list says what became of it. One at a time: 409 while one is made."""
    return OrgBackupRead.model_validate(await organizations.request(session, scope))
