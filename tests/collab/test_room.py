"""A room: what is relayed, applied, saved and answered, without any I/O."""

from collections.abc import Callable, Sequence

import pycrdt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from collab import protocol
from collab.room import Full, NotAllowed, Room
from collab.seat import Seat
from models.lib0 import ProtocolError, read_bytes
from models.yjs import content, updates
from models.yjs.content import culprits
from tests.collab.sockets import Editor, Wire, load, room, seat, settle, text_of

SAVED = protocol.sync_status(saved=True)


def save(saved: Room) -> list[bytes]:
    """Commit everything as the writer does; what went into the journal."""
    assert settle(saved)
    taken = [entry.raw for entry in saved.take(10_000) if entry.raw is not None]
    saved.saved(list(range(saved.progress.seq + 1, saved.progress.seq + 1 + len(taken))))
    return taken


def answer(asked: Room, state: bytes = b"\0") -> bytes:
    """What the room answers to a step 1."""
    _, wire = seat(asked)
    asked.ask(asked.seats[-1], state)
    assert settle(asked)
    return told(wire)


def told(wire: Wire) -> bytes:
    """What the step 2 on a line brings."""
    step2 = next(body for body in wire.take() if body[:2] == b"\0\1")
    return read_bytes(step2, 2)[0]


def test_an_edit_is_relayed_as_it_came_and_answered_once_it_is_saved() -> None:
    here = room()
    ann, anns = seat(here)
    _, bobs = seat(here)
    raw = Editor(1).type("hi")
    here.edit(ann, raw)
    assert bobs.take() == [protocol.update(raw)]
    assert anns.take() == []
    assert save(here) == [raw]
    assert anns.take() == [SAVED]
    assert text_of(answer(here)) == "hi"


def test_a_step_2_is_relayed_as_an_update() -> None:
    here = room()
    ann, anns = seat(here)
    _, bobs = seat(here, address=b"\1d")
    raw = Editor(1).type("hi")
    here.reply(ann, raw)
    save(here)
    assert bobs.take() == [b"\1d" + protocol.update(raw)]
    assert anns.take() == [SAVED]


def test_a_step_2_without_news_is_not_journaled_and_still_answered_in_order() -> None:
    here = room()
    ann, anns = seat(here)
    bob, bobs = seat(here)
    editor = Editor(1)
    raws = [editor.type("hi there"), editor.erase(0, 3)]
    for raw in raws:
        here.edit(ann, raw)
    bobs.take()
    here.reply(bob, editor.doc.get_update())
    assert bobs.take() == [], "what it repeats is not saved yet"
    assert save(here) == raws
    assert bobs.take() == [SAVED]
    assert anns.take() == [SAVED, SAVED]
    here.reply(bob, editor.doc.get_update())
    assert save(here) == []
    assert bobs.take() == [SAVED]


def test_a_step_2_with_a_deletion_is_news() -> None:
    here = room()
    ann, _ = seat(here)
    editor = Editor(1)
    here.edit(ann, editor.type("hi there"))
    save(here)
    editor.erase(0, 3)
    here.reply(ann, editor.doc.get_update())
    save(here)
    assert text_of(answer(here)) == "there"


def test_who_asks_the_same_as_the_one_before_is_answered_without_the_keeper() -> None:
    here = room()
    ann, _ = seat(here)
    bob, bobs = seat(here)
    editor = Editor(1)
    here.edit(ann, editor.type("hi"))
    assert text_of(answer(here)) == "hi"
    bobs.take()
    here.ask(bob, b"\0")
    assert not here.busy
    assert text_of(told(bobs)) == "hi"
    here.ask(bob, editor.doc.get_state())
    assert here.busy, "another question"


def test_an_answer_is_not_kept_beyond_what_it_answers() -> None:
    here = room()
    ann, _ = seat(here)
    editor = Editor(1)
    changes: tuple[Callable[[], None], ...] = (
        lambda: here.edit(ann, editor.type("a")),
        lambda: here.reply(ann, editor.type("b")),
        lambda: here.edited(here.progress.seq + 1, editor.type("c")),
        lambda: here.expire(0.0),
    )
    for change in changes:
        assert text_of(answer(here)) == str(editor.text)
        change()
        save(here)
        here.ask(ann, b"\0")
        assert here.busy
        assert settle(here)
    here.edit(ann, editor.type("d"))
    here.ask(ann, b"\0")
    here.edit(ann, editor.type("e"))
    assert settle(here)
    assert text_of(answer(here)) == str(editor.text), "the answer was of before the last edit"


def test_readers_do_not_edit() -> None:
    here = room()
    ann, anns = seat(here, may_write=False, address=b"\1d")
    raw = Editor(1).type("hi")
    with pytest.raises(NotAllowed):
        here.edit(ann, raw)
    here.reply(ann, raw)
    assert save(here) == []
    assert anns.take() == [b"\1d" + protocol.sync_status(saved=False)]
    here.reply(ann, updates.NOTHING)
    assert anns.take() == [b"\1d" + SAVED]
    stubborn, line = seat(here, may_write=False)
    here.reply(stubborn, raw)
    assert save(here) == []
    assert line.closed is protocol.Close.FORBIDDEN


def test_a_reader_may_repeat_what_is_there() -> None:
    here = room()
    ann, _ = seat(here)
    bob, bobs = seat(here, may_write=False)
    raw = Editor(1).type("hi")
    here.edit(ann, raw)
    here.reply(bob, raw)
    assert save(here) == [raw]
    assert bobs.take() == [protocol.update(raw), SAVED]


def test_what_is_no_update_is_refused() -> None:
    here = room()
    ann, anns = seat(here)
    for bad in (b"", b"\0", b"\xff" * 20):
        with pytest.raises(ProtocolError):
            here.edit(ann, bad)
    for bad in (b"", b"\xff" * 20):
        with pytest.raises(ProtocolError):
            here.ask(ann, bad)
    assert save(here) == []
    here.ask(ann, b"\5")
    assert settle(here)
    assert anns.closed is protocol.Close.MALFORMED


def test_what_waits_for_a_predecessor_is_handed_on() -> None:
    editor = Editor(1)
    raws = [editor.type(letter) for letter in "abcdef"]
    here = room()
    ann, _ = seat(here)
    for raw in raws[1:]:
        here.edit(ann, raw)
    assert save(here) == raws[1:]
    waiting = answer(here)
    assert text_of(waiting) == ""
    here.edit(ann, raws[0])
    assert text_of(answer(here)) == "abcdef"
    assert text_of(pycrdt.merge_updates(waiting, raws[0])) == "abcdef"
    assert text_of(answer(room(*raws[1:]))) == ""
    assert text_of(pycrdt.merge_updates(answer(room(*raws[1:])), raws[0])) == "abcdef"


def test_what_cannot_be_saved_is_first_in_line_again() -> None:
    here = room()
    ann, anns = seat(here)
    editor = Editor(1)
    raws = [editor.type("a"), editor.type("b"), editor.type("c")]
    here.edit(ann, raws[0])
    assert settle(here)
    here.take(10)
    here.edit(ann, raws[1])
    here.give_back()
    here.edit(ann, raws[2])
    assert anns.take() == []
    assert save(here) == raws
    assert here.unsaved_bytes == 0


def test_a_lost_doc_is_rebuilt_without_the_culprit(monkeypatch: pytest.MonkeyPatch) -> None:
    here = room()
    ann, anns = seat(here)
    bob, bobs = seat(here)
    editor = Editor(1)
    good = [editor.type("a"), editor.type("b")]
    poison = Editor(2).type("poison")
    _panic_at(monkeypatch, poison)
    for who, raw in ((ann, good[0]), (bob, poison), (ann, good[1])):
        here.edit(who, raw)
    here.ask(ann, b"\0")
    assert not settle(here)
    here.lose()
    assert not here.open
    assert not here.take(10), "nothing is journaled that a Doc has not taken"
    bad = [here.unsaved[place] for place in culprits([], [entry.raw or b"" for entry in here.unsaved])]
    assert [entry.raw for entry in bad] == [poison]
    here.drop(bad)
    load(here)
    assert save(here) == good
    bodies = anns.take()
    assert text_of(read_bytes(next(body for body in bodies if body[:2] == b"\0\1"), 2)[0]) == "ab"
    assert bodies.count(SAVED) == 2
    assert SAVED not in bobs.take()


def test_a_new_doc_is_given_everything_that_is_not_in_the_journal() -> None:
    here = room()
    ann, anns = seat(here)
    editor = Editor(1)
    raws = [editor.type(letter) for letter in "abcde"]
    here.edit(ann, raws[0])
    assert settle(here)
    here.take(10)  # a commit is under way
    here.edit(ann, raws[1])
    assert settle(here)
    here.edit(ann, raws[2])
    here.errands()  # the keeper dies of these
    here.edit(ann, raws[3])
    here.lose()
    here.edit(ann, raws[4])
    load(here)
    assert text_of(answer(here)) == "abcde"
    here.give_back()
    assert save(here) == raws
    assert anns.take().count(SAVED) == 5


def _panic_at(monkeypatch: pytest.MonkeyPatch, poison: bytes) -> None:
    class PanicException(BaseException):
        """As pycrdt raises it."""

    integrate = content.integrate

    def panicking(doc: content.Doc, batch: Sequence[bytes]) -> bytes:
        if poison in batch:
            raise PanicException
        return integrate(doc, batch)

    monkeypatch.setattr(content, "integrate", panicking)


def test_deleting_most_of_a_large_document_is_marked() -> None:
    here = room()
    ann, _ = seat(here)
    editor = Editor(1)
    here.edit(ann, editor.type("x" * 5000))
    here.edit(ann, editor.erase(0, 3000))
    save(here)
    assert not any(entry.wipes for entry in here.saving)
    here.edit(ann, editor.type("y" * 3000))
    here.edit(ann, editor.erase(100, 4900))
    here.edit(ann, editor.type("!"))
    assert settle(here)
    assert [entry.wipes for entry in here.unsaved] == [False, True, False]
    save(here)
    here.edit(ann, editor.type("z" * 5000))
    save(here)
    editor.erase(0, 5000)
    here.reply(ann, editor.doc.get_update())
    assert settle(here)
    assert [entry.wipes for entry in here.unsaved] == [True]


def test_small_documents_may_be_emptied() -> None:
    here = room()
    ann, _ = seat(here)
    editor = Editor(1)
    here.edit(ann, editor.type("x" * 1000))
    here.edit(ann, editor.erase(0, 1000))
    assert settle(here)
    assert not any(entry.wipes for entry in here.unsaved)


def test_what_does_not_fit_costs_its_sender_and_nobody_else() -> None:
    here = room()
    here.limit = 2000
    ann, anns = seat(here)
    bob, bobs = seat(here)
    editor = Editor(1)
    raws = [editor.type("x" * 1000)]
    here.edit(ann, raws[0])
    small = Editor(2).type("still fits")
    with pytest.raises(Full):
        here.edit(ann, editor.type("y" * 1500))
    here.reply(bob, raws[0])
    here.edit(bob, small)
    assert save(here) == [raws[0], small]
    assert bobs.closed is None
    here.reply(ann, editor.doc.get_update())
    assert save(here) == []
    assert anns.closed is protocol.Close.TOO_BIG
    assert here.size == len(raws[0]) + len(small)


def test_a_slow_reader_gets_the_rest_in_one_piece() -> None:
    here = room()
    ann, anns = seat(here)
    bob, bobs = seat(here)
    editor = Editor(1)
    here.edit(ann, editor.type("a"))
    here.pause(bob)
    bobs.lagging = True
    bobs.take()
    for letter in "bcdefg":
        here.edit(ann, editor.type(letter))
    here.edit(bob, Editor(2).type("B", 0))
    save(here)
    assert bobs.take() == []
    bobs.lagging = False
    here.resume(bob)
    assert settle(here)
    bodies = bobs.take()
    assert bodies.count(SAVED) == 1
    missed = read_bytes(next(body for body in bodies if body[:2] == b"\0\1"), 2)[0]
    assert "bcdefg" in text_of(pycrdt.merge_updates(missed, editor.doc.get_update()))
    assert len(missed) < len(answer(here))


class Editing(RuleBasedStateMachine):
    """Clients that edit, sync, lag and drop; a journal that commits or fails; other nodes: all agree in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.room = room()
        self.journal: list[bytes] = []
        self.clients: list[tuple[Editor, Seat, Wire, int]] = []
        self.sent: list[int] = []
        self.saved: list[int] = []
        self.saving = False

    @initialize()
    def everybody(self) -> None:
        for number in range(3):
            place, wire = seat(self.room, address=b"" if number else b"\1d")
            self.clients.append((Editor(number + 1), place, wire, number))
            self.sent.append(0)
            self.saved.append(0)

    @rule(who=st.integers(0, 2), text=st.text("abc", min_size=1, max_size=3), at=st.integers(0, 5))
    def types(self, who: int, text: str, at: int) -> None:
        editor, place, *_ = self.clients[who]
        self._hear(who)
        self.room.edit(place, editor.type(text, min(at, len(editor.text))))
        self.sent[who] += 1

    @rule(who=st.integers(0, 2), at=st.integers(0, 5))
    def erases(self, who: int, at: int) -> None:
        editor, place, *_ = self.clients[who]
        if at < len(editor.text):
            self.room.edit(place, editor.erase(at, at + 1))
            self.sent[who] += 1

    @rule(who=st.integers(0, 2))
    def reconnects(self, who: int) -> None:
        editor, place, wire, number = self.clients[who]
        self.room.leave(place, 0)
        place, wire = seat(self.room, address=place.address)
        self.clients[who] = (editor, place, wire, number)
        self.room.ask(place, editor.doc.get_state())
        assert settle(self.room)
        self._hear(who)
        self.sent[who], self.saved[who] = 1, 0
        self.room.reply(place, editor.doc.get_update())

    @rule(who=st.integers(0, 2))
    def lags(self, who: int) -> None:
        _, place, wire, _ = self.clients[who]
        if not wire.lagging:
            self.room.pause(place)
            wire.lagging = True

    @rule(who=st.integers(0, 2))
    def catches_up(self, who: int) -> None:
        _, place, wire, _ = self.clients[who]
        if wire.lagging:
            wire.lagging = False
            self.room.resume(place)

    @rule(limit=st.integers(1, 5))
    def begins_to_save(self, limit: int) -> None:
        if not self.saving:
            assert settle(self.room)
            self.room.take(limit)
            self.saving = True

    @rule(works=st.booleans())
    def ends_saving(self, works: bool) -> None:
        if self.saving and works:
            raws = [entry.raw for entry in self.room.saving if entry.raw is not None]
            first = len(self.journal) + 1
            self.journal += raws
            self.room.saved(list(range(first, first + len(raws))))
        elif self.saving:
            self.room.give_back()
        self.saving = False

    @rule()
    def settles(self) -> None:
        assert settle(self.room)

    @rule(asked=st.booleans())
    def loses_its_doc(self, asked: bool) -> None:
        if asked:
            self.room.errands()  # the keeper dies of these
        self.room.lose()
        load(self.room, *self.journal)

    @rule(text=st.text("xyz", min_size=1, max_size=3))
    def another_node_edits(self, text: str) -> None:
        raw = Editor(1000 + len(self.journal)).type(text)
        self.journal.append(raw)
        self.room.edited(len(self.journal), raw)

    @invariant()
    def nobody_is_told_too_much(self) -> None:
        for who, (_, place, wire, _) in enumerate(self.clients):
            frame = protocol.frame(place.address, SAVED)
            told = wire.frames.count(frame)
            if told:
                wire.frames = [other for other in wire.frames if other != frame]
                self.saved[who] += told
            assert self.saved[who] + place.owed <= self.sent[who]

    def teardown(self) -> None:
        if not self.clients:
            return
        self.ends_saving(False)
        for who in range(3):
            self.catches_up(who)
        while self.room.unsaved or self.room.busy:
            self.journal += save(self.room)
        self.nobody_is_told_too_much()
        for who in range(3):
            self._hear(who)
        stored = text_of(answer(room(*self.journal)))
        for who, (editor, *_) in enumerate(self.clients):
            assert str(editor.text) == stored
            assert self.saved[who] == self.sent[who]

    def _hear(self, who: int) -> None:
        editor, place, wire, _ = self.clients[who]
        self.nobody_is_told_too_much()
        for body in wire.take():
            said, argument = protocol.read(body, len(place.address))
            if said in (protocol.Said.STEP2, protocol.Said.UPDATE):
                editor.doc.apply_update(argument)


Editing.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestEditing = Editing.TestCase
