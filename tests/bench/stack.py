"""A stack of its own for benchmarks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.settings import get_settings


@contextmanager
def running(home: Path, only: Sequence[str] = ()) -> Iterator[None]:
    """Everything `./doxie up` starts, or a part of it, on free ports, for as long as the block runs."""
    os.environ |= {"DOXIE_HOME": str(home)}
    os.environ |= {f"DOXIE_{name}_PORT": "0" for name in ("API", "COLLAB", "PREFECT")}
    os.environ |= {"DOXIE_RATE_LIMIT_FACTOR": "1000"}  # one address and few accounts make all the load
    command = [sys.executable, "-m", "infra.stack"]
    part = ["--only", ",".join(only)] if only else []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # or it would leave the stack behind
    try:
        subprocess.run([*command, "up", "--detach", *part], check=True)
        get_settings.cache_clear()
        yield
    finally:
        subprocess.run([*command, "down"], check=True)
