"""The embedded Valkey: fan-out, presence, limits; nothing in it that cannot be lost."""

import os

from infra.stack import binaries, probes
from infra.stack.files import write_private
from infra.stack.plan import REDIS_URL, Plan
from infra.stack.ports import LOOPBACK
from infra.stack.service import Service

# A file, because everyone on the machine can read the arguments of a process.
_CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir {directory}
save ""
appendonly yes
appendfsync everysec
"""


def service(plan: Plan) -> Service:
    """Valkey with a password and an append-only file."""
    directory = plan.home.data("redis")
    configuration = directory / "valkey.conf"

    async def prepare() -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        text = _CONFIGURATION.format(
            host=LOOPBACK,
            port=plan.ports["redis"],
            password=plan.secrets["DOXIE_REDIS_PASSWORD"],
            directory=f'"{directory}"',
        )
        write_private(configuration, text)

    return Service(
        name="redis",
        command=(str(binaries.valkey()), str(configuration)),
        environment={"PATH": os.defpath, "LANG": "C.UTF-8"},
        port=plan.ports["redis"],
        url=plan.settings[REDIS_URL],
        probe=probes.redis(plan.settings[REDIS_URL]),
        prepare=prepare,
    )
