"""What dies is started again; what a dead supervisor left behind is not left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

from infra.stack import orphans, runner
from infra.stack.errors import NotReady, StackError
from infra.stack.home import create
from infra.stack.progress import Progress
from infra.stack.service import Service
from infra.stack.supervisor import Supervisor
from tests.infra.stack import clients
from tests.infra.stack.command import Doxie
from tests.torture import processes

TREE = Path(__file__).with_name("tree.py")


def eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def test_each_store_comes_back_with_its_data(doxie: Doxie) -> None:
    stack = doxie.up()
    clients.write_everywhere(doxie.home, stack)
    # What is in the middle of something, here stopped for good, does not end because Postgres does.
    processes.tell(processes.family(stack["postgres"]["pid"])[1:], signal.SIGSTOP)
    for name in ("postgres", "redis", "s3"):
        os.kill(stack[name]["pid"], signal.SIGKILL)
    for name in ("postgres", "redis", "s3"):
        eventually(partial(came_back, doxie, name))
        assert doxie.stack()[name]["pid"] != stack[name]["pid"]
    clients.assert_kept(doxie.home, doxie.stack())


def test_a_killed_supervisor_leaves_nothing(doxie: Doxie) -> None:
    stack = doxie.up()
    clients.write_everywhere(doxie.home, stack)
    busy = psycopg.connect(stack["postgres"]["url"])
    row = busy.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    os.kill(stack["supervisor"]["pid"], signal.SIGKILL)
    pids = [row[0], *(entry["pid"] for entry in stack.values())]
    eventually(lambda: not any(map(alive, pids)))
    busy.close()
    clients.assert_kept(doxie.home, doxie.up())


def test_grandchildren_that_detached_go_too(tmp_path: Path) -> None:
    home = create(tmp_path / "home")
    supervisor = subprocess.Popen([sys.executable, "-m", "tests.infra.stack.tree", str(home.root)])
    marks = {orphans.HOME: str(home.root)}
    eventually(lambda: len(list(orphans.find(marks))) == 2)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not list(orphans.find(marks)))


def test_a_restart_ends_what_the_dead_service_left(tmp_path: Path) -> None:
    home = create(tmp_path / "home")
    supervisor = subprocess.Popen([sys.executable, "-m", "tests.infra.stack.tree", str(home.root)])
    marks = {orphans.HOME: str(home.root)}
    eventually(lambda: len(list(orphans.find(marks))) == 2)
    before = set(orphans.find(marks))
    os.kill(Doxie(home.root).stack()["tree"]["pid"], signal.SIGKILL)
    eventually(lambda: len(set(orphans.find(marks)) - before) == 2)
    assert not before & set(orphans.find(marks))
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(timeout=10) == 0
    assert not list(orphans.find(marks))


async def test_what_keeps_dying_is_given_up(tmp_path: Path) -> None:
    home = create(tmp_path / "home")
    unlucky = "import sys; print('starting'); print('FATAL: out of luck'); sys.exit(3)"
    nodes = [
        Service("steady", ("/bin/sleep", "60"), os.environ),
        Service("unlucky", (sys.executable, "-c", unlucky), os.environ, depends_on=("steady",)),
    ]
    with pytest.raises(StackError, match=r"unlucky exited with code 3: FATAL: out of luck .*5 times in a row"):
        await Supervisor(home, nodes, Progress()).run(lambda: None)
    assert not list(orphans.find({orphans.HOME: str(home.root)}))


async def test_what_lived_is_never_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It dies, and cannot start for longer than anybody's patience: the others go on, and so does it at last."""
    monkeypatch.setattr(runner, "QUICK_SECONDS", 0)
    monkeypatch.setattr(runner, "LONGEST_DELAY_SECONDS", 0.1)
    starts, alive, away = tmp_path / "starts", tmp_path / "alive", tmp_path / "away"
    unsteady = f"""
import pathlib, sys, time
starts = pathlib.Path({str(starts)!r})
starts.open("a").write("x")
if 1 < len(starts.read_text()) < {runner.QUICK_DEATHS + 4}:
    sys.exit(3)
pathlib.Path({str(alive)!r}).touch()
time.sleep(60)
"""

    async def answers() -> None:
        if not alive.exists():
            raise NotReady("not yet")

    async def store_answers() -> None:
        if away.exists():
            raise NotReady("away")

    command = (sys.executable, "-c", unsteady)
    service = Service("unsteady", command, os.environ, probe=answers, needs=store_answers)
    ready = asyncio.Event()
    supervisor = asyncio.create_task(Supervisor(create(tmp_path / "home"), [service], Progress()).run(ready.set))
    await asyncio.wait_for(ready.wait(), 30)
    first = Doxie(tmp_path / "home").stack()["unsteady"]

    away.touch()
    alive.unlink()
    os.kill(first["pid"], signal.SIGKILL)
    async with asyncio.timeout(30):
        while Doxie(tmp_path / "home").stack()["unsteady"]["state"] != "restarting":
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    assert starts.read_text() == "x", "it was not started without what it needs"

    away.unlink()
    async with asyncio.timeout(60):
        while not alive.exists():
            assert not supervisor.done(), "it was given up"
            await asyncio.sleep(0.02)
    assert len(starts.read_text()) == runner.QUICK_DEATHS + 4
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(supervisor, 30)


def came_back(doxie: Doxie, name: str) -> bool:
    entry = doxie.stack()[name]
    return bool(entry["restarts"] == 1 and entry["state"] == "ready")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False
