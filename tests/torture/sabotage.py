"""`python -m tests.torture.sabotage BUG`: collab, never compiled, with a bug put in, to see that it is found."""

import sys
from collections.abc import Callable

from collab import process
from collab.room import Room
from collab.seat import Seat


def promise_early() -> None:
    """Say "saved" as soon as an edit is heard."""
    say, edit, reply = Seat.saved, Room.edit, Room.reply

    def edit_and_promise(self: Room, seat: Seat, raw: bytes) -> None:
        edit(self, seat, raw)
        say(seat)

    def reply_and_promise(self: Room, seat: Seat, raw: bytes) -> None:
        reply(self, seat, raw)
        say(seat)

    def say_nothing(self: Seat, messages: int = 1) -> None:
        """It was said."""

    Seat.saved = say_nothing  # type: ignore[method-assign]
    Room.edit, Room.reply = edit_and_promise, reply_and_promise  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {"promise-early": promise_early}


if __name__ == "__main__":
    BUGS[sys.argv[1]]()
    sys.exit(process.main())
