"""The disk of Postgres is full: what cannot be saved is refused or called unsaved, and saved when there is room."""

import asyncio
import errno
import os
import secrets
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from websockets.asyncio.client import connect

from collab import protocol
from tests.collab.sockets import Editor
from tests.infra.stack.command import Doxie
from tests.people import OCTETS, Pen, sign_up, text_of

SERVICES: Final = "postgres,redis,s3,migrate,buckets,api,collab"
FREE: Final = 48 * 1024 * 1024
"""What is left on the disk before it is filled."""
WORD: Final = 10_000
"""Bytes of a word: random, so that each takes new pages."""
SAVED, UNSAVED = (protocol.sync_status(saved=saved) for saved in (True, False))


@contextmanager
def small_disk(data: Path) -> Iterator[None]:
    """Put a directory on a file system of its own with little space left."""
    elsewhere = data.with_name(f"{data.name}.elsewhere")
    size = sum(file.stat().st_blocks * 512 for file in data.rglob("*")) + FREE
    data.rename(elsewhere)
    data.mkdir(mode=0o700)
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "doxie", data], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {getattr(error, 'stderr', b'').decode() or error}")
    try:
        shutil.copytree(elsewhere, data, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", data], check=True)


def fill(file: Path) -> None:
    """Take all the space there is."""
    with file.open("wb", buffering=0) as ballast, pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        while True:
            ballast.write(bytes(64 * 1024))


@pytest.fixture
def doxie(tmp_path: Path) -> Iterator[Doxie]:
    """A stack whose Postgres has a disk of its own."""
    command = Doxie(tmp_path / "home")
    command.up("postgres")
    assert command.run("down").returncode == 0
    with small_disk(command.home / "postgres"):
        try:
            command.up(SERVICES, DOXIE_RATE_LIMIT_FACTOR="1000")
            yield command
        finally:
            command.run("down")


@pytest.mark.long
async def test_nothing_is_lost_or_called_saved_that_is_not(doxie: Doxie) -> None:
    ballast = doxie.home / "postgres" / "ballast"
    async with sign_up(f"{doxie.stack()['api']['url']}/api/v1", "Ann") as ann:
        await ann.found_org()
        await ann.create_document()
        path = f"/documents/{ann.document['id']}/updates"
        token = await ann.json("POST", f"/documents/{ann.document['id']}/collab-token")
        editor, typed, heard = Editor(1), list[str](), Counter[bytes]()
        async with connect(f"{token['url']}/{ann.document['id']}?token={token['token']}&ack=1") as socket:

            async def listen() -> None:
                async for message in socket:
                    if message in (SAVED, UNSAVED):
                        heard[bytes(message)] += 1

            async def type_word() -> None:
                typed.append(secrets.token_hex(WORD // 2))
                await socket.send(protocol.update(editor.type(typed[-1])))

            async def until_saved() -> None:
                async with asyncio.timeout(60):
                    while heard[SAVED] < len(typed):
                        await asyncio.sleep(0.05)

            await socket.send(protocol.step1(b"\0"))
            listening = asyncio.create_task(listen())
            for _ in range(5):
                await type_word()
            await until_saved()

            await asyncio.to_thread(fill, ballast)
            pen, saved = Pen(), list[str]()
            async with asyncio.timeout(60):
                while True:
                    word = secrets.token_hex(WORD // 2)
                    update = pen.write(word)
                    answer = await ann.api.post(path, content=update, headers=OCTETS)
                    if answer.status_code == 503:
                        break
                    assert answer.status_code == 202, answer.text
                    saved.append(word)
            async with asyncio.timeout(30):
                while not heard[UNSAVED]:
                    await type_word()
                    await asyncio.sleep(0.05)
            before = heard[SAVED]
            for _ in range(20):
                await type_word()
                await asyncio.sleep(0.1)
            assert heard[SAVED] == before < len(typed), "the disk is full"
            assert (await ann.api.post(path, content=update, headers=OCTETS)).status_code == 503
            assert not listening.done(), "the socket stays"

            ballast.unlink()
            await until_saved()
            async with asyncio.timeout(60):
                while (await ann.api.post(path, content=update, headers=OCTETS)).status_code == 503:
                    await asyncio.sleep(0.2)
            listening.cancel()
        state = (await ann.api.get(f"/documents/{ann.document['id']}/state")).raise_for_status().content
    assert text_of(state, "text") == "".join(typed)
    assert text_of(state) == "".join([*saved, word])
