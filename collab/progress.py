"""Which edits of a document's journal a room has: everything up to `seq`, and some beyond a gap (pure)."""

from collections.abc import Sequence


class Progress:
    """Edits are known by their gapless seq, and may arrive in any order and more than once."""

    __slots__ = ("_ahead", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self._ahead: set[int] = set()

    @property
    def behind(self) -> bool:
        """Whether edits are missing that others already followed."""
        return bool(self._ahead)

    def reset(self, seq: int) -> None:
        """Everything up to `seq` is here, and nothing known beyond it."""
        self.seq = seq
        self._ahead.clear()

    def note(self, seq: int) -> bool:
        """The edit `seq` is here; False if it was before."""
        if seq == self.seq + 1 and not self._ahead:  # as nearly always
            self.seq = seq
            return True
        if seq <= self.seq or seq in self._ahead:
            return False
        self._ahead.add(seq)
        self._advance()
        return True

    def note_all(self, seqs: Sequence[int]) -> None:
        """The edits with these seqs, in a row, are here."""
        if seqs and seqs[0] == self.seq + 1 and not self._ahead:
            self.seq = seqs[-1]
        else:
            for seq in seqs:
                self.note(seq)

    def covered(self, upto: int) -> None:
        """The journal was read up to `upto`: what is still missing below it does not exist."""
        self.seq = max(self.seq, upto)
        self._ahead = {seq for seq in self._ahead if seq > self.seq}
        self._advance()

    def _advance(self) -> None:
        while self.seq + 1 in self._ahead:
            self.seq += 1
            self._ahead.remove(self.seq)
