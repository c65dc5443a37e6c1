"""The web client as it is served."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx

from models.audit import AccountAct, Act
from tests.clients.node import executable, install
from tests.conftest import Stack

PAGE = Path(__file__).parents[2] / "api" / "page"


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def node(script: str, *arguments: str, cwd: Path) -> None:
    command = [executable(), str(cwd / "node_modules" / script), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_built_files_are_those_of_the_source(tmp_path: Path) -> None:
    install(PAGE)
    copy = tmp_path / "page"
    shutil.copytree(PAGE, copy, ignore=shutil.ignore_patterns("dist", "node_modules"))
    (copy / "node_modules").symlink_to(PAGE / "node_modules")
    node("typescript/bin/tsc", "--noEmit", cwd=copy)
    node("vite/bin/vite.js", "build", cwd=copy)
    assert files(copy / "dist") == files(PAGE / "dist"), "build the page again: npm run build"


def test_the_first_load_is_small() -> None:
    first = [*(PAGE / "dist" / "assets").glob("index-*"), PAGE / "dist" / "index.html"]
    assert len(first) == 3
    assert sum(path.stat().st_size for path in first) < 400_000, "uncompressed, even"


async def test_files_come_packed_and_the_editor_is_announced(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.settings.public_url) as client:
        assert "link" not in (await client.get("/")).headers
        addresses = re.findall(r"<([^>]+)>; rel=preload; as=script", (await client.get("/d/0190")).headers["link"])
        assert any("/editor-" in address for address in addresses)
        for address in addresses:
            packed = await client.get(address, headers={"accept-encoding": "gzip"})
            plain = await client.get(address, headers={"accept-encoding": "identity"})
            assert packed.headers["content-encoding"] == "gzip"
            assert int(packed.headers["content-length"]) < len(plain.content)
            assert packed.content == plain.content == (PAGE / "dist" / address.removeprefix("/")).read_bytes()


async def test_the_worker_keeps_every_file(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.settings.public_url) as client:
        worker = await client.get("/sw.js")
        assert worker.headers["content-type"].startswith("text/javascript")
        assert worker.headers["cache-control"] == "no-cache"
        assert worker.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"
        [listed] = re.findall(r"const FILES = (\[.*\])", worker.text)
        kept = json.loads(listed)
        assert set(kept) == {
            "/",
            "/icon.svg",
            *(f"/assets/{path.name}" for path in (PAGE / "dist" / "assets").iterdir()),
        }
        for address in kept:
            assert (await client.get(address)).status_code == 200


def test_the_page_can_name_every_act() -> None:
    listed = re.findall(r"^  '(.+)',$", (PAGE / "src" / "acts.ts").read_text(), re.MULTILINE)
    assert listed == sorted([*Act, *AccountAct])


async def test_it_is_served_under_a_strict_policy(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.settings.public_url) as client:
        for path in ("/", "/d/0190", "/org/0190", "/sign-in", "/shared", "/reset-password"):
            answer = await client.get(path)
            assert answer.status_code == 200
            policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["worker-src"] == "'self'"
            assert policy["frame-ancestors"] == "'none'"
            assert answer.headers["cache-control"] == "no-cache"
        [script] = (PAGE / "dist" / "assets").glob("index-*.js")
        asset = await client.get(f"/assets/{script.name}")
        assert "immutable" in asset.headers["cache-control"]
        assert (await client.get("/nowhere")).status_code == 404
        assert (await client.get("/assets/../page.py")).status_code == 404
