"""Which flow takes which kind of event."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from flows.documents import persist_documents
from flows.exports import export_document
from flows.imports import import_documents
from flows.mails import send_mail
from flows.people import answer_link_request, erase_account, expire_personal_export, export_person
from flows.recording import Recorder
from flows.retention import thin_revisions
from flows.webhooks import deliver_webhook
from infra.settings import Settings
from models import outbox
from models.outbox import Claim

TAGGED_DOCUMENTS = 20
"""A batch names so many of its documents in its tags; its parameters name them all."""


@dataclass(frozen=True, slots=True)
class Route:
    """How events of a kind are worked on."""

    kind: str
    batch: int
    """Events taken at a time, by one flow run."""
    at_once: int
    """Flow runs at the same time."""
    work: Callable[[Recorder, Sequence[Claim]], Awaitable[None]]
    apart: bool = False
    """Those that failed by their own fault, one at a time."""


def routes(settings: Settings) -> list[Route]:
    """All there are, each with one beside it for what has failed by its own fault."""
    ordinary = [
        Route(outbox.DOCUMENT_CHANGED, settings.persist_batch, 2, _persist),
        Route(outbox.EXPORT_REQUESTED, 1, 4, _export),
        Route(outbox.IMPORT_REQUESTED, 1, 2, _import),
        Route(outbox.RETENTION_DUE, 1, 1, _thin),
        Route(outbox.LINK_REQUESTED, 1, 4, _link),
        Route(outbox.MAIL_REQUESTED, 1, 4, _mail),
        Route(outbox.PERSONAL_EXPORT_REQUESTED, 1, 2, _personal_export),
        Route(outbox.PERSONAL_EXPORT_EXPIRED, 1, 2, _personal_export_over),
        Route(outbox.DELETION_REQUESTED, 1, 1, _deletion),
        Route(outbox.WEBHOOK_DUE, 1, 8, _webhook),
    ]
    return ordinary + [replace(route, batch=1, at_once=1, apart=True) for route in ordinary]


async def _persist(recorder: Recorder, claims: Sequence[Claim]) -> None:
    documents = "document" if len(claims) == 1 else "documents"
    await recorder.run(
        persist_documents,
        {"claims": list(claims)},
        name=f"persist {len(claims)} {documents}",
        tags=[
            "kind:persist",
            f"lease:{claims[0].lease_id}",
            *(f"doc:{claim.subject_id}" for claim in claims[:TAGGED_DOCUMENTS]),
            *sorted({f"org:{claim.org_id}" for claim in claims[:TAGGED_DOCUMENTS]}),
        ],
    )


async def _export(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            export_document,
            {"export_id": claim.subject_id, "org_id": claim.org_id, "claim": claim},
            name=f"export {claim.subject_id}",
            tags=["kind:export", f"lease:{claim.lease_id}", f"org:{claim.org_id}"],
        )


async def _import(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            import_documents,
            {"import_id": claim.subject_id, "org_id": claim.org_id, "claim": claim},
            name=f"import {claim.subject_id}",
            tags=["kind:import", f"lease:{claim.lease_id}", f"org:{claim.org_id}"],
        )


async def _thin(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            thin_revisions,
            {"org_id": claim.org_id, "claim": claim},
            name=f"thin revisions of {claim.org_id}",
            tags=["kind:retention", f"lease:{claim.lease_id}", f"org:{claim.org_id}"],
        )


async def _mail(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            send_mail,
            {"mail_id": claim.subject_id, "claim": claim},
            name=f"mail {claim.subject_id}",
            tags=["kind:mail", f"lease:{claim.lease_id}"],
        )


async def _link(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            answer_link_request,
            {"request_id": claim.subject_id, "claim": claim},
            name=f"link {claim.subject_id}",
            tags=["kind:link", f"lease:{claim.lease_id}"],
        )


async def _webhook(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            deliver_webhook,
            {"claim": claim},
            name=f"webhook {claim.subject_id}",
            tags=["kind:webhook", f"lease:{claim.lease_id}", f"org:{claim.org_id}"],
        )


async def _personal_export(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            export_person,
            {"export_id": claim.subject_id, "claim": claim},
            name=f"personal export {claim.subject_id}",
            tags=["kind:personal", f"lease:{claim.lease_id}"],
        )


async def _personal_export_over(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            expire_personal_export,
            {"export_id": claim.subject_id, "claim": claim},
            name=f"personal export over {claim.subject_id}",
            tags=["kind:personal", f"lease:{claim.lease_id}"],
        )


async def _deletion(recorder: Recorder, claims: Sequence[Claim]) -> None:
    for claim in claims:
        await recorder.run(
            erase_account,
            {"user_id": claim.subject_id, "claim": claim},
            name=f"erase {claim.subject_id}",
            tags=["kind:erasure", f"lease:{claim.lease_id}"],
        )
