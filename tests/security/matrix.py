"""The one table that says who may use which route: a row each, and what follows for everybody."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from api import page
from tests.people import OCTETS, Pen
from tests.routes import Route
from tests.security.cast import Actor, Cast

Combination = tuple[str, ...]
"""For each id in a path, in order, whose it is: `A`, `B`, or `missing`."""

GONE: Final = frozenset({404})
MARKDOWN: Final = {"content-type": "text/markdown", "if-match": "*"}
LIVES: Final = frozenset({200, 201, 202, 204})


@dataclass(frozen=True, slots=True)
class Row:
    """Who may use a route.

    `least` is who may at least: `anybody`; `person` (for themselves); `org:` or `document:` with the rank it takes;
    `ticket` (whoever holds a secret in the request, however they are signed in).
    """

    least: str
    body: Any = None
    """What is sent: JSON, bytes, or a function of the cast."""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    ok: frozenset[int] = LIVES
    """What those get who may."""
    denied: frozenset[int] = GONE
    """What those get who hold no ticket."""
    blind: bool = False
    """Everybody who is signed in gets the same, whether there is such a thing or not."""
    endless: bool = False
    """Whoever may gets an answer that does not end."""
    order: int = 0
    """When the owner uses it: what destroys comes last."""

    @property
    def rank(self) -> str:
        """The rank it takes."""
        return self.least.partition(":")[2]

    def content(self, cast: Cast) -> dict[str, Any]:
        """The body, as httpx takes it."""
        body = self.body(cast) if callable(self.body) else self.body
        if isinstance(body, bytes):
            return {"content": body, "headers": dict(self.headers)}
        return ({} if body is None else {"json": body}) | {"headers": dict(self.headers)}


def person(body: Any = None, **options: Any) -> Row:
    """For everybody who is signed in, about themselves."""
    return Row("person", body, **options)


def org(rank: str, body: Any = None, **options: Any) -> Row:
    """For whoever has at least this rank in the organization."""
    return Row(f"org:{rank}", body, **options)


def document(level: str, body: Any = None, **options: Any) -> Row:
    """For whoever has at least this level on the document."""
    return Row(f"document:{level}", body, **options)


def anybody(body: Any = None, **options: Any) -> Row:
    """For everybody, signed in or not."""
    return Row("anybody", body, **options)


def ticket(denied: int, body: Any = None, **options: Any) -> Row:
    """For whoever holds what the request has to bring."""
    return Row("ticket", body, denied=frozenset({denied}), **options)


def email(_cast: Cast) -> str:
    """An address nobody has."""
    return f"{uuid4()}@example.com"


def codes(*allowed: int) -> frozenset[int]:
    """What is fine."""
    return frozenset(allowed)


CREDENTIAL: Final[dict[str, Any]] = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"},
}
LINKED: Final = Row("ticket", denied=codes(401, 404))
"""Nobody's own token opens what a link has opened."""
HOOK: Final = {"url": "https://example.com/hook", "events": ["document.created"]}
TOKEN: Final = {"token": "x" * 40}
WRONG: Final = codes(401, 404, 409, 410, 422)
"""What somebody gets who may ask, and asks with made-up secrets."""

ROWS: Final[dict[str, Row]] = {
    # accounts
    "POST /auth/register": anybody(lambda c: {"email": email(c), "password": f"{uuid4()}", "name": "New"}),
    "POST /auth/login": anybody({"email": "nobody@example.com", "password": "wrong password"}, ok=codes(401)),
    "POST /auth/login/second-factor": anybody({**TOKEN, "code": "123456"}, ok=WRONG),
    "POST /auth/login/second-factor/options": anybody(TOKEN, ok=WRONG),
    "POST /auth/refresh": anybody(ok=codes(401)),
    "POST /auth/logout": anybody(),
    "GET /auth/me": person(),
    "PATCH /auth/me": person({"name": "Renamed"}),
    "POST /auth/verify-email": anybody(TOKEN, ok=WRONG),
    "POST /auth/verify-email/resend": anybody({"email": "nobody@example.com"}),
    "POST /auth/password": person({"old_password": "wrong", "new_password": "another one"}, ok=codes(401)),
    "POST /auth/password/forgot": anybody({"email": "nobody@example.com"}),
    "POST /auth/password/reset": anybody({**TOKEN, "password": "another password"}, ok=WRONG),
    "POST /auth/email": person({"email": "new@example.com", "password": "wrong"}, ok=codes(401)),
    "POST /auth/email/confirm": anybody(TOKEN, ok=WRONG),
    "GET /auth/sessions": person(),
    "DELETE /auth/sessions/{session_id}": person(order=2),
    "DELETE /auth/sessions": person(),
    "POST /auth/sessions/revoke-all": person(),
    "GET /auth/methods": person(),
    "POST /auth/reauthenticate": person({"password": "wrong"}, ok=codes(401)),
    "POST /auth/reauthenticate/options": person(ok=codes(200, 409)),
    "POST /auth/totp": person(ok=codes(201, 403)),
    "POST /auth/totp/confirm": person({"code": "123456"}, ok=codes(403, 404, 409, 422)),
    "DELETE /auth/totp": person(ok=codes(403, 404)),
    "POST /auth/recovery-codes": person(ok=codes(403, 404, 409)),
    "GET /auth/passkeys": person(),
    "POST /auth/passkeys/options": person(ok=codes(200, 403)),
    "POST /auth/passkeys": person(
        lambda c: {"challenge_id": str(uuid4()), "credential": CREDENTIAL}, ok=codes(403, 404, 422)
    ),
    "PATCH /auth/passkeys/{passkey_id}": person({"name": "Other"}),
    "DELETE /auth/passkeys/{passkey_id}": person(ok=codes(204, 403), order=2),
    "POST /auth/passkeys/sign-in/options": anybody(),
    "POST /auth/passkeys/sign-in": anybody(
        lambda c: {"challenge_id": str(uuid4()), "credential": CREDENTIAL}, ok=WRONG
    ),
    "GET /auth/log": person(),
    "POST /auth/tokens": person({"name": "Script", "scopes": ["read"]}, ok=codes(201, 403)),
    "GET /auth/tokens": person(),
    "DELETE /auth/tokens/{token_id}": person(ok=codes(204, 403), order=2),
    "DELETE /auth/me": person({"password": "wrong"}, ok=codes(401)),
    "POST /auth/me/export": person(),
    "GET /auth/me/exports": person(),
    "GET /auth/me/exports/{personal_export_id}": person(),
    "GET /auth/me/exports/{personal_export_id}/download": person(ok=codes(200, 409)),
    # organizations
    "POST /orgs": person({"name": "Another"}),
    "GET /orgs": person(),
    "GET /orgs/{org_id}": org("guest"),
    "GET /orgs/{org_id}/usage": org("admin"),
    "PATCH /orgs/{org_id}": org("admin", {"name": "Renamed"}),
    "GET /orgs/{org_id}/members": org("member"),
    "PATCH /orgs/{org_id}/members/{user_id}": org("admin", {"role": "member"}),
    "DELETE /orgs/{org_id}/members/{user_id}": org("admin", order=5),
    "POST /orgs/{org_id}/invitations": org("admin", lambda c: {"email": email(c), "role": "member"}),
    "GET /orgs/{org_id}/invitations": org("admin"),
    "DELETE /orgs/{org_id}/invitations/{invitation_id}": org("admin", order=2),
    "POST /invitations/accept": person(TOKEN, ok=GONE),
    "GET /orgs/{org_id}/audit": org("admin"),
    "GET /orgs/{org_id}/audit/export": org("admin"),
    "GET /deleted-orgs": person(),
    "POST /deleted-orgs/{org_id}/restore": person(ok=GONE),
    "DELETE /orgs/{org_id}": org("owner", {"name": "not typed right"}, ok=codes(409, 422)),
    "POST /orgs/{org_id}/members/{user_id}/suspend": org("admin", order=3),
    "POST /orgs/{org_id}/members/{user_id}/reactivate": org("admin", order=4),
    "POST /orgs/{org_id}/transfer": org("owner", lambda c: {"user_id": str(uuid4())}, ok=GONE),
    "POST /orgs/{org_id}/invitation-links": org("admin", {"role": "member"}),
    "POST /orgs/{org_id}/invitations/{invitation_id}/resend": org("admin"),
    "POST /orgs/{org_id}/groups": org("admin", lambda c: {"name": f"Group {uuid4()}"}),
    "GET /orgs/{org_id}/groups": org("member"),
    "PATCH /orgs/{org_id}/groups/{group_id}": org("admin", {"name": "Renamed"}),
    "DELETE /orgs/{org_id}/groups/{group_id}": org("admin", order=6),
    "GET /orgs/{org_id}/groups/{group_id}/members": org("member"),
    "PUT /orgs/{org_id}/groups/{group_id}/members/{user_id}": org("admin"),
    "DELETE /orgs/{org_id}/groups/{group_id}/members/{user_id}": org("admin", order=2),
    "GET /orgs/{org_id}/search": org("guest", query="?q=word"),
    "POST /orgs/{org_id}/webhooks": org("admin", HOOK, ok=codes(201, 422)),
    "GET /orgs/{org_id}/webhooks": org("admin"),
    "PATCH /orgs/{org_id}/webhooks/{webhook_id}": org("admin", {"enabled": False}),
    "POST /orgs/{org_id}/webhooks/{webhook_id}/rotate-secret": org("admin"),
    "DELETE /orgs/{org_id}/webhooks/{webhook_id}": org("admin", order=6),
    "GET /orgs/{org_id}/webhooks/{webhook_id}/deliveries": org("admin"),
    "POST /orgs/{org_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": org("admin", ok=LIVES | {409}),
    # sharing
    "PUT /documents/{document_id}/access": document("manage", {"org_access": "none"}),
    "GET /documents/{document_id}/grants": document("manage"),
    "POST /documents/{document_id}/grants": document("manage", lambda c: {"email": email(c), "level": "read"}),
    "PUT /documents/{document_id}/grants/users/{user_id}": document("manage", {"level": "read"}),
    "PUT /documents/{document_id}/grants/groups/{group_id}": document("manage", {"level": "read"}),
    "DELETE /documents/{document_id}/grants/{kind}/{grantee_id}": document("manage", order=2),
    "GET /documents/{document_id}/share-links": document("manage"),
    "POST /documents/{document_id}/share-links": document("manage", {"level": "read"}),
    "PATCH /documents/{document_id}/share-links/{link_id}": document("manage", {"level": "read"}),
    "DELETE /documents/{document_id}/share-links/{link_id}": document("manage", order=2),
    "POST /documents/{document_id}/access-requests": person({"level": "read"}, blind=True, ok=LIVES | {409}),
    "GET /documents/{document_id}/access-requests": document("manage"),
    "POST /documents/{document_id}/access-requests/{request_id}/approve": document("manage", {}, order=2),
    "POST /documents/{document_id}/access-requests/{request_id}/deny": document(
        "manage", ok=codes(200, 404, 409), order=3
    ),
    "POST /shared/open": ticket(404, TOKEN),
    "GET /shared/document": LINKED,
    "GET /shared/state": LINKED,
    "GET /shared/content": LINKED,
    "POST /shared/updates": Row("ticket", Pen().write("by a link"), headers=OCTETS, denied=codes(401, 404)),
    "POST /shared/collab-token": LINKED,
    # documents
    "POST /orgs/{org_id}/documents": org("member", {"title": "New"}),
    "GET /orgs/{org_id}/documents": org("guest"),
    "GET /documents/{document_id}": document("read"),
    "PATCH /documents/{document_id}": document("write", {"title": "Renamed"}),
    "DELETE /documents/{document_id}": document("manage", order=8),
    "POST /documents/{document_id}/recover": document("manage"),
    "POST /documents/{document_id}/erase": document("manage", ok=LIVES | {409}, order=9),
    "POST /orgs/{org_id}/trash/empty": org("guest", order=10),
    "POST /documents/{document_id}/updates": document("write", Pen().write("by REST"), headers=OCTETS),
    "GET /documents/{document_id}/state": document("read"),
    "GET /documents/{document_id}/content": document("read"),
    "PUT /documents/{document_id}/content": document("write", b"# Words", headers=MARKDOWN),
    "POST /documents/{document_id}/collab-token": document("read"),
    # revisions and the pipeline
    "GET /documents/{document_id}/revisions": document("read"),
    "POST /documents/{document_id}/revisions": document("write", {"name": "Two"}),
    "GET /documents/{document_id}/revisions/{number}": document("read"),
    "GET /documents/{document_id}/revisions/{number}/state": document("read"),
    "GET /documents/{document_id}/revisions/{number}/content": document("read"),
    "POST /documents/{document_id}/revisions/{number}/restore": document("write", ok=codes(200, 409)),
    "GET /documents/{document_id}/revisions/{number}/diff": document("read", query="?from=1"),
    "GET /documents/{document_id}/revisions/{number}/attribution": document("read"),
    "GET /documents/{document_id}/diff": document("read", query="?from=0&to=1"),
    "GET /documents/{document_id}/attribution": document("read"),
    "POST /documents/{document_id}/undo": document(
        "write", lambda c: {"user_id": c.tenants["A"].owner.user["id"], "since_seq": 0}, ok=LIVES | {409}
    ),
    "GET /orgs/{org_id}/retention": org("guest"),
    "PUT /orgs/{org_id}/retention": org("admin", {"all_days": 1, "hourly_days": 7, "daily_days": 30}),
    "GET /orgs/{org_id}/pipeline": org("admin"),
    "POST /orgs/{org_id}/pipeline/replay": org("admin", {"state": "failed"}),
    "GET /orgs/{org_id}/backups": org("admin"),
    "POST /orgs/{org_id}/backups": org("admin", ok=codes(202, 409)),
    "POST /orgs/{org_id}/exports": org("guest", {"format": "zip"}),
    "POST /orgs/{org_id}/imports": org("member", b"# Words", headers={"content-type": "text/markdown"}),
    "GET /imports/{import_id}": person(),
    "GET /documents/{document_id}/pipeline": document("read"),
    "POST /pipeline/{run_id}/replay": org("admin"),
    "POST /documents/{document_id}/exports": document("read", {"format": "markdown"}),
    "GET /exports/{export_id}": document("read"),
    "GET /exports/{export_id}/download": ticket(404, query="?token=nonsense"),
    # one's data, and what operators see
    "GET /operations/backups": person(ok=GONE),
    "GET /operations/drills": person(ok=GONE),
    # notifications
    "GET /notifications": person(),
    "POST /notifications/{notification_id}/read": person(),
    "POST /notifications/read": person(),
    "GET /notifications/stream": person(endless=True),
    "GET /notifications/mailing": person(),
    "PUT /notifications/mailing": person({"mailing": "daily"}),
    "PUT /orgs/{org_id}/notifications/mailing": org("guest", {"mailing": "off"}),
    "GET /unsubscribe": ticket(404, query="?token=nonsense"),
    "POST /unsubscribe": ticket(404, query="?token=nonsense"),
    "GET /documents/{document_id}/watch": document("read"),
    "PUT /documents/{document_id}/watch": document("read", {"state": "mute"}),
    # providers
    "GET /auth/oidc": anybody(),
    "GET /auth/oidc/{provider_id}/start": ticket(404),
    "POST /auth/oidc/{provider_id}/link": person({}, ok=GONE),
    "GET /auth/oidc/{provider_id}/callback": ticket(404),
    "GET /auth/identities": person(),
    "DELETE /auth/identities/{identity_id}": person(ok=codes(204, 403), order=2),
    # probes, keys and pages
    "GET /healthz": anybody(),
    "GET /readyz": anybody(),
    "GET /docs": anybody(),
    "GET /.well-known/jwks.json": anybody(),
    "GET /icon.svg": anybody(),
    "GET /sw.js": anybody(),
    "GET /assets/{name}": anybody(ok=GONE),
    **{f"GET {path}": anybody() for path in page.PATHS},
}

WHOSE: Final[dict[str, tuple[str, ...]]] = {"number": ("A", "missing")}
"""A number counts within a document: it is nobody's."""
FIXED: Final = {"kind": "users", "name": "nothing.js", "provider_id": "nowhere", "rest:path": "anywhere"}
"""Parts of paths that are no ids."""


def parameters(route: Route) -> list[str]:
    """The ids in its path, in order."""
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    return [name for name in names if name not in FIXED]


def combinations(route: Route, cast: Cast, actor: Actor) -> Iterator[Combination]:
    """Every way to fill its ids in, but those that are all the actor's own where that is another tenant."""
    owned = cast.tenants["A"].ids
    values = [WHOSE.get(name, ("A", "B", "missing")) if name in owned else ("missing",) for name in parameters(route)]
    for combination in itertools.product(*values):
        whose = {value for name, value in zip(parameters(route), combination, strict=True) if name not in WHOSE}
        if actor.tenant == "A" or whose != {"B"}:
            yield combination


def path(route: Route, cast: Cast, combination: Combination) -> str:
    """The path with these ids."""
    filled = route.path
    for name, value in FIXED.items():
        filled = filled.replace("{" + name + "}", value)
    for name, whose in zip(parameters(route), combination, strict=True):
        filled = filled.replace("{" + name + "}", _value(cast, name, whose))
    return filled


def _value(cast: Cast, name: str, whose: str) -> str:
    if whose == "missing":
        return "999999" if name == "number" else str(uuid4())
    return cast.tenants[whose].ids[name]


def expected(row: Row, actor: Actor, combination: Combination) -> frozenset[int] | None:
    """The status codes that are right; None where it is for the owner alone to find out."""
    if row.least == "ticket":
        return row.denied
    if row.least == "anybody":
        return row.ok
    if not actor.signed_in:
        return codes(401)
    if row.blind:
        return row.ok
    if row.least == "person":
        return _of_a_person(row, actor, combination)
    return _of_a_tenant(row, actor, combination)


def _of_a_person(row: Row, actor: Actor, combination: Combination) -> frozenset[int] | None:
    """What is theirs is found, what is somebody else's or nobody's is not."""
    if not combination:
        return None
    return None if actor.name == "owner" and set(combination) == {"A"} else GONE | (row.ok - LIVES)


def _of_a_tenant(row: Row, actor: Actor, combination: Combination) -> frozenset[int] | None:
    at, rest = combination[0], set(combination[1:])
    if at == "A" and actor.tenant == "A" and _inside(row, actor):
        if not _ranks(row, actor):
            return codes(403) if rest <= {"A"} else codes(403, 404)
        return None if rest <= {"A"} else GONE
    if at == "B" and actor.tenant == "B":
        return codes(403, 404)  # at home, but asking for what is not there
    return GONE


def _inside(row: Row, actor: Actor) -> bool:
    """Whether they may know that it exists: guests know only the documents they were let in for."""
    if actor.org is None:
        return False
    return not (row.least.startswith("document") and actor.org == "guest" and actor.document is None)


def _ranks(row: Row, actor: Actor) -> bool:
    ranks: Callable[[str], bool] = actor.ranks_at_document if row.least.startswith("document") else actor.ranks_in_org
    return ranks(row.rank)
