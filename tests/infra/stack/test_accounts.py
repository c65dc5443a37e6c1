"""It runs as root, as an ordinary user, and as root where user namespaces are blocked."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.stack import binaries
from infra.stack.process import REPOSITORY
from tests.infra.stack import clients
from tests.infra.stack.command import Doxie, as_user, clean_environment, one_line

NOBODY = 65_534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")


def nobody_can_run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, **as_user(NOBODY)).returncode == 0
    except PermissionError:
        return False


def public_python() -> str:
    """An interpreter of our version that everyone may run: ours may lie in root's own home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if nobody_can_run(candidate, "-c", "pass"):
            return candidate
    pytest.skip(f"no {version} here that an ordinary user may run")


@pytest.fixture
def public_directory() -> Iterator[Path]:
    """A directory that others can pass through, which pytest's are not."""
    if not nobody_can_run(str(binaries.postgres("postgres")), "--version"):
        pytest.skip("an ordinary user cannot reach the packages here")
    path = Path(tempfile.mkdtemp(prefix="doxie-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def ordinary(public_directory: Path) -> Iterator[Doxie]:
    """The command as an ordinary user runs it, in a directory of theirs."""
    os.chown(public_directory, NOBODY, NOBODY)
    packages = os.pathsep.join([str(REPOSITORY), sysconfig.get_path("purelib")])
    environment = {**clean_environment(), "PYTHONPATH": packages, "HOME": str(public_directory)}
    command = Doxie(public_directory / "home", environment, public_python(), NOBODY)
    yield command
    command.run("down")
    assert command.processes() == []


def test_as_an_ordinary_user(ordinary: Doxie) -> None:
    stack = ordinary.up()
    clients.write_everywhere(ordinary.home, stack)
    assert {Path(f"/proc/{entry['pid']}").stat().st_uid for entry in stack.values()} == {NOBODY}


def test_a_home_that_cannot_be_written(ordinary: Doxie) -> None:
    ordinary.home = Path("/usr/doxie")
    assert "cannot write to /usr/doxie: Permission denied" in one_line(ordinary.run("up"))


@pytest.mark.long
def test_root_without_user_namespaces(public_directory: Path) -> None:
    (public_directory / "bin").mkdir()  # a PATH without unshare
    command = Doxie(public_directory / "home", {**clean_environment(), "PATH": str(public_directory / "bin")})
    try:
        stack = command.up()
        clients.write_everywhere(command.home, stack)
        assert Path(f"/proc/{stack['postgres']['pid']}").stat().st_uid == NOBODY
        command.run("down")

        command.environment = clean_environment()  # and back: the data follows
        clients.assert_kept(command.home, command.up())
    finally:
        command.run("down")
    assert command.processes() == []
