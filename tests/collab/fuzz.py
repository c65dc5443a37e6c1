"""`python -m tests.collab.fuzz SEED ROUNDS`: a room that is told mutated updates must outlive them.

Run as a process of its own, since what it looks for is a crash. Prints what happened as JSON.
"""

import json
import random
import sys
from typing import Any

import pycrdt

from collab import protocol
from collab.room import Room
from infra import bigstack
from models.lib0 import ProtocolError
from tests.collab.sockets import Editor, room, seat

ROOM_LIVES = 20
"""Rounds until a new room begins. In a document that has taken hundreds of mutated updates, yrs itself may read memory
that is not its own: this test is about what a room can contain."""


def seeds() -> list[bytes]:
    """Updates of every kind of content."""
    editor = Editor(1)
    made = [editor.type("hello wörld 🎉"), editor.erase(2, 5), editor.type("x", 3)]
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=2)
    made_here: list[bytes] = []
    watch = doc.observe(lambda event: made_here.append(event.update))
    doc["map"] = fields = pycrdt.Map({"a": 1, "b": [1, 2, {"c": None}], "d": 1.5, "e": b"bytes"})
    fields["nested"] = pycrdt.Array([pycrdt.Map({"deep": True}), pycrdt.Text("text")])
    fields["a"] = 2
    fragment = doc.get("default", type=pycrdt.XmlFragment)
    paragraph = fragment.children.append(pycrdt.XmlElement("paragraph", {"class": "p"}))
    paragraph.children.append(pycrdt.XmlText("rich")).format(0, 2, {"bold": True})
    del fields["b"]
    fields["sub"] = pycrdt.Doc(guid="sub")
    del watch
    made += [*made_here, doc.get_update(), editor.doc.get_update()]
    return made


def mutate(chance: random.Random, raw: bytes, others: list[bytes]) -> bytes:
    """The update with a few bytes changed, inserted, removed, or another one's tail."""
    data = bytearray(raw)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        at = chance.randrange(len(data) + 1) if data else 0
        match chance.randrange(5):
            case 0 if at < len(data):
                data[at] = chance.randrange(256)
            case 1 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                data[at:at] = chance.randbytes(chance.randrange(1, 4))
            case 3:
                del data[at : at + chance.randrange(1, 4)]
            case _:
                other = chance.choice(others)
                data[at:] = other[chance.randrange(len(other)) :]
    return bytes(data)


def run(seed: int, rounds: int) -> dict[str, int]:
    """Feed one room, repairing it as the writer does."""
    chance = random.Random(seed)
    good = seeds()
    journal: list[bytes] = []
    found = {"refused": 0, "journaled": 0, "panics": 0}
    here = room()
    place, wire = seat(here)
    for number in range(rounds):
        raw = mutate(chance, chance.choice(good), good)
        try:
            chance.choice((here.edit, here.reply))(place, raw)
            if number % 7 == 0:
                here.ask(place, mutate(chance, Editor(1).doc.get_state(), good))
        except ProtocolError:
            found["refused"] += 1
        if number % 5 == 0:
            found["panics"] += _commit(here, journal)
            wire.take()
        if number % ROOM_LIVES == ROOM_LIVES - 1:
            found["journaled"] += len(journal)
            journal = list(good)
            here = room(*good)
            place, wire = seat(here)
    found["panics"] += _commit(here, journal)
    sound = room(*journal)
    reader, wire = seat(sound)
    sound.ask(reader, b"\0")
    assert wire.take()[0][:2] == protocol.step2(b"")[:2]
    return found


def _commit(here: Room, journal: list[bytes]) -> int:
    bad = [] if here.settle() else here.rebuild(len(journal), journal)
    assert here.settle()
    taken = [entry.raw for entry in here.take(10_000) if entry.raw is not None]
    here.saved(list(range(len(journal) + 1, len(journal) + 1 + len(taken))))
    journal += taken
    return len(bad)


if __name__ == "__main__":
    results: list[dict[str, int]] = []
    bigstack.start_thread(lambda: results.append(run(int(sys.argv[1]), int(sys.argv[2]))), "fuzz").join()
    print(json.dumps(results[0]))
