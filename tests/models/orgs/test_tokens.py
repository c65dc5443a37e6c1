"""A personal access token is for what it was made for, also where no role is asked."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from infra.db import Database
from models import orgs, sharing
from models.auth import Actor
from models.orgs import Level, MayNot
from tests.models.orgs.office import Office, new_office

Verb = Callable[[AsyncSession, Actor, Office], Awaitable[object]]


async def leave(session: AsyncSession, actor: Actor, office: Office) -> None:
    await orgs.remove(session, await orgs.enter(session, actor, office.org_id), actor.user_id)


VERBS: dict[str, Verb] = {
    "found": lambda session, actor, _: orgs.found(session, actor, name="Mine"),
    "restore": lambda session, actor, office: orgs.restore(session, actor, office.org_id),
    "accept": lambda session, actor, _: sharing.accept(session, actor, "token"),
    "ask": lambda session, actor, _: sharing.ask(session, actor, uuid4(), level=Level.READ, message=""),
    "leave": leave,
}


@pytest.mark.parametrize("verb", VERBS)
async def test_a_token_to_read_does_nothing(db: Database, verb: str) -> None:
    office = await new_office(db)
    reader = replace(office.owner, token_scopes=frozenset({"read"}))
    async with db.transaction(user_id=reader.user_id, org_ids=[office.org_id]) as session:
        with pytest.raises(MayNot):
            await VERBS[verb](session, reader, office)
