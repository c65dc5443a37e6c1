"""What one API process holds: connections, and nothing else."""

from dataclasses import dataclass

from fastapi import Request

from api.documents.saving import Saver
from api.notifications.bulletin import Bulletin
from infra.bus import Bus, Revocation
from infra.db import Database
from infra.herald import Herald
from infra.identities import Identities
from infra.limits import Limiter, LocalLimiter
from infra.oidc import Providers
from infra.redis import Volatile
from infra.replica import Reads
from infra.settings import Settings
from infra.storage import ObjectStore
from infra.tokens import Key, Signer
from models import auth


@dataclass(frozen=True, slots=True)
class Runtime:
    """The adapters of the process."""

    settings: Settings
    db: Database
    reads: Reads
    store: ObjectStore
    saver: Saver
    herald: Herald
    bus: Bus
    signer: Signer
    volatile: Volatile
    identities: Identities
    providers: Providers
    limiter: Limiter
    local_limiter: LocalLimiter
    bulletin: Bulletin

    @classmethod
    def start(cls, settings: Settings) -> "Runtime":
        """Make the adapters; none connects before it is used."""
        bus = Bus(settings.redis_url.get_secret_value())
        herald = Herald(bus)
        volatile = Volatile(settings.redis_url.get_secret_value())
        db_url = settings.app_database_url.get_secret_value()
        db = Database(db_url, pool_size=20)
        return cls(
            settings=settings,
            db=db,
            reads=Reads(db, primary_url=db_url, replica_url=settings.app_database_replica_url.get_secret_value()),
            store=ObjectStore(settings),
            saver=Saver(db_url, herald),
            herald=herald,
            bus=bus,
            signer=Signer.from_settings(settings),
            volatile=volatile,
            identities=Identities(volatile, doubted=lambda: bus.owes),
            providers=Providers(),
            limiter=Limiter(volatile),
            local_limiter=LocalLimiter(),
            bulletin=Bulletin(db),
        )

    async def signing_keys(self) -> list[Key]:
        """The keys that sign and verify tokens now."""
        async with self.db.transaction() as session:
            return await auth.signing_keys(session, self.settings)

    async def revoke(self, revocation: Revocation) -> None:
        """Let every process ask again who somebody is: after the commit that changed it, before the answer."""
        await self.bus.revoke(revocation)

    async def close(self) -> None:
        """Close every connection."""
        await self.providers.close()
        await self.saver.close()
        await self.herald.finish()
        await self.volatile.close()
        await self.bus.close()
        await self.reads.close()
        await self.db.close()
        await self.store.close()


def of(request: Request) -> Runtime:
    """The runtime that serves a request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


async def current(request: Request) -> Runtime:
    """The same, as a dependency."""
    return of(request)
