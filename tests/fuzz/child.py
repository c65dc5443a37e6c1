"""`python -m tests.fuzz.child TARGET FOLDER [OPTIONS OF LIBFUZZER]`: fuzz one target; libFuzzer ends the process."""

import sys
import tempfile
from pathlib import Path

import atheris

from tests.fuzz import corpus

LONGEST = 4096
"""Bytes of an input: what parsers do wrong, they do wrong with few."""


def main(name: str, folder: str, *options: str) -> None:
    """Begin with the seeds of the target and what is in the folder; what covers something new is added to it."""
    with atheris.instrument_imports(include=["api", "collab", "models", "infra.proxies", "infra.tokens"]):
        from tests.fuzz import targets
    findings = corpus.FINDINGS / name
    findings.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds(name)):
        (Path(folder) / f"seed-{number}").write_bytes(seed)
    with tempfile.NamedTemporaryFile("w", prefix="doxie-fuzz-") as words:
        words.write("\n".join(targets.dictionary()) + "\n")
        words.flush()
        always = [
            f"-max_len={LONGEST}",
            f"-dict={words.name}",
            f"-artifact_prefix={findings}/",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-verbosity=0",
        ]
        atheris.Setup([name, *always, *options, folder], targets.TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
