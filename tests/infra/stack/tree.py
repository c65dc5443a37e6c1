"""Run a supervisor over one service that starts a process of its own in a session of its own."""

import asyncio
import os
import sys
from pathlib import Path

from infra.stack.home import create
from infra.stack.progress import Progress
from infra.stack.service import Service
from infra.stack.supervisor import Supervisor

PARENT = "import subprocess; subprocess.Popen(['/bin/sleep', '60'], start_new_session=True).wait()"


async def main(home: Path) -> None:
    """Run until a signal."""
    service = Service("tree", (sys.executable, "-c", PARENT), os.environ)
    await Supervisor(create(home), [service], Progress()).run(lambda: None)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
