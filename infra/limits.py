"""How often something may be done: GCRA, several limits checked and charged in one round trip to Redis.

A limit of `count` in `seconds` allows `count` at once and refills evenly. All limits of a request are charged or none:
who is refused by one of them does not use up the others.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infra.redis import Volatile

_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local answer, times, allowed = {}, {}, true
for i, key in ipairs(KEYS) do
    local interval, count, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    local full = math.max(tonumber(redis.call('GET', key)) or now, now)
    local wait = full + math.max(cost, 1) * interval - count * interval - now
    if wait > 0.000001 then allowed = false end
    times[i] = full + cost * interval
    answer[i] = string.format('%.6f %.6f', wait, full - now)
end
if allowed then
    for i, key in ipairs(KEYS) do
        if tonumber(ARGV[3 * i]) > 0 then
            redis.call('SET', key, string.format('%.6f', times[i]), 'PX', math.ceil((times[i] - now) * 1000) + 1)
        end
    end
end
return answer
"""

LOCAL_KEYS: Final = 10_000
"""So many keys a process remembers at most while Redis is away; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Quota:
    """So many at once, and as many again in so many seconds."""

    name: str
    count: int
    seconds: float

    @property
    def interval(self) -> float:
        """Seconds for one more."""
        return self.seconds / self.count


@dataclass(frozen=True, slots=True)
class Charge:
    """One use of a quota by somebody; without cost it is only looked whether there would be one left."""

    quota: Quota
    whose: str
    cost: int = 1

    @property
    def key(self) -> str:
        """Where it is counted."""
        return f"doxie:limit:{self.quota.name}:{self.whose}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tightest of several quotas says."""

    quota: Quota
    wait: float
    """Seconds until it is allowed; 0 when it is."""
    remaining: int
    """How many more are allowed at once."""
    full_in: float
    """Seconds until all are allowed again."""

    @property
    def allowed(self) -> bool:
        """Whether it may be done."""
        return self.wait <= 0


class Limiter:
    """Charges quotas in Redis."""

    def __init__(self, volatile: Volatile) -> None:
        self._volatile = volatile

    async def take(self, charges: Sequence[Charge]) -> Verdict:
        """Charge all quotas, or none when one of them is used up.

        Raises:
            Absent: Redis does not answer.
        """
        keys = [charge.key for charge in charges]
        numbers = [number for charge in charges for number in _numbers(charge)]
        answers: list[str] = await self._volatile.ask(
            lambda redis: redis.register_script(_SCRIPT)(keys=keys, args=numbers)
        )
        pairs = [tuple(map(float, answer.split())) for answer in answers]
        return _tightest([_verdict(charge, *pair) for charge, pair in zip(charges, pairs, strict=True)])


class LocalLimiter:
    """The same in the memory of one process."""

    def __init__(self) -> None:
        self._full: OrderedDict[str, float] = OrderedDict()

    def take(self, charges: Sequence[Charge]) -> Verdict:
        """Charge all quotas, or none when one of them is used up."""
        now = time.monotonic()
        fulls = [max(self._full.get(charge.key, now), now) for charge in charges]
        pairs = list(zip(charges, fulls, strict=True))
        verdicts = [_verdict(charge, _wait(charge, full - now), full - now) for charge, full in pairs]
        if all(verdict.allowed for verdict in verdicts):
            for charge, full in pairs:
                self._full[charge.key] = full + charge.cost * charge.quota.interval
                self._full.move_to_end(charge.key)
            while len(self._full) > LOCAL_KEYS:
                self._full.popitem(last=False)
        return _tightest(verdicts)


def _numbers(charge: Charge) -> tuple[float, int, int]:
    return charge.quota.interval, charge.quota.count, charge.cost


def _wait(charge: Charge, owed: float) -> float:
    return owed + (max(charge.cost, 1) - charge.quota.count) * charge.quota.interval


def _verdict(charge: Charge, wait: float, owed: float) -> Verdict:
    quota = charge.quota
    allowed = wait <= 0.000001
    used = owed + (charge.cost * quota.interval if allowed else 0)
    remaining = int(quota.count - used / quota.interval + 0.000001)
    return Verdict(quota, 0.0 if allowed else wait, max(remaining, 0), max(used, 0.0))


def _tightest(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=lambda verdict: (verdict.wait, -verdict.remaining / verdict.quota.count))
