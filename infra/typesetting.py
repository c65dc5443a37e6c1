"""Typst, in the sandbox: pages from one of our templates, data and images."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from infra import sandbox
from infra.sandbox import MIB, Limits

LIMITS = Limits(seconds=60, memory_bytes=2048 * MIB, data_bytes=1024 * MIB)
PROGRAM = """
import json, sys, typst
job = json.load(open("job.json"))
compiler = typst.Compiler("page.typ", root=".", font_paths=job["fonts"], ignore_system_fonts=True)
made = compiler.compile(format=job["format"], ppi=job["ppi"])
for number, page in enumerate(made if isinstance(made, list) else [made]):
    open(f"output-{number}", "wb").write(page)
"""


async def typeset(template: str, data: bytes, images: Mapping[str, bytes]) -> bytes:
    """A PDF of a template that reads `data.json` and images by their names.

    Raises:
        ConversionFailed: an image is damaged, or it takes too much.
    """
    [pdf] = await _compile(template, data, images, kind="pdf")
    return pdf


async def pictures(template: str, data: bytes, images: Mapping[str, bytes], *, ppi: int = 80) -> list[bytes]:
    """The same pages as PNG, to look at."""
    return await _compile(template, data, images, kind="png", ppi=ppi)


async def _compile(
    template: str, data: bytes, images: Mapping[str, bytes], *, kind: str, ppi: int = 144
) -> list[bytes]:
    fonts = font_directories()
    async with sandbox.job() as directory:
        job = {"fonts": list(map(str, fonts)), "format": kind, "ppi": ppi}
        files = {"page.typ": template.encode(), "data.json": data, "job.json": json.dumps(job).encode(), **images}
        for name, content in files.items():
            (directory / name).write_bytes(content)
        await sandbox.run(directory, [sys.executable, "-I", "-c", PROGRAM], limits=LIMITS, readable=fonts)
        made = sorted(directory.glob("output-*"), key=lambda path: int(path.name.partition("-")[2]))
        return [sandbox.read_output(path) for path in made]


def font_directories() -> list[Path]:
    """The fonts that came with Doxie: Noto, also for Chinese, Japanese, Korean and emoji."""
    import manimgx_fonts
    import manimgx_fonts_cjk

    return [Path(str(module.__file__)).parent for module in (manimgx_fonts, manimgx_fonts_cjk)]
