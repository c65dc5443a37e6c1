"""The bugs: what to change, and the tests that have to fail then. Each is a mistake that somebody could make."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """A change to one file that makes it wrong."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]
    """Arguments of pytest that select what has to find it."""


BUGS = (
    Bug(
        "any site may use cookies",
        "api/middleware.py",
        "return origin not in self._settings.allowed_origins and urlsplit(origin).netloc != host",
        "return False",
        ("tests/security/test_browsers.py",),
    ),
    Bug(
        "sockets take cookies from any page",
        "collab/access.py",
        "return urlsplit(origin).netloc == host",
        "return True",
        ("tests/security/test_browsers.py",),
    ),
    Bug(
        "a replayed refresh token gets its successor",
        "models/auth/sessions.py",
        "elif clock.now() - used.used_at > GRACE:",
        "elif False:",
        ("tests/api/test_sessions.py",),
    ),
    Bug(
        "the type of a token is not compared",
        "infra/tokens.py",
        'if claims["typ"] != typ:',
        "if False:",
        ("tests/security/test_tokens.py",),
    ),
    Bug(
        "unknown people are refused without hashing",
        "infra/hashing.py",
        "    matches = await _in_turn(",
        "    if stored is None:\n        return False\n    matches = await _in_turn(",
        ("tests/security/test_enumeration.py",),
    ),
    Bug(
        "row-level security is not forced",
        "models/migrations/security.py",
        '    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")\n',
        "",
        ("tests/security/test_tenancy.py",),
    ),
    Bug(
        "a policy shows everything",
        "models/migrations/security.py",
        'mine = f"{column} = ANY ({_ORGS})"',
        'mine = "true"',
        ("tests/security/test_tenancy.py",),
    ),
    Bug(
        "roles are not asked for",
        "models/orgs/scope.py",
        "permission in PERMISSIONS[self.role] and within_token",
        "within_token",
        ("tests/security/test_matrix.py",),
    ),
    Bug(
        "scopes of tokens are not asked for",
        "models/orgs/scope.py",
        "return scopes is None or any(",
        "return True or any(",
        ("tests/api/test_access_tokens.py",),
    ),
    Bug(
        "news of revocations is ignored",
        "collab/rooms.py",
        "for seat in room.seats if seat.concerned(arrival)",
        "for seat in room.seats if False",
        ("tests/security/test_revocation.py", "tests/security/test_lost_access.py"),
    ),
    Bug(
        "who may only read now goes on writing",
        "collab/gatekeeper.py",
        "        seat.guest = found",
        "        pass",
        ("tests/security/test_lost_access.py",),
    ),
    Bug(
        "the limiter allows everything",
        "infra/limits.py",
        "    def allowed(self) -> bool:",
        "    def allowed(self) -> bool:\n        return True\n\n    def _was_allowed(self) -> bool:",
        ("tests/security/test_limits.py",),
    ),
    Bug(
        "a link that was mailed works twice",
        "models/auth/queries.py",
        "        delete(MailLink)\n        .where(col(MailLink.hash)",
        "        select(MailLink)\n        .where(col(MailLink.hash)",
        ("tests/api/test_accounts.py",),
    ),
    Bug(
        "a download outlives the access to what is in it",
        "api/exports/routes.py",
        "exports.see(session, await auth.identify(session, claims), export_id)",
        "exports.find(session, export_id) if await auth.identify(session, claims) else None",
        ("tests/security/test_lost_access.py", "-k", "exported"),
    ),
    Bug(
        "a verified token is believed for ever",
        "infra/tokens.py",
        'if claims["exp"] > clock.now().timestamp() and self._verifies(self._ring.get(kid)):',
        "if True:",
        ("tests/security/test_tokens.py",),
    ),
    Bug(
        "a snapshot leaves out what waits for a predecessor",
        "models/documents/crdt.py",
        "return updates.merged_with(doc.get_update(), updates.waiting(applied, doc.get_state()))",
        "return doc.get_update()",
        ("tests/flows/test_persisting.py",),
    ),
    Bug(
        "an edit is called saved before it is",
        "collab/room.py",
        "        self._relay(protocol.update(raw), seat)\n        self._stir(self)\n",
        "        self._relay(protocol.update(raw), seat)\n        seat.saved()\n        self._stir(self)\n",
        ("tests/collab/test_outages.py",),
    ),
    Bug(
        "the chain of the journal is not compared",
        "models/revisions/verification.py",
        "if entry.chain != chain:",
        "if False:",
        ("tests/flows",),
    ),
)
