"""The guide is run as it is written."""

import asyncio
import os
import re
import secrets
import sys
from pathlib import Path
from typing import Final

from tests.clients import node
from tests.conftest import Stack

GUIDE: Final = Path(__file__).parents[2] / "docs" / "guide.md"
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def run(block: str, *command: str, folder: Path, **environment: str) -> str:
    """What a program prints that is given on standard input; it has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=-1, stdout=-1, stderr=-1, cwd=folder, env=os.environ | environment
    )
    out, err = await asyncio.wait_for(process.communicate(block.encode()), 60)
    assert process.returncode == 0, out.decode() + err.decode()
    return out.decode()


async def test_every_block_works(stack: Stack, tmp_path: Path) -> None:
    blocks = dict(BLOCK.findall(GUIDE.read_text()))
    assert set(blocks) == {"bash", "python", "typescript"}
    known = {"API": stack.api, "EMAIL": f"guide-{secrets.token_hex(6)}@example.com"}
    await run(blocks["bash"], "bash", "-euo", "pipefail", folder=tmp_path, **known)
    assert (tmp_path / "plan.pdf").read_bytes().startswith(b"%PDF-")
    assert int(await run(blocks["python"], sys.executable, "-", folder=tmp_path, **known)) >= 2
    await asyncio.to_thread(node.install)
    (tmp_path / "node_modules").symlink_to(node.HERE / "node_modules")
    said = await run(
        blocks["typescript"], node.executable(), "--input-type=module-typescript", folder=tmp_path, **known
    )
    for words in ("write it down", "Added by a program.", "Added by an editor."):
        assert words in said
