"""Converters of foreign content run in a process of their own, in a directory of their own, and cannot reach out.

No network (an empty network namespace), no file but those of the job and of the program (Landlock), limits on CPU time,
memory and the size of what is written, and a timeout. Where a kernel lacks one of these, the converters' own
restrictions remain; `DOXIE_STRICT_SANDBOX=true` refuses to convert there.
"""

import asyncio
import json
import os
import signal
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra.settings import get_settings

MIB = 1024 * 1024
MAX_OUTPUT_BYTES = 64 * MIB
ERROR_BYTES = 4_000
TEMPORARY = os.path.realpath(tempfile.gettempdir())
SCRIPT = Path(__file__).with_name("confinement.py")
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/dev/null", "/dev/urandom", "/proc/self/exe")


class ConversionFailed(RuntimeError):
    """A converter could not make anything of what it was given, or took too much."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use."""

    seconds: int = 30
    memory_bytes: int | None = 1024 * MIB
    """Of addresses; None for programs that reserve more than they use."""
    data_bytes: int | None = 512 * MIB
    """Of memory that can be written."""
    output_bytes: int = MAX_OUTPUT_BYTES


@asynccontextmanager
async def job() -> AsyncIterator[Path]:
    """A directory for one conversion."""
    with tempfile.TemporaryDirectory(prefix="doxie-job-", dir=TEMPORARY) as directory:
        yield Path(directory)


async def run(
    directory: Path, program: Sequence[str], *, limits: Limits | None = None, readable: Sequence[Path] = ()
) -> None:
    """Run a program in a job's directory, with nothing from this process's environment.

    Raises:
        ConversionFailed: it ended with an error, or had to be stopped.
    """
    limits = limits or Limits()
    errors = directory / "errors.txt"
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(SCRIPT), _as_json(directory, limits, readable), "--", *program,
            cwd=directory,
            env={"LANG": "C.UTF-8", "HOME": str(directory), "TMPDIR": str(directory), "SOURCE_DATE_EPOCH": "0"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )  # fmt: skip
    try:
        async with asyncio.timeout(limits.seconds * 2):
            code = await process.wait()
    except TimeoutError:
        raise ConversionFailed(f"it took longer than {limits.seconds * 2} seconds") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if code:
        raise ConversionFailed(_reason(code, errors))


def read_output(path: Path) -> bytes:
    """What a program has written.

    Raises:
        ConversionFailed: nothing, or too much.
    """
    if not path.is_file() or path.is_symlink():
        raise ConversionFailed("it made nothing")
    if path.stat().st_size > MAX_OUTPUT_BYTES:
        raise ConversionFailed(f"it made more than {MAX_OUTPUT_BYTES} bytes")
    return path.read_bytes()


def _as_json(directory: Path, limits: Limits, readable: Sequence[Path]) -> str:
    python = {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), str(SCRIPT.parent)}
    return json.dumps(
        {
            "cpu_seconds": limits.seconds,
            "memory_bytes": limits.memory_bytes,
            "data_bytes": limits.data_bytes,
            "file_bytes": limits.output_bytes,
            "files": 256,
            "readable": [*SYSTEM, *sorted(python), *map(str, readable)],
            "writable": [str(directory), "/dev/null"],
            "strict": get_settings().strict_sandbox,
        }
    )


def _reason(code: int, errors: Path) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "it took too much time"
    if code == -signal.SIGXFSZ:
        return "it made too much"
    with errors.open("rb") as file:
        said = file.read(ERROR_BYTES).decode(errors="replace").strip()
    return said or f"it ended with {code}"
