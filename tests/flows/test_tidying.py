"""What is over is forgotten, and nothing else."""

from datetime import timedelta
from uuid import UUID, uuid4

from prefect.settings import temporary_settings
from sqlalchemy import text

from flows import environment, runtime
from flows.runtime import Runtime
from flows.tidying import forget_what_is_over
from infra import clock
from models.auth import AuthSession
from models.auth.tables import RefreshToken
from models.factors.tables import PendingSignIn
from models.idempotency import IdempotencyKey
from tests.flows.desk import Desk


async def test_what_is_over_is_forgotten_and_nothing_else(worker: Runtime, desk: Desk) -> None:
    now = clock.now()
    user = desk.actor.user_id
    old, recent = now - timedelta(days=31), now - timedelta(hours=1)
    sessions = {
        "long expired": AuthSession(user_id=user, expires_at=old),
        "long revoked": AuthSession(user_id=user, expires_at=now + timedelta(days=1), revoked_at=old),
        "just revoked": AuthSession(user_id=user, expires_at=now + timedelta(days=1), revoked_at=recent),
        "live": AuthSession(user_id=user, expires_at=now + timedelta(days=1)),
    }
    tokens = {name: RefreshToken(hash=uuid4().bytes, session_id=row.id, used_at=old) for name, row in sessions.items()}
    keys = [
        IdempotencyKey(user_id=user, key=key, fingerprint=b"", created_at=now - timedelta(hours=hours))
        for key, hours in (("old", 25), ("new", 23))
    ]
    begun = [
        PendingSignIn(user_id=user, first="password", basis=b"", expires_at=at)
        for at in (recent, now + timedelta(minutes=1))
    ]
    async with worker.db.transaction() as session:
        session.add_all([*sessions.values(), *keys, *begun])
        await session.flush()
        session.add_all(tokens.values())
    for _ in range(2):
        with runtime.use(worker), temporary_settings(environment.api(worker.settings.prefect_ui_url)):
            await forget_what_is_over.with_options(retries=0)()
        async with worker.db.transaction() as session:
            found = set(
                await session.scalars(text("SELECT id FROM auth_sessions WHERE user_id = :user"), {"user": user})
            )
            assert {name for name, row in sessions.items() if UUID(str(row.id)) in found} == {"just revoked", "live"}
            hashes = set(await session.scalars(text("SELECT hash FROM refresh_tokens")))
            assert {name for name, row in tokens.items() if row.hash in hashes} == {"just revoked", "live"}
            left = await session.scalars(text("SELECT key FROM idempotency_keys WHERE user_id = :user"), {"user": user})
            assert list(left) == ["new"]
            query = text("SELECT id FROM pending_sign_ins WHERE user_id = :user")
            assert list(await session.scalars(query, {"user": user})) == [begun[1].id]
