"""What cannot work says so in one line, and leaves nothing running."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.stack.files import read_env
from tests.infra.stack.command import STORES, Doxie, one_line


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize("detach", [(), ("--detach",)])
def test_a_taken_port(doxie: Doxie, taken: int, detach: tuple[str, ...]) -> None:
    line = one_line(doxie.run("up", "--only", STORES, *detach, DOXIE_API_PORT=str(taken)))
    assert f"port {taken} for api is taken" in line
    assert doxie.processes() == []


def test_a_port_that_is_none(doxie: Doxie) -> None:
    assert "'http'" in one_line(doxie.run("up", DOXIE_API_PORT="http"))


def test_an_external_service_that_does_not_answer(doxie: Doxie, taken: int) -> None:
    url = f"redis://:secret-word@127.0.0.1:{taken + 1 if taken < 65_535 else 1}/0"
    done = doxie.run("up", "--detach", "--only", STORES, DOXIE_REDIS_URL=url)
    line = one_line(done)
    assert "DOXIE_REDIS_URL" in line
    assert "secret-word" not in line + done.stdout
    assert doxie.processes() == []


def test_external_services_are_used(doxie: Doxie, tmp_path: Path) -> None:
    doxie.up()
    settings = read_env(doxie.home / "stack.env")
    named = {
        name: value
        for name, value in settings.items()
        if name.startswith(("DOXIE_DATABASE", "DOXIE_REDIS", "DOXIE_S3"))
    }
    other = Doxie(tmp_path / "other")
    try:
        stack = other.up(**named)
        assert [stack[name]["pid"] for name in ("postgres", "redis", "s3")] == [None] * 3
        assert read_env(other.home / "stack.env")["DOXIE_DATABASE_URL"] == named["DOXIE_DATABASE_URL"]
        assert other.processes() == []
    finally:
        other.run("down")


def test_a_home_that_is_a_file(doxie: Doxie) -> None:
    doxie.home.write_text("not a directory")
    assert "cannot write to" in one_line(doxie.run("up"))


def test_a_step_that_fails_names_its_log(doxie: Doxie) -> None:
    # The migrations cannot connect: the database they are told of does not exist.
    done = doxie.run("up", "--only", "migrate", DOXIE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    line = one_line(done)
    assert "migrate exited with code 1" in line
    assert str(doxie.home / "logs" / "migrate.log") in line


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "doxie", disk], check=False).returncode != 0:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        assert "is full" in one_line(Doxie(disk / "home").run("up"))
    finally:
        subprocess.run(["umount", disk], check=True)
