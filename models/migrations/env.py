"""Alembic's entry: the same URL and driver as everything else, synchronously."""

from alembic import context
from sqlalchemy import create_engine

from infra.db import driver_url
from models.migrations.tables import metadata

with create_engine(driver_url(context.config.get_main_option("sqlalchemy.url") or "")).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
