"""Which flow takes which kind of event."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prefect import Flow

from flows.digests import mail_notifications
from flows.documents import persist_documents
from flows.exports import export_document
from flows.imports import import_documents
from flows.mails import send_mail
from flows.people import answer_link_request, erase_account, expire_personal_export, export_person
from flows.recording import Recorder
from flows.retention import thin_revisions
from flows.shelving import back_up_organization
from flows.webhooks import deliver_webhook
from infra.settings import Settings
from models import outbox
from models.outbox import Claim

TAGGED_DOCUMENTS = 20
"""A batch names so many of its documents in its tags; its parameters name them all."""


Work = Callable[[Recorder, Sequence[Claim]], Awaitable[None]]
"""What is done with events that were claimed together."""


@dataclass(frozen=True, slots=True)
class Route:
    """How events of a kind are worked on."""

    kind: str
    batch: int
    """Events taken at a time, by one flow run."""
    at_once: int
    """Flow runs at the same time."""
    work: Work
    apart: bool = False
    """Those that failed by their own fault, one at a time."""


def routes(settings: Settings) -> list[Route]:
    """All there are, each with one beside it for what has failed by its own fault."""
    ordinary = [
        Route(outbox.DOCUMENT_CHANGED, settings.persist_batch, 2, _persist),
        Route(outbox.EXPORT_REQUESTED, 1, 4, _each(export_document, "export", subject="export_id", org="org_id")),
        Route(outbox.IMPORT_REQUESTED, 1, 2, _each(import_documents, "import", subject="import_id", org="org_id")),
        Route(
            outbox.BACKUP_REQUESTED,
            1,
            1,
            _each(back_up_organization, "backup", "back up organization,", subject="backup_id", org="org_id"),
        ),
        Route(outbox.RETENTION_DUE, 1, 1, _each(thin_revisions, "retention", "thin revisions of", org="org_id")),
        Route(outbox.LINK_REQUESTED, 1, 4, _each(answer_link_request, "link", subject="request_id")),
        Route(outbox.MAIL_REQUESTED, 1, 4, _each(send_mail, "mail", subject="mail_id")),
        Route(outbox.NOTIFICATION_TOLD, 1, 2, _each(mail_notifications, "digest", "mail news to", subject="user_id")),
        Route(
            outbox.PERSONAL_EXPORT_REQUESTED,
            1,
            2,
            _each(export_person, "personal", "personal export", subject="export_id"),
        ),
        Route(
            outbox.PERSONAL_EXPORT_EXPIRED,
            1,
            2,
            _each(expire_personal_export, "personal", "personal export over", subject="export_id"),
        ),
        Route(outbox.DELETION_REQUESTED, 1, 1, _each(erase_account, "erasure", "erase", subject="user_id")),
        Route(outbox.WEBHOOK_DUE, 1, 8, _each(deliver_webhook, "webhook")),
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


def _each(
    flow: Flow[..., Any], kind: str, label: str | None = None, *, subject: str | None = None, org: str | None = None
) -> Work:
    """One run of a flow for each event; it takes the event's subject and organization by these names, if any."""

    async def work(recorder: Recorder, claims: Sequence[Claim]) -> None:
        for claim in claims:
            named = {subject: claim.subject_id, org: claim.org_id, "claim": claim}
            tags = [f"kind:{kind}", f"lease:{claim.lease_id}"]
            if claim.org_id != outbox.NO_ORG:
                tags.append(f"org:{claim.org_id}")
            await recorder.run(
                flow,
                {name: value for name, value in named.items() if name is not None},
                name=f"{label or kind} {claim.subject_id}",
                tags=tags,
            )

    return work
