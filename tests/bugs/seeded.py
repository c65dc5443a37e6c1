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
        'mine = f"{column} = ANY ({ORGS})"',
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
        "        unsaved.append(entry)\n        if not known:\n",
        "        unsaved.append(entry)\n        seat.saved()\n        if not known:\n",
        ("tests/collab/test_outages.py",),
    ),
    Bug(
        "the chain of the journal is not compared",
        "models/revisions/verification.py",
        "if entry.chain != chain:",
        "if False:",
        ("tests/flows",),
    ),
    Bug(
        "a search finds words of any organization",
        "models/migrations/versions/0016_search.py",
        "WHERE org = ANY ({security.ORGS}) GROUP",
        "WHERE true GROUP",
        ("tests/security/test_tenancy.py", "-k", "search"),
    ),
    Bug(
        "anybody may call what works as the owner",
        "models/migrations/security.py",
        'connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION public.{function} FROM PUBLIC")',
        'connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION public.{function} TO PUBLIC")',
        ("tests/security/test_tenancy.py", "-k", "owner"),
    ),
    Bug(
        "a search counts what one may not read",
        "models/documents/search.py",
        "readable = queries.readable(scope.org_id, scope.actor.user_id, role=scope.role)",
        'readable = queries.readable(scope.org_id, scope.actor.user_id, role="owner")',
        ("tests/models/documents/test_search.py",),
    ),
    Bug(
        "documents are counted without their lock",
        "models/documents/usage.py",
        "    await orgs.lock(session, org_id)\n",
        "",
        ("tests/api/test_quotas.py", "-k", "counted_exactly"),
    ),
    Bug(
        "an organization that is full goes on writing",
        "collab/room.py",
        "if self.org_full or self.size + size > self.limit:",
        "if self.size + size > self.limit:",
        ("tests/collab/test_quotas.py",),
    ),
    Bug(
        "a backup of an organization is not compared with its hash",
        "models/backups/shelf.py",
        'if digest != said["sha256"]:',
        "if False:",
        ("tests/flows/test_shelving.py", "-k", "tampered"),
    ),
    Bug(
        "a service that lived is given up",
        "infra/stack/runner.py",
        "lived = lived or not quickly",
        "lived = False",
        ("tests/infra/stack/test_crashes.py", "-k", "lived"),
    ),
    Bug(
        "nobody is told that the bus was away",
        "infra/bus.py",
        "                missed = True",
        "                missed = False",
        ("tests/infra/test_bus.py",),
    ),
    Bug(
        "nobody looks for what the bus has lost",
        "collab/rooms.py",
        "ahead = await self._library.ahead(rooms) if rooms else []",
        "ahead = []",
        ("tests/collab/test_outages.py", "-k", "never_told"),
    ),
    Bug(
        "a replica is read before it has caught up",
        "infra/replica.py",
        "pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn) AS caught_up",
        "CAST(:position AS pg_lsn) IS NOT NULL AS caught_up",
        ("tests/api/test_replica.py", "-k", "lags"),
    ),
)
