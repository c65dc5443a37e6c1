"""Which edits are at fault when a keeper died or lost a Doc: found by a process that may die of it, too."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from collab.errands import Apply, Ask, Errand, Mark, Offer, Unsaved
from collab.room import Room
from collab.seat import Seat
from infra.cage import Cage, CageBroken
from models.yjs import wire
from models.yjs.wire import Did, Do

DEATHS_AT_MOST: Final = 20
"""Of processes in one search: after that, all that is left counts as bad."""

Start = Callable[[], Awaitable[Cage]]


@dataclass(slots=True)
class Suspicion:
    """What is known against a room."""

    strikes: int = 0
    fresh: bool = False
    """Whether it has struck since it was last looked into."""
    lost: list[Errand] = field(default_factory=list)
    """What the keeper was about to do when it was last lost."""

    def strike(self, lost: list[Errand]) -> None:
        """The room has cost a Doc or a keeper again."""
        self.strikes += 1
        self.fresh = True
        self.lost = lost

    async def judge(self, start: Start, room: Room, stored: Sequence[bytes]) -> tuple[list[Unsaved], list[Seat]]:
        """The unsaved edits that are at fault, and who else has to go.

        Where nothing is found the first time, it may have been chance; the second time everything the keeper was
        about to do is at fault.
        """
        edits = [entry for entry in room.unsaved if entry.raw is not None]
        base = [*stored, *(entry.raw for entry in room.saving if entry.raw is not None)]
        owners = [entry.seat for entry in edits]
        places = await search(start, base, [entry.raw or b"" for entry in edits], owners)
        if places or self.strikes == 1:
            return [edits[place] for place in sorted(places)], []
        return self._everything(edits)

    def _everything(self, edits: list[Unsaved]) -> tuple[list[Unsaved], list[Seat]]:
        known = set(map(id, edits))
        tried: list[Unsaved] = []
        seats: list[Seat] = []
        for errand in self.lost:
            if isinstance(errand, Apply):
                tried += errand.entries
            elif isinstance(errand, Offer):
                tried.append(errand.entry)
            elif isinstance(errand, Ask | Mark):
                seats.append(errand.seat)
        return [entry for entry in tried if id(entry) in known], seats


async def search(
    start: Start, stored: Sequence[bytes], suspects: Sequence[bytes], owners: Sequence[Seat] = ()
) -> set[int]:
    """Which of the suspects do not apply to what is stored, in this order.

    With `owners`, only the first of each: what its owner sent afterwards is not tried, since it goes anyway.

    Raises:
        CageBroken: what is stored cannot be applied itself.
    """
    left = list(range(len(suspects)))
    found: set[int] = set()
    for _ in range(DEATHS_AT_MOST):
        cage = await start()
        body = wire.several(stored) + wire.several([suspects[place] for place in left])
        try:
            [(did, numbers)] = wire.answers(await cage.ask([wire.errand(Do.SEARCH, 0, body)]))
            if did is not Did.DONE:
                raise CageBroken(0, "what is stored does not apply")
            return found | {left[number] for number in wire.read_numbers(numbers)}
        except CageBroken as broken:
            if not 0 < broken.note <= len(left):
                raise
            worst = left.pop(broken.note - 1)
            found.add(worst)
            if owners:
                left = [place for place in left if place < worst or owners[place] is not owners[worst]]
        finally:
            await cage.ended()
    return found | set(left)
