"""Row-level security and the privileges of the application's role."""

from alembic import op
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

# After a transaction that set them, the settings are '' and not NULL. The sub-selects make Postgres
# evaluate them once for a statement instead of once for a row.
ORGS = "((SELECT NULLIF(current_setting('app.org_ids', true), ''))::uuid[])"
_USER = "((SELECT NULLIF(current_setting('app.user_id', true), ''))::uuid)"

APPEND_ONLY = ("document_updates", "audit_events", "account_events")
"""The application reads and appends, and changes nothing."""

CALLED = ("matching_documents(uuid, text)",)
"""Functions that work as the owner of the tables: the application alone may call them."""

READ_ONLY = ("document_segments", "installation", "drills", "org_quotas", "sweeps", "unreferenced_objects")
"""Written by flows and operators, who work as the owner of the tables."""


def protect(table: str, column: str = "org_id") -> None:
    """Let a transaction see the rows of its organizations only, the table's owner included."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    mine = f"{column} = ANY ({ORGS})"
    op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")


def show_own(table: str, column: str = "user_id") -> None:
    """Also let a transaction see the rows of its user, in whatever organization."""
    op.execute(f"CREATE POLICY own ON {table} FOR SELECT USING ({column} = {_USER})")


def show_joined(table: str) -> None:
    """Also let a transaction see those organizations that its user belongs to."""
    mine = f"SELECT org_id FROM memberships WHERE user_id = {_USER}"  # noqa: S608 (a constant)
    op.execute(f"CREATE POLICY joined ON {table} FOR SELECT USING (id IN ({mine}))")


def grant(connection: Connection, app_url: str) -> None:
    """Create the role of the application where it is missing, and give it what it needs.

    It owns nothing, so it can neither change the schema nor switch row-level security off.
    """
    url = make_url(app_url)
    quote = connection.dialect.identifier_preparer.quote
    role = quote(url.username or "")
    exists = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": url.username})
    verb = "ALTER" if exists else "CREATE"
    password = str(url.password or "").replace("'", "''")
    connection.exec_driver_sql(
        f"{verb} ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '{password}'"
    )
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {role}")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    connection.exec_driver_sql(f"REVOKE ALL ON alembic_version FROM {role}")
    there = set(inspect(connection).get_table_names())
    for table in there.intersection(APPEND_ONLY):
        connection.exec_driver_sql(f"REVOKE UPDATE, DELETE ON {table} FROM {role}")
    for table in there.intersection(READ_ONLY):
        connection.exec_driver_sql(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {role}")
    for function in CALLED:
        if connection.scalar(text("SELECT to_regprocedure(:name)"), {"name": f"public.{function}"}) is not None:
            connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION public.{function} FROM PUBLIC")
            connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION public.{function} TO {role}")
