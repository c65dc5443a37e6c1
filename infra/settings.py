"""Every setting of every process, in one place.

Read from `DOXIE_*` environment variables, then from `DOXIE_HOME/stack.env` (what the running stack
wrote: URLs and ports), then from `DOXIE_HOME/secrets.env` (generated once, mode 0600).
"""

import os
import re
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024


def home_dir() -> Path:
    """Where a stack keeps its state: `DOXIE_HOME`, by default `.doxie` in the working directory."""
    return Path(os.environ.get("DOXIE_HOME", ".doxie")).resolve()


class OidcProvider(BaseModel):
    """Where people may sign in with an account they have elsewhere (OpenID Connect)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    """Its name in URLs."""
    name: str
    """Its name on a button."""
    issuer: str = Field(pattern=r"^https?://[^?#]+$")
    client_id: str
    client_secret: SecretStr
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    hosts: tuple[str, ...] = ()
    """Other hosts (`name[:port]`) its endpoints may be on; by default the issuer's only."""


class Settings(BaseSettings):
    """The settings of one process; see the module for where they come from."""

    model_config = SettingsConfigDict(env_prefix="DOXIE_", extra="ignore")

    home: Path = Path(".doxie")

    # stores
    database_url: SecretStr = SecretStr("")
    """The owner of the tables: migrations and backups only."""
    app_database_url: SecretStr = SecretStr("")
    """The role every process works with; row-level security applies to it."""
    app_database_replica_url: SecretStr = SecretStr("")
    """A streaming replica of it, the same role: api reads lists, search and history there (docs/adr/0013)."""
    redis_url: SecretStr = SecretStr("")
    s3_endpoint: str = "http://127.0.0.1:8333"
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")
    s3_bucket: str = "doxie"
    s3_backup_bucket: str = "doxie-backups"
    store_connect_seconds: int = Field(default=3, ge=2)
    """So long connecting to a store may take (infra/patience.py): one lost packet, and the second after it. A request
    that waits for it can still be answered before its client gives up."""
    store_silence_seconds: int = Field(default=15, ge=4)
    """A connection whose other end has not even acknowledged for so long is broken: longer than a network takes to find
    another way, and no longer than a commit may take (collab/writer.py)."""

    # identity
    signing_key: SecretStr = SecretStr("")
    """Ed25519 private key, PEM; newlines may be written as \\n."""
    secret_key: SecretStr = SecretStr("")
    """Derives refresh tokens and encrypts secrets at rest."""
    access_token_seconds: int = 15 * 60
    refresh_token_seconds: int = 30 * 24 * 3600
    collab_token_seconds: int = 5 * 60
    oidc_providers: list[OidcProvider] = Field(default_factory=list)
    """JSON: a list of providers; see docs/sign-in.md."""

    # mail
    smtp_url: SecretStr = SecretStr("")
    """`smtp[s]://user:password@host:port`; without it mails are kept in `DOXIE_HOME/mails`."""
    mail_from: str = "Doxie <doxie@localhost.localdomain>"

    email_verification: Literal["required", "optional", ""] = ""
    """Whether an address has to be verified before its account can be used; by default where mail is sent by SMTP."""

    deletion_grace_seconds: float = 14 * 24 * 3600
    """So long after it was asked for an account is erased; signing in until then keeps it."""

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
    work_pool: str = "doxie"
    """Prefect's pool for scheduled and rare work. Deployments that share one Prefect need one each."""
    allowed_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    trusted_proxies: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Networks (CIDR) of proxies of ours: what they say about whom they ask for is believed."""

    webhooks_to_private: bool = False
    """Whether webhooks may name hosts that are not public, and plain HTTP; for deployments without an outside."""

    # limits
    rate_limit_factor: float = 1.0
    """Multiplies every rate limit of api/limits.py; 0 switches them off."""
    rate_limits: dict[str, str] = Field(default_factory=dict)
    """Other numbers for some of them: {"sign-in:ip": "30/60"} is 30 in 60 seconds."""
    quota_members: int | None = Field(default=None, ge=0)
    """What an organization may have at most where operators have not set it for that one (`doxie admin quota`)."""
    quota_documents: int | None = Field(default=None, ge=0)
    quota_bytes: int | None = Field(default=None, ge=0)
    """Of all updates in the journals of its documents, archived ones included."""
    max_update_bytes: int = MIB
    max_document_bytes: int = 64 * MIB
    max_content_bytes: int = 8 * MIB
    collab_sockets_per_document: int = 2_000
    """At one collab process, as the next two."""
    collab_sockets_per_org: int = 20_000
    collab_documents_per_org: int = 5_000
    collab_stuck_seconds: float = 30.0
    """A client that lags and reads nothing at all for so long is cut off."""
    collab_keepers: int = 2
    """Processes that hold the documents open at one collab process, beside one for those that have killed another."""
    collab_keeper_memory_mib: int = 4096
    """Address space of each."""
    collab_keeper_seconds: float = 20.0
    """One that takes longer for anything is ended."""
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

    # backups
    wal_archive_seconds: float = 0
    """The embedded Postgres archives its log at least so often; 0: somebody else runs Postgres and its backups."""
    base_backup_hours: float = 24
    """A base backup is due when the newest is so old."""
    backup_keep_days: int = 14
    """Base backups, their log, and daily dumps older than this go …"""
    backup_keep_count: int = 3
    """… but never the newest so many base backups."""
    drill_days: float = 8
    """Without a good restore drill for so long, the alarm is raised."""
    archive_after_hours: float = 24
    """Updates that are folded and so old move from Postgres into segments in the object store."""
    ledger_keep_days: int = 90
    """Steps in the ledger are forgotten after so long …"""
    runs_keep_days: int = 30
    """… and flow runs in Prefect."""
    replica_s3_endpoint: str = ""
    """Where the copy of the buckets goes; empty: beside them."""
    replica_s3_region: str = "us-east-1"
    replica_s3_access_key: SecretStr = SecretStr("")
    replica_s3_secret_key: SecretStr = SecretStr("")
    replica_bucket: str = "doxie-replica"

    # operating
    log_level: str = "INFO"
    log_format: Literal["console", "json"] = "json"
    drain_seconds: float = 0
    """So long an api process goes on answering after SIGTERM, not ready, so that balancers and clients go elsewhere."""
    otlp_endpoint: str = ""
    """Where traces go, by OTLP over HTTP (`http://collector:4318`); without it none are made."""

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value

    @field_validator("oidc_providers")
    @classmethod
    def _distinct(cls, providers: list[OidcProvider]) -> list[OidcProvider]:
        if len({provider.id for provider in providers}) < len(providers):
            raise ValueError("two providers have the same id")
        return providers

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        return [str(ip_network(network, strict=False)) for network in value]

    @field_validator("rate_limits")
    @classmethod
    def _limits(cls, value: dict[str, str]) -> dict[str, str]:
        for limit in value.values():
            if re.fullmatch(r"[1-9]\d*/[1-9]\d*", limit) is None:
                raise ValueError(f"a rate limit is written as count/seconds, not {limit}")
        return value

    @property
    def requires_verified_email(self) -> bool:
        """Whether an address has to be verified, and nobody is told which are taken."""
        return self.email_verification == "required" or bool(
            not self.email_verification and self.smtp_url.get_secret_value()
        )

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach Doxie over TLS, so that `__Host-` cookies work."""
        return self.public_url.startswith("https://")


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    home = home_dir()
    return Settings(_env_file=(home / "secrets.env", home / "stack.env"), home=home)
