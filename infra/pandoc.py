"""Pandoc, in the sandbox and with its own `--sandbox`: it reads and writes nothing but what it is given."""

from pathlib import Path
from typing import Literal

from infra import sandbox
from infra.sandbox import MIB, Limits

# Its runtime reserves far more addresses than it uses, and is told itself what it may use.
LIMITS = Limits(seconds=20, memory_bytes=None, data_bytes=1024 * MIB)
HEAP = ["+RTS", "-M384m", "-RTS"]

Input = Literal["json", "html-native_divs-native_spans", "docx"]
Output = Literal["json", "docx"]


async def convert(data: bytes, source: Input, target: Output, *, reference: Path | None = None) -> bytes:
    """`data` in another format; a Word document in the styles of a reference.

    Raises:
        ConversionFailed: it is malformed, or takes too much to convert.
    """
    program = executable()
    async with sandbox.job() as directory:
        given, made = directory / "input", directory / "output"
        given.write_bytes(data)
        command = [str(program), *HEAP, "--sandbox", "-f", source, "-t", target, "-o", str(made), str(given)]
        command += ["--reference-doc", str(reference)] if reference else []
        await sandbox.run(directory, command, limits=LIMITS, readable=[program, *([reference] if reference else [])])
        return sandbox.read_output(made)


def executable() -> Path:
    """Where the wheel keeps it."""
    import pypandoc

    return Path(pypandoc.__file__).parent / "files" / "pandoc"
