"""`python -m collab`: runs the WebSocket door, compiled where that was done (infra/compiled.py)."""

import sys

from infra import compiled


def main() -> int:
    """The exit status: 0 when everything was saved."""
    compiled.become("collab")
    from collab import process  # heavy, and not needed by who becomes another

    return process.main()


if __name__ == "__main__":
    sys.exit(main())
