"""The embedded object store: SeaweedFS, all of it in one process, on loopback only."""

import json
import os
import secrets
from pathlib import Path

from infra.stack import binaries, probes, weed_sockets
from infra.stack.files import write_private
from infra.stack.plan import S3_ENDPOINT, S3_PORTS, Plan
from infra.stack.ports import GRPC_OFFSET, LOOPBACK
from infra.stack.service import Service

_TOKENS = [f"WEED_JWT_{kind}_KEY" for kind in ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")]


def service(plan: Plan) -> Service:
    """`weed mini` with keys of its own."""
    directory = plan.home.data("s3")
    identities = directory / "s3.json"
    endpoint, keys = plan.settings[S3_ENDPOINT], _keys(plan)

    async def prepare() -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        write_private(identities, _identities(*keys))
        for port in _ports(plan).values():
            weed_sockets.forget(port)
            weed_sockets.forget(port + GRPC_OFFSET)

    arguments = _arguments(plan, directory, identities)
    return Service(
        name="s3",
        command=(str(binaries.seaweedfs()), "-logtostderr=true", "mini", *arguments),
        environment=_environment(directory),
        port=plan.ports["s3"],
        url=endpoint,
        probe=probes.s3(endpoint, *keys),
        prepare=prepare,
    )


def _keys(plan: Plan) -> tuple[str, str]:
    return plan.settings["DOXIE_S3_ACCESS_KEY"], plan.settings["DOXIE_S3_SECRET_KEY"]


def _ports(plan: Plan) -> dict[str, int]:
    return {part: plan.ports[name] for name, part in S3_PORTS.items()}


def _arguments(plan: Plan, directory: Path, identities: Path) -> list[str]:
    # The admin server starts even without its UI, and otherwise on a fixed port.
    return [
        f"-dir={directory}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-s3.config={identities}",
        *(f"-{part}.port={port}" for part, port in _ports(plan).items()),
        *(f"-{part}.port.grpc={port + GRPC_OFFSET}" for part, port in _ports(plan).items()),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.autoCreateBucket=false",
        "-master.telemetry=false",
        "-webdav=false",
        "-admin.ui=false",
        "-volume.preStopSeconds=0",
    ]


def _environment(directory: Path) -> dict[str, str]:
    """Its own: AWS_* variables of the operator's would become keys of this store.

    The tokens close the plain HTTP ports of filer and volumes, which need no S3 key otherwise. All
    parts are one process, so they need not outlive it.
    """
    tokens = {name: secrets.token_urlsafe(32) for name in _TOKENS}
    return {"PATH": os.defpath, "HOME": str(directory), "GOMEMLIMIT": "512MiB", **tokens}


def _identities(access_key: str, secret_key: str) -> str:
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    return json.dumps({"identities": [{"name": "doxie", "credentials": credentials, "actions": ["Admin"]}]})
