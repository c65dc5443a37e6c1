"""A full disk: what cannot be saved is refused or called unsaved, what cannot be stored waits until there is room."""

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
from tests.people import OCTETS, Pen, Person, sign_up, text_of

SERVICES: Final = "postgres,redis,s3,migrate,buckets,api,collab"
PIPELINE: Final = f"{SERVICES},prefect,deploy,flows"
FREE: Final = {"postgres": 48 * 1024 * 1024, "s3": 256 * 1024 * 1024}
"""What is left on the disk before it is filled."""
WORD: Final = 10_000
"""Bytes of a word: random, so that each takes new pages."""
SAVED, UNSAVED = (protocol.sync_status(saved=saved) for saved in (True, False))


@contextmanager
def small_disk(data: Path, free: int) -> Iterator[None]:
    """Put a directory on a file system of its own with little space left."""
    elsewhere = data.with_name(f"{data.name}.elsewhere")
    size = sum(file.stat().st_blocks * 512 for file in data.rglob("*")) + free
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


@contextmanager
def started(home: Path, store: str, services: str) -> Iterator[Doxie]:
    """A stack of which one store has a disk of its own."""
    command = Doxie(home)
    command.up(store)
    assert command.run("down").returncode == 0
    with small_disk(command.home / store, FREE[store]):
        try:
            command.up(services, DOXIE_RATE_LIMIT_FACTOR="1000")
            yield command
        finally:
            command.run("down")


@pytest.fixture
def doxie(tmp_path: Path) -> Iterator[Doxie]:
    """A stack whose Postgres has a disk of its own."""
    with started(tmp_path / "home", "postgres", SERVICES) as command:
        yield command


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


async def until_stored(person: Person, seq: int) -> None:
    """Wait until a revision of everything up to `seq` is in the object store."""
    async with asyncio.timeout(120):
        while True:
            [newest, *_] = (await person.json("GET", f"/documents/{person.document['id']}/revisions"))["items"] or [{}]
            if newest.get("seq_to") == seq and newest["state"] == "stored":
                return
            await asyncio.sleep(0.5)


async def has_failed(person: Person) -> bool:
    steps = (await person.json("GET", f"/documents/{person.document['id']}/pipeline"))["items"]
    return any(step["state"] == "failed" for step in steps)


@pytest.mark.long
async def test_what_cannot_be_stored_is_stored_when_there_is_room(tmp_path: Path) -> None:
    with started(tmp_path / "home", "s3", PIPELINE) as doxie:
        ballast = doxie.home / "s3" / "ballast"
        async with sign_up(f"{doxie.stack()['api']['url']}/api/v1", "Ann") as ann:
            await ann.found_org()
            await ann.create_document()
            pen, words = Pen(), list[str]()

            async def write() -> int:
                words.append(secrets.token_hex(WORD // 2))
                return await ann.save(pen.write(words[-1]))

            await until_stored(ann, await write())
            await asyncio.to_thread(fill, ballast)
            async with asyncio.timeout(120):
                while not await has_failed(ann):
                    seq = await write()
                    await asyncio.sleep(0.5)
            assert await ann.text() == "".join(words), "it is saved, and read, all the same"
            ballast.unlink()
            await until_stored(ann, seq)
            assert await ann.text(seq=seq) == "".join(words)
