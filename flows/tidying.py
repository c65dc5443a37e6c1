"""The flow that forgets what is over, so that nothing is kept longer than it is good for."""

from datetime import timedelta
from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import runtime
from infra import clock
from models import digests, idempotency
from models.auth import tidying as auth
from models.factors import tidying as factors
from models.federation import tidying as federation

KEYS: Final = timedelta(hours=24)
SESSIONS: Final = timedelta(days=30)
"""So long an account can still show where it was signed in."""


@flow(name="forget_what_is_over", flow_run_name=runtime.dated("forget what is over"), retries=2, retry_delay_seconds=60)
async def forget_what_is_over() -> State[Any]:
    """Forget idempotency keys of yesterday, sessions and links long over, and sign-ins nobody went on with."""
    now = clock.now()
    async with runtime.opened() as worker:
        async with worker.db.transaction() as session:
            keys = await idempotency.forget(session, before=now - KEYS)
        async with worker.db.transaction() as session:
            sessions, links = await auth.forget(session, before=now - SESSIONS)
        async with worker.db.transaction() as session:
            begun = await factors.forget(session, before=now) + await federation.forget(session, before=now)
        async with worker.db.transaction() as session:
            await digests.forget(session, before=now - SESSIONS)
    return Completed(message=f"{keys} keys, {sessions} sessions, {links} links, {begun} sign-ins that were begun")
