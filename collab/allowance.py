"""How much of something one may do: so much a second, and some at once (pure)."""

from collab import presence


class Allowance:
    """A bucket that fills with `rate` a second up to `burst`; what is taken beyond makes it owe."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take so much; in how many seconds the bucket owes nothing, 0 if it does not."""
        # Without `min` and `max`, which take as long as all the rest: this is asked of each message.
        level = self._level + (now - self._at) * self._rate
        self._level = level = (level if level < self._burst else self._burst) - amount
        self._at = now
        return -level / self._rate if level < 0 else 0.0


class Hold:
    """Presence of one seat that is to be told a little later: of each client id the newest."""

    __slots__ = ("_entries",)

    AT_MOST = 4 * presence.MAX_CLIENTS_PER_OWNER

    def __init__(self) -> None:
        self._entries: dict[int, presence.Entry] = {}

    def add(self, update: bytes) -> None:
        """Keep what is newer in this awareness update.

        Raises:
            ProtocolError: it is none.
        """
        for entry in presence.parse(update):
            known = self._entries.pop(entry[0], None)
            self._entries[entry[0]] = known if known is not None and known[1] > entry[1] else entry
        while len(self._entries) > self.AT_MOST:
            del self._entries[next(iter(self._entries))]

    def take(self) -> bytes:
        """Everything kept, as one awareness update."""
        entries, self._entries = list(self._entries.values()), {}
        return presence.encode(entries)
