"""Mutated updates, for rooms that live long."""

import random
from typing import Any

import pycrdt

from tests.collab.sockets import Editor

SUBDOCUMENT = bytes.fromhex(
    "010102162901036d61700373756203737562760402676378086175746f4c6f61647908656e636f64696e677d01"
    "0a73686f756c644c6f61647800"
)
"""A document in a map. The library writes its options in another order each time."""

POISON = [
    bytes.fromhex(line)
    for line in (
        "0101020d0701070d656661756c74030970617261677261706800",
        "010102130700020d0600",
        "000102010d01",
        "0103020f0700020d060400020f02726984021102636800",
    )
]
"""Applied one after another these make yrs 0.28 read what it has freed: the last brings an item of which the Doc has
the second half (as garbage) and lacks the first, which is integrated with a pointer to the half that was dropped."""


def seeds() -> list[bytes]:
    """Updates of every kind of content, the same in every process."""
    editor = Editor(1)
    made = [editor.type("hello wörld 🎉"), editor.erase(2, 5), editor.type("x", 3)]
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=2)
    made_here: list[bytes] = []
    watch = doc.observe(lambda event: made_here.append(event.update))
    fields: pycrdt.Map[Any] = pycrdt.Map()
    doc["map"] = fields
    for name, value in (("a", 1), ("b", [1, 2, {"c": None}]), ("d", 1.5), ("e", b"bytes")):
        fields[name] = value  # one by one: several at once go in another order each time
    fields["nested"] = pycrdt.Array([pycrdt.Map({"deep": True}), pycrdt.Text("text")])
    fields["a"] = 2
    fragment = doc.get("default", type=pycrdt.XmlFragment)
    paragraph = fragment.children.append(pycrdt.XmlElement("paragraph", {"class": "p"}))
    paragraph.children.append(pycrdt.XmlText("rich")).format(0, 2, {"bold": True})
    del fields["b"]
    del watch
    return [*made, *made_here, SUBDOCUMENT, doc.get_update(), editor.doc.get_update(), *POISON]


def mutate(chance: random.Random, raw: bytes, others: list[bytes]) -> bytes:
    """The update with a few bytes changed, inserted, removed, or another one's tail."""
    data = bytearray(raw)
    for _ in range(chance.choice([0, 1, 1, 1, 2, 3, 8])):
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
