"""`/operations`: what operators look at; to everybody else there is nothing here."""

from typing import Annotated

from fastapi import Depends

from api.deps import CurrentActor, Session
from api.operations.schemas import BackupRead, Backups, DrillRead, Drills
from api.routing import v1
from models import auth, backups
from models.errors import NotFound

router = v1("/operations", tags=["operations"])


async def _operator(session: Session, actor: CurrentActor) -> None:
    if not (await auth.account(session, actor)).is_operator:
        raise NotFound()


Operator = Annotated[None, Depends(_operator)]


@router.get("/backups")
async def newest_backups(session: Session, _operator: Operator) -> Backups:
    """The newest backups."""
    return Backups(items=[BackupRead.model_validate(item) for item in await backups.newest(session)])


@router.get("/drills")
async def newest_drills(session: Session, _operator: Operator) -> Drills:
    """The newest restore drills."""
    return Drills(items=[DrillRead.model_validate(item) for item in await backups.newest_drills(session)])
