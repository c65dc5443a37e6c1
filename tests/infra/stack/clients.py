"""Talk to the embedded stores as their clients do: by what `stack.json` and `stack.env` say."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from minio import Minio
from redis import Redis

from infra.stack.files import read_env


def postgres(stack: dict[str, Any]) -> "psycopg.Connection[Any]":
    """A connection as the owner."""
    return psycopg.connect(stack["postgres"]["url"], autocommit=True)


def redis(stack: dict[str, Any]) -> "Redis":
    """A client with the password."""
    return Redis.from_url(stack["redis"]["url"], decode_responses=True)


def s3(home: Path) -> Minio:
    """A client with the keys."""
    settings = read_env(home / "stack.env")
    return Minio(
        urlsplit(settings["DOXIE_S3_ENDPOINT"]).netloc,
        access_key=settings["DOXIE_S3_ACCESS_KEY"],
        secret_key=settings["DOXIE_S3_SECRET_KEY"],
        secure=False,
    )


def write_everywhere(home: Path, stack: dict[str, Any]) -> None:
    """A row, a key and an object large enough to be stored in parts."""
    with postgres(stack) as connection:
        connection.execute("CREATE TABLE kept (value text)")
        connection.execute("INSERT INTO kept VALUES ('row')")
    redis(stack).set("kept", "value")
    store = s3(home)
    store.make_bucket("kept")
    store.put_object("kept", "large", io.BytesIO(LARGE), len(LARGE))


def assert_kept(home: Path, stack: dict[str, Any]) -> None:
    """All three are still there."""
    with postgres(stack) as connection:
        assert connection.execute("SELECT value FROM kept").fetchall() == [("row",)]
    assert redis(stack).get("kept") == "value"
    assert s3(home).get_object("kept", "large").read() == LARGE


LARGE = bytes(range(256)) * 24 * 1024
