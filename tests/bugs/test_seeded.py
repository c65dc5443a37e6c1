"""Each bug can still be put in: what it changes is there, once, and so are the tests that find it."""

import pytest

from tests.bugs.__main__ import ROOT
from tests.bugs.seeded import BUGS, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_fits(bug: Bug) -> None:
    assert (ROOT / bug.file).read_text().count(bug.right) == 1
    assert bug.right != bug.wrong
    assert all((ROOT / name).is_file() for name in bug.tests if name.endswith(".py"))
