"""How often what may be done: one table of limits, and the one place that holds every route to it.

Each rule limits by address (an IPv6 /64 counts as one), by account and by organization, whichever it names. Strict
rules guard what can be guessed, flooded or expensive; where Redis is away they are kept by each process for itself at a
quarter of the rate, and the others are open.

Guessing somebody's password must not lock them out. So failed sign-ins are counted for the address and for the address
together with the account; only far later for the account alone, and that never stops a browser in which they have
signed in before (api/devices.py), nor any way that needs no password: a passkey, a provider, a link by mail.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Depends, Request

from api import cookies, devices, runtime
from api.deps import ROOT, claims_of
from infra import origin
from infra.limits import Charge, Quota, Verdict
from infra.proxies import neighbourhood
from infra.redis import Absent
from infra.settings import Settings
from models.auth import SessionOver
from models.errors import TooMany, Unauthenticated

MINUTE: Final = 60
HOUR: Final = 3600
LOCAL_SHARE: Final = 4
MAX_READ: Final = 64 * 1024
"""A body that is larger names no account."""

Limit = tuple[int, float]
"""So many in so many seconds."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is limited, by what."""

    ip: Limit | None = None
    account: Limit | None = None
    ip_account: Limit | None = None
    failed: Limit | None = None
    """Failures for one account, from wherever; known devices excepted."""
    org: Limit | None = None
    strict: bool = False
    by_token: bool = False
    """A token in the body stands for the account."""


RULES: Final[dict[str, Rule]] = {
    "read": Rule(ip=(6000, MINUTE), account=(3000, MINUTE), org=(30_000, MINUTE)),
    "write": Rule(ip=(6000, MINUTE), account=(3000, MINUTE), org=(30_000, MINUTE)),
    "work": Rule(ip=(600, MINUTE), account=(60, MINUTE), org=(600, MINUTE)),
    "sign-in": Rule(ip=(60, MINUTE), ip_account=(10, 5 * MINUTE), failed=(100, HOUR), strict=True),
    "register": Rule(ip=(30, HOUR), strict=True),
    "recover": Rule(ip=(20, 15 * MINUTE), ip_account=(5, HOUR), strict=True),
    "second-factor": Rule(ip=(60, MINUTE), account=(10, 5 * MINUTE), strict=True, by_token=True),
    "refresh": Rule(ip=(600, MINUTE), account=(30, MINUTE), strict=True),
    "redeem": Rule(ip=(60, MINUTE), account=(30, MINUTE), strict=True),
    "invite": Rule(ip=(300, HOUR), account=(100, HOUR), org=(500, HOUR), strict=True),
}
"""By name. The numbers can be set: `DOXIE_RATE_LIMITS='{"sign-in:ip": "30/60"}'`, `DOXIE_RATE_LIMIT_FACTOR=2`."""

ROUTES: Final[Mapping[str, str]] = {
    "POST /auth/register": "register",
    "POST /auth/login": "sign-in",
    "POST /auth/login/second-factor": "second-factor",
    "POST /auth/login/second-factor/options": "second-factor",
    "POST /auth/passkeys/sign-in": "second-factor",
    "POST /auth/passkeys/sign-in/options": "second-factor",
    "POST /auth/reauthenticate": "second-factor",
    "POST /auth/totp/confirm": "second-factor",
    "POST /auth/password": "second-factor",
    "POST /auth/email": "second-factor",
    "POST /auth/refresh": "refresh",
    "POST /auth/password/forgot": "recover",
    "POST /auth/password/reset": "redeem",
    "POST /auth/verify-email": "redeem",
    "POST /auth/verify-email/resend": "recover",
    "POST /auth/email/confirm": "redeem",
    "POST /invitations/accept": "redeem",
    "POST /shared/open": "redeem",
    "GET /unsubscribe": "redeem",
    "POST /unsubscribe": "redeem",
    "POST /orgs/{org_id}/invitations": "invite",
    "POST /orgs/{org_id}/invitations/{invitation_id}/resend": "invite",
    "POST /documents/{document_id}/grants": "invite",
    "POST /documents/{document_id}/access-requests": "invite",
    "POST /auth/tokens": "second-factor",
    "POST /documents/{document_id}/exports": "work",
    "POST /documents/{document_id}/undo": "work",
    "POST /orgs/{org_id}/exports": "work",
    "POST /orgs/{org_id}/imports": "work",
    "POST /orgs/{org_id}/pipeline/replay": "work",
    "POST /documents/{document_id}/revisions/{number}/restore": "work",
    "POST /pipeline/{run_id}/replay": "work",
    "DELETE /auth/me": "second-factor",
    "POST /auth/me/export": "work",
    "GET /auth/me/exports/{personal_export_id}/download": "work",
    "POST /orgs/{org_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": "work",
    "GET /orgs/{org_id}/audit/export": "work",
    "GET /orgs/{org_id}/search": "work",
}
"""What is not just reading or writing."""


def rule_of(method: str, path: str) -> str:
    """The name of the rule for a route (its path as declared, without /api/v1)."""
    default = "read" if method in {"GET", "HEAD", "OPTIONS"} else "write"
    return ROUTES.get(f"{method} {path}", default)


async def enforce(request: Request) -> AsyncIterator[None]:
    """Charge the limits of a route, before anything else is done for it.

    Raises:
        TooMany: one of them is used up.
    """
    path = request.scope["route"].path.removeprefix(ROOT)
    name = rule_of(request.method, path)
    rule, settings = RULES[name], runtime.of(request).settings
    if settings.rate_limit_factor <= 0:
        yield
        return
    who = await _caller(request, rule)
    verdict = await _take(request, rule, _charges(name, rule, who, settings))
    request.state.rate_limit = verdict
    if not verdict.allowed:
        raise TooMany(verdict.wait)
    try:
        yield
    except Unauthenticated:
        if rule.failed is not None and who.account and not who.known_device:
            await _take(request, rule, [Charge(_quota(name, "failed", rule.failed, settings), who.account)])
        raise


Enforced = Depends(enforce, scope="function")


@dataclass(frozen=True, slots=True)
class _Caller:
    """By what a request is counted."""

    ip: str
    account: str | None
    org: str | None
    known_device: bool


async def _caller(request: Request, rule: Rule) -> _Caller:
    """A known device stands for the address, too: who shares one with an attacker is not counted with them."""
    account, known_device = None, False
    if rule.strict:
        named = await _named(request)
        if email := named.get("email"):
            account = _digest(email.lower())
            known_device = devices.knows(request, runtime.of(request).settings, email)
        elif token := named.get("token") or cookies.refresh_token(request):
            # Guesses at one token are counted together, whoever makes them; tokens themselves cannot be guessed.
            account = _digest(token) if rule.by_token else _signed_in(request) or _digest(token)
    account = account or _signed_in(request)
    ip = f"device:{devices.name_of(request)}" if known_device else neighbourhood(origin.current().ip)
    return _Caller(ip, account, request.path_params.get("org_id"), known_device)


def _signed_in(request: Request) -> str | None:
    try:
        claims = claims_of(request)
    except SessionOver:
        return None
    return str(claims["sub"]) if claims else None


async def _named(request: Request) -> dict[str, str]:
    """The texts of a small JSON object in the body, where there is one: an address, a token."""
    if int(request.headers.get("content-length") or 0) > MAX_READ:
        return {}
    try:
        body: Any = json.loads(await request.body())
    except ValueError:
        return {}
    return {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}


def _charges(name: str, rule: Rule, who: _Caller, settings: Settings) -> list[Charge]:
    wanted: list[tuple[str, Limit | None, str | None, int]] = [
        ("ip", rule.ip, who.ip, 1),
        ("account", rule.account, who.account, 1),
        ("ip+account", rule.ip_account, f"{who.ip}:{who.account}" if who.account else None, 1),
        ("failed", None if who.known_device else rule.failed, who.account, 0),
        ("org", rule.org, who.org, 1),
    ]
    return [
        Charge(_quota(name, by, limit, settings), whose, cost)
        for by, limit, whose, cost in wanted
        if limit is not None and whose is not None
    ]


def _quota(name: str, by: str, limit: Limit, settings: Settings) -> Quota:
    count, seconds = limit
    if override := settings.rate_limits.get(f"{name}:{by}"):
        count, seconds = (int(part) for part in override.split("/"))
    return Quota(f"{name}:{by}", max(1, round(count * settings.rate_limit_factor)), seconds)


async def _take(request: Request, rule: Rule, charges: list[Charge]) -> Verdict:
    process = runtime.of(request)
    try:
        return await process.limiter.take(charges)
    except Absent:
        local = [Charge(_fewer(charge.quota), charge.whose, charge.cost) for charge in charges]
        return process.local_limiter.take(local) if rule.strict else Verdict(local[0].quota, 0, local[0].quota.count, 0)


def _fewer(quota: Quota) -> Quota:
    return Quota(quota.name, max(1, quota.count // LOCAL_SHARE), quota.seconds)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
