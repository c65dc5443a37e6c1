"""Who wrote what, told from the journal."""

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from models.documents import authorship, crdt
from models.documents.structs import structs

PEOPLE = [UUID(int=number) for number in (1, 2, 3)]
LETTERS = dict(zip(PEOPLE, ("aä", "b😀", "cé"), strict=True))


def journal_of(strokes: list[tuple[int, int, int, bool]]) -> list[tuple[bytes, UUID]]:
    """Three people who write, each in letters of their own, and erase, each into a copy of the others' text."""
    docs: dict[UUID, Doc[Any]] = {person: Doc() for person in PEOPLE}
    journal = []
    for who, place, erase, rich in strokes:
        person = PEOPLE[who]
        doc = docs[person]
        before = doc.get_state()
        text: Any = doc.get("text", type=Text)
        if rich:
            root = doc.get("default", type=XmlFragment)
            with doc.transaction():
                if not len(root.children):
                    root.children.append(XmlElement("paragraph", contents=[XmlText("")]))
                text = next(iter(next(iter(root.children)).children))
        letters = LETTERS[person]
        whole = str(text)
        start = len(whole[: place % (len(whole) + 1)].encode())
        stop = len(whole[: place % (len(whole) + 1) + erase].encode())
        with doc.transaction():
            del text[start:stop]
            text.insert(start, letters)
        journal.append((doc.get_update(before), person))
        for other in docs.values():
            other.apply_update(journal[-1][0])
    return journal


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 3), st.booleans()), max_size=12))
def test_each_letter_is_whose_alphabet_it_is_from(strokes: list[tuple[int, int, int, bool]]) -> None:
    journal = journal_of(strokes)
    doc = crdt.build([payload for payload, _ in journal])
    spans = authorship.spans(doc.get_update(), authorship.written_by(journal))
    for path, found in spans.items():
        tree: Any = doc.get(str(path[0]), type=XmlFragment if path[0] == "default" else Text)
        for index in path[1:]:
            tree = tree.children[index]
        raw = str(tree).encode()
        assert [start for start, _, _ in found] == [0, *(stop for _, stop, _ in found[:-1])]
        assert found[-1][1] == len(raw)
        for start, stop, author in found:
            assert author is not None
            assert set(raw[start:stop].decode()) <= set(LETTERS[author])


def test_nobody_puts_words_into_anothers_mouth() -> None:
    doc: Doc[Any] = Doc()
    text = doc.get("text", type=Text)
    text += "mine"
    first = doc.get_update()
    text += " forged"
    ledger = authorship.written_by([(first, PEOPLE[0]), (doc.get_update(), PEOPLE[1])])
    spans = authorship.spans(doc.get_update(), ledger)
    assert spans == {("text",): [(0, 4, PEOPLE[0]), (4, 11, PEOPLE[1])]}


def test_late_updates_fill_the_gap_they_left() -> None:
    doc: Doc[Any] = Doc()
    text = doc.get("text", type=Text)
    parts = []
    for word in ("one ", "two ", "three"):
        before = doc.get_state()
        text += word
        parts.append(doc.get_update(before))
    ledger = authorship.written_by([(parts[0], PEOPLE[0]), (parts[2], PEOPLE[2]), (parts[1], PEOPLE[1])])
    spans = authorship.spans(doc.get_update(), ledger)
    assert spans == {("text",): [(0, 4, PEOPLE[0]), (4, 8, PEOPLE[1]), (8, 13, PEOPLE[2])]}


def test_structs_of_every_kind_are_read() -> None:
    doc: Doc[Any] = Doc()
    text = doc.get("text", type=Text)
    text += "a😀b"
    text.insert_embed(1, {"image": [1, {"deep": None}]})
    text.format(0, 1, {"bold": True})
    things: Array[Any] = doc.get("things", type=Array)
    things.extend([1, -70_000, 2.5, True, None, "x", b"bytes", {"a": [1, 2, {"b": "c"}]}, Doc({"t": Text("sub")})])
    things.append(Map({"k": "v"}))
    doc.get("default", type=XmlFragment).children.append(XmlElement("p", {"id": "1"}, [XmlText("t")]))
    del text[0:1]
    found = list(structs(doc.get_update()))
    assert {struct.client for struct in found} == {doc.client_id}
    ends = [struct.clock + struct.length for struct in found]
    assert [struct.clock for struct in found] == [0, *ends[:-1]]
    assert doc.get_state() == b"\1" + _varuint(doc.client_id) + _varuint(ends[-1])


def _varuint(number: int) -> bytes:
    from models.lib0 import varuint

    return varuint(number)


def test_an_unknown_author_is_nobody() -> None:
    doc: Doc[Any] = Doc()
    text = doc.get("text", type=Text)
    text += "x"
    assert authorship.spans(doc.get_update(), authorship.written_by([(doc.get_update(), None)])) == {
        ("text",): [(0, 1, None)]
    }
