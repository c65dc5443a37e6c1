"""`python -m models.migrations [upgrade|downgrade|check|revision] [ARGUMENT]`: change the schema."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from infra.db import driver_url
from infra.settings import get_settings
from models.migrations import security


def config(database_url: str) -> Config:
    """Alembic's configuration for a database."""
    alembic = Config()
    alembic.set_main_option("script_location", str(Path(__file__).parent))
    alembic.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return alembic


def head() -> str:
    """The newest revision."""
    newest = ScriptDirectory.from_config(config("")).get_current_head()
    assert newest is not None, "there are migrations"
    return newest


def upgrade(database_url: str, app_database_url: str, revision: str = "head") -> None:
    """Bring the schema to a revision and the application's role up to date."""
    command.upgrade(config(database_url), revision)
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        security.grant(connection, app_database_url)
    engine.dispose()


def main(action: str = "upgrade", argument: str | None = None) -> None:
    """Run one action on the database of the settings."""
    settings = get_settings()
    owner = settings.database_url.get_secret_value()
    match action:
        case "upgrade":
            upgrade(owner, settings.app_database_url.get_secret_value(), argument or "head")
        case "downgrade":
            command.downgrade(config(owner), argument or "-1")
        case "check":
            command.check(config(owner))
        case "revision":
            command.revision(config(owner), argument, autogenerate=True)
        case _:
            raise SystemExit(f"unknown action {action!r}: upgrade, downgrade, check or revision")


if __name__ == "__main__":
    main(*sys.argv[1:])
