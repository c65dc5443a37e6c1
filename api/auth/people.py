"""`/auth/me`: everything that is known about oneself, and leaving for good."""

from datetime import datetime
from uuid import UUID

from fastapi import Response

from api import cookies
from api.auth.deps import Person
from api.auth.schemas import Leave, Leaving, PersonalExportRead, PersonalExports
from api.deps import CurrentActor, CurrentRuntime, Session
from api.routing import v1
from api.runtime import Runtime
from infra.bus import Revocation
from models import auth, factors, people
from models.auth import Actor
from models.people import PersonalExport

router = v1("/auth/me", tags=["auth"])


@router.delete("", status_code=202)
async def leave(body: Leave, actor: Person, runtime: CurrentRuntime, response: Response) -> Leaving:
    """Sign out everywhere, and have the account erased after a while. Signing in until then keeps it."""
    await _prove(runtime, actor, body)
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        due_at: datetime = await people.request_deletion(session, runtime.settings, actor)
    await runtime.revoke(Revocation(user_id=actor.user_id))
    cookies.clear(response, runtime.settings)
    return Leaving(erased_after=due_at)


@router.post("/export", status_code=202)
async def ask(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> PersonalExportRead:
    """Ask for everything that is known about oneself; a flow collects it."""
    return _answer(runtime, await people.request_export(session, actor))


@router.get("/exports")
async def exports(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> PersonalExports:
    """What one has asked for, newest first."""
    return PersonalExports(items=[_answer(runtime, export) for export in await people.own_exports(session, actor)])


@router.get("/exports/{personal_export_id}")
async def export(
    personal_export_id: UUID, session: Session, actor: CurrentActor, runtime: CurrentRuntime
) -> PersonalExportRead:
    """How far it is."""
    return _answer(runtime, await people.own_export(session, actor, personal_export_id))


@router.get("/exports/{personal_export_id}/download", response_class=Response)
async def download(
    personal_export_id: UUID, session: Session, actor: CurrentActor, runtime: CurrentRuntime
) -> Response:
    """The zip, for its owner only."""
    found = await people.own_export(session, actor, personal_export_id)
    if found.state != "succeeded":
        raise people.PersonalExportNotReady()
    data = await runtime.store.get(people.object_key(found))
    headers = {"content-disposition": 'attachment; filename="doxie-my-data.zip"', "cache-control": "no-store"}
    return Response(data, media_type="application/zip", headers=headers)


async def _prove(runtime: Runtime, actor: Actor, body: Leave) -> None:
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        if body.password is None:
            await factors.reauthentication.demand(session, actor)
            return
        user = await auth.account(session, actor)
    await auth.verify(user, body.password.get_secret_value())


def _answer(runtime: Runtime, export: PersonalExport) -> PersonalExportRead:
    answer = PersonalExportRead.model_validate(export)
    if export.state == "succeeded":
        base = runtime.settings.public_url.rstrip("/")
        answer.download_url = f"{base}/api/v1/auth/me/exports/{export.id}/download"
    return answer
