"""Who is signed in, for what takes its time: no transaction stays open."""

from typing import Annotated

from fastapi import Depends, Request

from api.deps import CurrentClaims, CurrentRuntime, personal_token
from models import auth
from models.auth import Actor
from models.errors import Unauthenticated


async def _person(request: Request, claims: CurrentClaims, runtime: CurrentRuntime) -> Actor:
    if personal_token(request) is not None:
        raise auth.TokenMayNot()
    if claims is None:
        raise Unauthenticated()
    async with runtime.db.transaction(user_id=auth.subject(claims)) as session:
        return await auth.identify(session, claims)


Person = Annotated[Actor, Depends(_person)]
"""Somebody with a session of their own, who is asked for their password next."""
