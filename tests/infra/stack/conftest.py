"""A home for each test, and nothing of it left running."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.stack.command import Doxie


@pytest.fixture
def doxie(tmp_path: Path) -> Iterator[Doxie]:
    """The command in a new home, which is stopped at the end."""
    command = Doxie(tmp_path / "home")
    yield command
    command.run("down")
    assert command.processes() == []
