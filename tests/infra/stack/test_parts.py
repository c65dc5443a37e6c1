"""The parts that need no stack: files, ports, logs, watching."""

import asyncio
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from infra.stack import credentials, logs, reload, weed_sockets
from infra.stack.files import read_env, write_env
from infra.stack.home import Home
from infra.stack.plan import make
from infra.stack.ports import GRPC_OFFSET, Ports, is_free
from infra.stack.progress import redacted
from infra.stack.services import table

printable = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="$"))


@given(st.dictionaries(st.from_regex(r"\A[A-Z_]{1,9}\Z"), st.one_of(printable, st.just("-----\nPEM\n-----\n"))))
def test_variables_read_back_here_and_by_dotenv(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "values.env"
    write_env(path, values)
    assert read_env(path) == values == dict(dotenv_values(path))


def test_secrets_are_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = credentials.ensure(home)
    assert credentials.ensure(home) == first
    assert first["DOXIE_SIGNING_KEY"].startswith("-----BEGIN PRIVATE KEY-----\n")
    assert home.secrets.stat().st_mode & 0o777 == 0o600


def test_ports_are_remembered_and_given_once(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", {})
    names = [f"single-{number}" for number in range(20)]
    chosen = {name: ports.chosen(name) for name in names} | {"s3": ports.paired("s3")}
    ports.save()
    assert len(set(chosen.values()) | {chosen["s3"] + GRPC_OFFSET}) == len(chosen) + 1
    assert all(port + GRPC_OFFSET < 65_536 for port in chosen.values())

    again = Ports(tmp_path / "ports.json", {})
    with socket.create_server(("127.0.0.1", chosen["single-0"])):
        assert not is_free(chosen["single-0"])
        assert again.chosen("single-0") != chosen["single-0"]
    assert again.chosen("single-1") == chosen["single-1"]


def test_the_table_is_in_order(tmp_path: Path) -> None:
    ports = {f"DOXIE_{name}_PORT": "0" for name in ("API", "COLLAB", "PREFECT")}
    known: set[str] = set()
    for node in table(make(Home(tmp_path), {**os.environ, **ports})):
        assert set(node.depends_on) <= known
        known.add(node.name)
    assert known >= {"postgres", "redis", "s3", "prefect", "api", "collab", "flows", "worker"}


def test_the_gist_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text("ERROR: of an earlier run\n")
    offset = logs.size(log)
    with log.open("a") as file:
        file.write("starting\nFATAL: disk full\nbye\n\n")
    assert logs.gist(log, offset) == "FATAL: disk full"
    assert logs.gist(log, logs.size(log)) == "it wrote nothing"


def test_a_long_log_is_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 10)
    log = tmp_path / "service.log"
    for number in range(5):
        log.write_text(f"run number {number}")
        logs.rotate(log)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"service.log.{number}" for number in (1, 2, 3)]
    assert (tmp_path / "service.log.1").read_text() == "run number 4"


def test_no_credentials_on_the_screen() -> None:
    assert redacted("postgresql://doxie:secret@127.0.0.1:5432/doxie") == "postgresql://127.0.0.1:5432/doxie"
    assert redacted(None) == ""


async def test_changed_code_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "REPOSITORY", tmp_path)
    monkeypatch.setattr(reload, "INTERVAL_SECONDS", 0.05)
    source = tmp_path / "models" / "thing.py"
    source.parent.mkdir()
    source.write_text("before")
    changes: asyncio.Queue[Sequence[str]] = asyncio.Queue()
    watcher = asyncio.create_task(reload.watch(changes.put))
    await asyncio.sleep(0.2)
    source.write_text("after")
    assert await asyncio.wait_for(changes.get(), 5) == ["models/thing.py"]
    watcher.cancel()


def test_a_socket_file_of_somebody_else_makes_a_port_unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    port = 9_999_999  # no port at all, so nobody's
    left = Path(f"/tmp/seaweedfs-s3-{port}.sock")
    left.touch()
    try:
        assert weed_sockets.removable(port)
        monkeypatch.setattr(os, "geteuid", lambda: left.lstat().st_uid + 1)
        assert not weed_sockets.removable(port)
        weed_sockets.forget(port)
        assert not left.exists()
    finally:
        left.unlink(missing_ok=True)
