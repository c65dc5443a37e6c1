"""Every setting of every process, in one place.

Read from `DOXIE_*` environment variables, then from `DOXIE_HOME/stack.env` (what the running stack
wrote: URLs and ports), then from `DOXIE_HOME/secrets.env` (generated once, mode 0600).
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024


def home_dir() -> Path:
    """Where a stack keeps its state: `DOXIE_HOME`, by default `.doxie` in the working directory."""
    return Path(os.environ.get("DOXIE_HOME", ".doxie")).resolve()


class Settings(BaseSettings):
    """The settings of one process; see the module for where they come from."""

    model_config = SettingsConfigDict(env_prefix="DOXIE_", extra="ignore")

    home: Path = Path(".doxie")

    # stores
    database_url: SecretStr = SecretStr("")
    """The owner of the tables: migrations and backups only."""
    app_database_url: SecretStr = SecretStr("")
    """The role every process works with; row-level security applies to it."""
    redis_url: SecretStr = SecretStr("")
    s3_endpoint: str = "http://127.0.0.1:8333"
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")
    s3_bucket: str = "doxie"
    s3_backup_bucket: str = "doxie-backups"

    # identity
    signing_key: SecretStr = SecretStr("")
    """Ed25519 private key, PEM; newlines may be written as \\n."""
    secret_key: SecretStr = SecretStr("")
    """Derives refresh tokens and encrypts secrets at rest."""
    access_token_seconds: int = 15 * 60
    refresh_token_seconds: int = 30 * 24 * 3600
    collab_token_seconds: int = 5 * 60

    # doors
    api_host: str = "127.0.0.1"
    api_port: int = 8000
    collab_host: str = "127.0.0.1"
    collab_port: int = 8001
    flows_host: str = "127.0.0.1"
    flows_port: int = 8002
    public_url: str = "http://127.0.0.1:8000"
    collab_url: str = "ws://127.0.0.1:8001/collab"
    prefect_ui_url: str = "http://127.0.0.1:4200"
    allowed_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    trusted_proxies: Annotated[list[str], NoDecode] = Field(default_factory=list)

    # limits
    max_update_bytes: int = MIB
    max_document_bytes: int = 64 * MIB
    max_content_bytes: int = 8 * MIB
    archive_part_bytes: int = 8 * MIB
    """An archive is written to S3 in parts of this size or a document more."""
    max_import_bytes: int = 32 * MIB
    strict_sandbox: bool = False
    """Convert nothing where the kernel cannot shut a converter in."""

    # the pipeline
    persist_quiet_seconds: float = 2.0
    """A document is persisted once it has been quiet for so long …"""
    persist_max_age_seconds: float = 30.0
    """… or at the latest when its oldest unpersisted edit is so old."""
    persist_batch: int = 100
    lease_seconds: float = 60.0

    # operating
    log_level: str = "INFO"
    log_format: Literal["console", "json"] = "json"

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach Doxie over TLS, so that `__Host-` cookies work."""
        return self.public_url.startswith("https://")


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    home = home_dir()
    return Settings(_env_file=(home / "secrets.env", home / "stack.env"), home=home)
