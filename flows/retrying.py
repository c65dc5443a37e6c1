"""When to try again."""

import random

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


def delay(attempts: int) -> float:
    """Seconds to wait after so many attempts: doubling, with jitter, so that what failed together
    does not come back together."""
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts - 1, 20))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - nothing secret about it
