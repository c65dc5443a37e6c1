"""When to try again."""

import random

from infra import db, storage
from models.errors import DoxieError, Unavailable

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0
OUTAGE_SECONDS = 20.0


def delay(attempts: int) -> float:
    """Seconds to wait after so many attempts: doubling, with jitter, so that what failed together
    does not come back together."""
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts - 1, 20))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - nothing secret about it


def delay_after_outage(attempts: int) -> float:
    """The same where a store was down: everything failed, and has to be done soon after it is back."""
    return min(delay(attempts), OUTAGE_SECONDS)


def delay_of(error: BaseException, attempts: int) -> tuple[float, bool]:
    """How long to wait because of an error, and whether it is the fault of what was worked on."""
    if is_outage(error):
        return delay_after_outage(attempts), False
    return delay(attempts), True


def is_pointless(error: BaseException) -> bool:
    """Whether trying again is pointless: what was asked for is not there or not allowed."""
    return isinstance(error, DoxieError) and not isinstance(error, Unavailable)


def is_outage(error: BaseException | None) -> bool:
    """Whether the reason of an error is a store that cannot be reached."""
    while error is not None:
        if isinstance(error, db.OUTAGES + storage.OUTAGES):
            return True
        error = error.__cause__
    return False
