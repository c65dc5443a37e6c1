"""The outbox: what has to be done because of what was committed.

An event is written in the transaction that causes it, so both happen or neither. There is at most
one event of a kind per subject: further ones only mark it changed (`generation`). A worker claims
due events under a lease; an event survives a worker that dies, and goes back after its lease.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from infra import tracing
from infra.direct import Executes, uuid_array
from models.base import created, reference, timestamp
from models.errors import Conflict

CHANNEL = "doxie_outbox"

BACKUP_REQUESTED = "backup.requested"
DELETION_REQUESTED = "deletion.requested"
DOCUMENT_CHANGED = "document.changed"
EXPORT_REQUESTED = "export.requested"
IMPORT_REQUESTED = "import.requested"
LINK_REQUESTED = "link.requested"
MAIL_REQUESTED = "mail.requested"
NOTIFICATION_TOLD = "notification.told"
PERSONAL_EXPORT_EXPIRED = "personal_export.expired"
PERSONAL_EXPORT_REQUESTED = "personal_export.requested"
RETENTION_DUE = "retention.due"
WEBHOOK_DUE = "webhook.due"

KINDS = (
    BACKUP_REQUESTED,
    DELETION_REQUESTED,
    DOCUMENT_CHANGED,
    EXPORT_REQUESTED,
    IMPORT_REQUESTED,
    LINK_REQUESTED,
    MAIL_REQUESTED,
    NOTIFICATION_TOLD,
    PERSONAL_EXPORT_EXPIRED,
    PERSONAL_EXPORT_REQUESTED,
    RETENTION_DUE,
    WEBHOOK_DUE,
)

TRACEPARENT = "traceparent"
"""The key in a payload under which the trace goes on that has caused the event (W3C Trace Context)."""

NO_ORG = UUID(int=0)
"""The `org_id` of events that belong to no organization."""


SUSPECT = 2
"""After so many faults in a row an event is worked on apart from others …"""
ENOUGH = 6
"""… and after so many set aside: it is tried again now and then, and whenever somebody asks."""
ASIDE_SECONDS = 60.0
ASIDE_SECONDS_AT_MOST = 3600.0
"""The first pause of what is set aside, doubled each time up to the last."""


class OutboxEvent(SQLModel, table=True):
    """Something to be done, named `noun.past` after what happened.

    Holds identifiers only, so it is no tenant table: the worker that claims events has to see
    those of all organizations.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "due_at"),)

    kind: str = Field(primary_key=True)
    subject_id: UUID = reference(primary_key=True)
    org_id: UUID = reference()
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    generation: int = Field(default=1, sa_type=BigInteger)
    attempts: int = 0
    created_at: datetime = created()
    due_at: datetime = created()
    leased_until: datetime | None = timestamp(default=None, nullable=True)
    lease_id: UUID | None = reference(default=None, nullable=True)
    faults: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Failed attempts in a row that were this event's own fault, and not that of a store that was down."""
    set_aside_at: datetime | None = timestamp(default=None, nullable=True)
    """It has failed so often that it is only tried now and then, apart from the others."""
    error: str | None = Field(default=None, sa_type=Text)


class LeaseLost(Conflict):
    """Somebody else works on this event by now."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits or is worked on, of one kind."""

    kind: str
    events: int
    oldest_seconds: float
    set_aside: int = 0


Due = tuple[str, bool]
"""A kind of which something is due, and whether that is worked on apart from others."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An event somebody works on until the lease ends."""

    kind: str
    subject_id: UUID
    org_id: UUID
    payload: dict[str, Any]
    generation: int
    attempts: int
    lease_id: UUID
    faults: int = 0


_EMIT = text("""
    INSERT INTO outbox (kind, subject_id, org_id, payload, generation, attempts, created_at, due_at)
    SELECT :kind, subject_id, org_id, CAST(:payload AS jsonb), 1, 0, now(),
        now() + make_interval(secs => :quiet)
    FROM unnest(CAST(:subjects AS uuid[]), CAST(:orgs AS uuid[])) AS given (subject_id, org_id)
    ON CONFLICT (kind, subject_id) DO UPDATE SET
        generation = outbox.generation + 1,
        payload = outbox.payload || EXCLUDED.payload,
        attempts = CASE WHEN outbox.leased_until > now() OR outbox.faults > 0 OR NOT :urgent THEN outbox.attempts
            ELSE 0 END,
        faults = CASE WHEN :urgent THEN 0 ELSE outbox.faults END,
        set_aside_at = CASE WHEN :urgent THEN NULL ELSE outbox.set_aside_at END,
        due_at = CASE WHEN NOT :urgent AND (outbox.faults > 0 OR outbox.attempts > 0 AND outbox.lease_id IS NULL)
            THEN outbox.due_at
            ELSE LEAST(outbox.created_at + make_interval(secs => :max_age), EXCLUDED.due_at) END
""").bindparams(bindparam("payload", type_=Text))

_DUE = text("""
    SELECT DISTINCT kind, faults >= :suspect AS apart FROM outbox
    WHERE due_at <= now() AND (leased_until IS NULL OR leased_until < now())
""")

_CLAIM = text("""
    UPDATE outbox SET lease_id = :lease_id, leased_until = now() + make_interval(secs => :lease),
        attempts = attempts + 1, faults = faults + (lease_id IS NOT NULL AND lease_id <> ALL(:own))::int
    WHERE (kind, subject_id) IN (
        SELECT kind, subject_id FROM outbox
        WHERE kind = :kind AND due_at <= now() AND (leased_until IS NULL OR leased_until < now())
            AND (faults >= :suspect) = :apart
        ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING kind, subject_id, org_id, payload, generation, attempts, lease_id, faults
""").bindparams(bindparam("lease_id", type_=Uuid), bindparam("own", type_=ARRAY(Uuid)))

# Deletes what did not change meanwhile; what did change starts anew, as old as its newest change.
_SETTLE = text("""
    WITH given AS (
        SELECT * FROM unnest(:subjects, CAST(:generations AS bigint[]), CAST(:payloads AS jsonb[]))
            AS given (subject_id, generation, payload)
    ), gone AS (
        DELETE FROM outbox USING given
        WHERE outbox.kind = :kind AND outbox.subject_id = given.subject_id
            AND outbox.lease_id = :lease_id AND outbox.generation = given.generation
    )
    UPDATE outbox SET lease_id = NULL, leased_until = NULL, attempts = 0, faults = 0, set_aside_at = NULL,
        error = NULL, created_at = now(),
        payload = CASE WHEN outbox.payload - 'traceparent' = given.payload - 'traceparent'
            THEN outbox.payload - array(SELECT jsonb_object_keys(outbox.payload - 'traceparent'))
            ELSE outbox.payload END
    FROM given
    WHERE outbox.kind = :kind AND outbox.subject_id = given.subject_id
        AND outbox.lease_id = :lease_id AND outbox.generation <> given.generation
""").bindparams(bindparam("subjects", type_=ARRAY(Uuid)), bindparam("lease_id", type_=Uuid))

_RETRY = text("""
    UPDATE outbox SET lease_id = NULL, leased_until = NULL, error = :error, faults = faults + :fault,
        set_aside_at = CASE WHEN faults + :fault < :enough THEN NULL ELSE COALESCE(set_aside_at, now()) END,
        due_at = now() + CASE WHEN :fault = 0 OR faults + 1 < :enough THEN make_interval(secs => :delay)
            ELSE make_interval(secs => LEAST(:aside_at_most, :aside * power(2, LEAST(faults + 1 - :enough, 20)))) END
    WHERE kind = :kind AND subject_id = :subject_id AND lease_id = :lease_id
    RETURNING :fault = 1 AND set_aside_at IS NOT NULL
""").bindparams(bindparam("subject_id", type_=Uuid), bindparam("lease_id", type_=Uuid))

_BURY = text("""
    UPDATE outbox SET lease_id = NULL, leased_until = NULL, set_aside_at = COALESCE(set_aside_at, now()),
        faults = faults + 1, error = 'the workers that tried died',
        due_at = now()
            + make_interval(secs => LEAST(:aside_at_most, :aside * power(2, LEAST(faults + 1 - :enough, 20))))
    WHERE lease_id IS NOT NULL AND leased_until < now() AND faults + 1 >= :enough AND lease_id <> ALL(:own)
    RETURNING kind, subject_id, org_id, payload, generation, attempts, lease_id, faults
""").bindparams(bindparam("own", type_=ARRAY(Uuid)))

_EXTEND = text("""
    UPDATE outbox SET leased_until = now() + make_interval(secs => :lease) WHERE lease_id = :lease_id
""").bindparams(bindparam("lease_id", type_=Uuid))

_HELD = text("SELECT subject_id FROM outbox WHERE lease_id = :lease_id").bindparams(bindparam("lease_id", type_=Uuid))

_CONFIRM = text("""
    SELECT 1 FROM outbox WHERE kind = :kind AND subject_id = :subject_id AND lease_id = :lease_id FOR UPDATE
""").bindparams(bindparam("subject_id", type_=Uuid), bindparam("lease_id", type_=Uuid))

_ALIVE = text("""
    SELECT DISTINCT lease_id FROM outbox WHERE lease_id = ANY(:leases) AND leased_until > now()
""").bindparams(bindparam("leases", type_=ARRAY(Uuid)))

_BACKLOG = text("""
    SELECT kind, count(*) FILTER (WHERE set_aside_at IS NULL) AS events,
        COALESCE(EXTRACT(epoch FROM max(now() - created_at) FILTER (WHERE set_aside_at IS NULL)), 0)::float8
            AS oldest_seconds,
        count(*) FILTER (WHERE set_aside_at IS NOT NULL) AS set_aside
    FROM outbox GROUP BY kind
""")

_NOTIFY = text("SELECT pg_notify(:channel, :kind)")


async def emit(
    session: Executes,
    kind: str,
    subjects: Sequence[tuple[UUID, UUID]],
    *,
    quiet: float = 0,
    max_age: float = 0,
    payload: dict[str, Any] | None = None,
) -> None:
    """Note that something has to be done about subjects, given as (org id, subject id).

    It is due after `quiet` seconds without another such event, at the latest `max_age` seconds
    after the first. One that has failed waits until it is to be tried again, unless this is urgent (`quiet`
    is 0): while a store is down, edits cause no attempts. Subjects are taken in order of their ids, so that
    two writers cannot deadlock.
    """
    ordered = sorted(subjects, key=lambda pair: pair[1].int)
    cause = tracing.traceparent()
    await session.execute(
        _EMIT,
        {
            "kind": kind,
            "orgs": uuid_array(org_id for org_id, _ in ordered),
            "subjects": uuid_array(subject_id for _, subject_id in ordered),
            "payload": json.dumps({**(payload or {}), **({TRACEPARENT: cause} if cause else {})}),
            "quiet": quiet,
            "max_age": max_age,
            "urgent": quiet == 0,
        },
    )
    if quiet == 0:
        await session.execute(_NOTIFY, {"channel": CHANNEL, "kind": kind})


async def due(session: AsyncSession) -> list[Due]:
    """What `claim` would find."""
    return [(row.kind, row.apart) for row in await session.execute(_DUE, {"suspect": SUSPECT})]


async def claim(
    session: AsyncSession,
    kind: str,
    *,
    lease_id: UUID,
    limit: int,
    lease: float,
    apart: bool = False,
    own: Collection[UUID] = (),
) -> list[Claim]:
    """Take up to `limit` due events of a kind for `lease` seconds; nobody else gets them meanwhile.

    Those that have failed by their own fault, or whose workers died, are given out `apart` only: worked
    on one by one they hold up no others. A lease that ended is taken for a dead worker's, unless it is one of
    `own`, of a worker that lives and could not prolong it.
    """
    parameters = {"kind": kind, "lease_id": lease_id, "limit": limit, "lease": lease, "suspect": SUSPECT}
    rows = await session.execute(_CLAIM, {**parameters, "apart": apart, "own": list(own)})
    return [Claim(**row) for row in rows.mappings()]


async def extend(session: AsyncSession, lease_id: UUID, *, lease: float) -> None:
    """Work goes on: the lease ends `lease` seconds from now."""
    await session.execute(_EXTEND, {"lease_id": lease_id, "lease": lease})


async def settle(session: AsyncSession, claims: Sequence[Claim]) -> None:
    """These are done, all of one kind and lease. What was emitted again meanwhile stays due."""
    if claims:
        await session.execute(
            _SETTLE,
            {
                "kind": claims[0].kind,
                "lease_id": claims[0].lease_id,
                "subjects": [claim.subject_id for claim in claims],
                "generations": [claim.generation for claim in claims],
                "payloads": [json.dumps(claim.payload) for claim in claims],
            },
        )


async def retry(session: AsyncSession, claim: Claim, *, error: str, delay: float, fault: bool = False) -> bool:
    """This one failed: let it be due again after `delay` seconds. Whether it is set aside from now on.

    `fault`: by itself, not because a store was down. After too many of those it is set aside.
    """
    parameters = {
        "kind": claim.kind,
        "subject_id": claim.subject_id,
        "lease_id": claim.lease_id,
        "error": error[:2000],
        "delay": delay,
        "fault": int(fault),
        "enough": ENOUGH,
        "aside": ASIDE_SECONDS,
        "aside_at_most": ASIDE_SECONDS_AT_MOST,
    }
    return bool(await session.scalar(_RETRY, parameters))


async def bury(session: AsyncSession, *, own: Collection[UUID] = ()) -> list[Claim]:
    """Set aside what has killed worker after worker; what it was. `own`: see `claim`."""
    pauses = {"aside": ASIDE_SECONDS, "aside_at_most": ASIDE_SECONDS_AT_MOST}
    rows = await session.execute(_BURY, {"enough": ENOUGH, **pauses, "own": list(own)})
    return [Claim(**row) for row in rows.mappings()]


async def held(session: AsyncSession, lease_id: UUID) -> set[UUID]:
    """The subjects that are claimed under a lease and neither settled nor taken over."""
    return set(await session.scalars(_HELD, {"lease_id": lease_id}))


async def confirm(session: AsyncSession, claim: Claim) -> None:
    """Make sure that a claim still holds, until this transaction ends.

    Call it right before `settle`, after everything else: writers lock a document's stream first
    and its event last, and so must everybody.

    Raises:
        LeaseLost: the lease ended and somebody else has claimed the event.
    """
    parameters = {"kind": claim.kind, "subject_id": claim.subject_id, "lease_id": claim.lease_id}
    if (await session.execute(_CONFIRM, parameters)).first() is None:
        raise LeaseLost()


async def alive(session: AsyncSession, leases: Sequence[UUID]) -> set[UUID]:
    """Those of the leases under which somebody is still working."""
    return set(await session.scalars(_ALIVE, {"leases": list(leases)}))


async def backlog(session: AsyncSession) -> list[Backlog]:
    """What there is to do, by kind."""
    return [Backlog(**row) for row in (await session.execute(_BACKLOG)).mappings()]
