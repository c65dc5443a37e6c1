"""What runs in the sandbox reaches nothing outside of it, and cannot take more than it is given."""

import socket
import sys
from pathlib import Path

import pytest

from infra import pandoc, sandbox
from infra.sandbox import ConversionFailed, Limits

SECRET = "a secret of the machine"


async def attempt(code: str, *arguments: str, limits: Limits | None = None) -> bytes:
    """What a program writes into its directory as `output`."""
    async with sandbox.job() as directory:
        await sandbox.run(directory, [sys.executable, "-I", "-c", code, *arguments], limits=limits)
        return sandbox.read_output(directory / "output")


async def test_a_program_works_in_its_directory() -> None:
    assert await attempt("open('output', 'w').write('done')") == b"done"


async def test_no_file_outside_can_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    copy = "import sys; open('output', 'w').write(open(sys.argv[1]).read())"
    for path in (str(secret), "/etc/passwd", "/proc/1/environ"):
        with pytest.raises(ConversionFailed, match=r"PermissionError|FileNotFoundError"):
            await attempt(copy, path)
    link = "import os, sys; os.symlink(sys.argv[1], 'output')"
    with pytest.raises(ConversionFailed, match="it made nothing"):
        await attempt(link, str(secret))


async def test_nothing_outside_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / "written"
    with pytest.raises(ConversionFailed, match="PermissionError"):
        await attempt("import sys; open(sys.argv[1], 'w')", str(target))
    assert not target.exists()


async def test_there_is_no_network() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.2)
        connect = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)"
        with pytest.raises(ConversionFailed, match=r"PermissionError|refused|unreachable"):
            await attempt(connect, str(listener.getsockname()[1]))
        with pytest.raises(TimeoutError):
            listener.accept()


async def test_nothing_of_this_process_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOXIE_SECRET_KEY", SECRET)
    seen = await attempt("import os; open('output', 'w').write(repr(dict(os.environ)))")
    assert SECRET not in seen.decode()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("while True: pass", "too much time|longer than"),
        ("import time; time.sleep(60)", "longer than"),
        ("x = bytes(2 << 30)", "MemoryError"),
        ("open('output', 'wb').write(bytes(100 << 20))", "too large|too much"),
        ("import sys; sys.exit('that is no document')", "that is no document"),
    ],
)
async def test_limits_hold(code: str, reason: str) -> None:
    with pytest.raises(ConversionFailed, match=reason):
        await attempt(code, limits=Limits(seconds=1))


async def test_pandoc_fetches_nothing_and_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text(SECRET)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.png"
        page = f"<p>text</p><img src='{address}'><img src='file://{secret}'><iframe src='{address}'></iframe>"
        tree = await pandoc.convert(page.encode(), "html-native_divs-native_spans", "json")
        word = await pandoc.convert(tree, "json", "docx")
        with pytest.raises(TimeoutError):
            listener.accept()
    assert SECRET.encode() not in tree + word
