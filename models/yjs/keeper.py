"""`python -m models.yjs.keeper`, in a cage (infra/cage.py): keeps the Docs of open documents and does errands on them.

Only here are updates of strangers applied. An update that costs a Doc is answered with `LOST`; one that costs this
process is found by the note it left: the document's number, or the place of a suspect.
"""

from collections.abc import Callable
from typing import Final

from infra import caged
from models.lib0 import ProtocolError
from models.yjs import content, updates, wire
from models.yjs.content import Content, Lost, Unusable
from models.yjs.wire import Did, Do

_kept: dict[int, Content] = {}
_DONE: Final = Did.DONE  # Python 3.11 takes as long for the member of an enum as for a call


def answer(request: bytes, note: caged.Note) -> bytes:
    """Do the errands of a request."""
    return b"".join(_do(do, document, body, note) for do, document, body in wire.errands(request))


def _do(do: Do, document: int, body: bytes, note: caged.Note) -> bytes:
    work = _DO.get(do)
    if work is None and do is Do.SEARCH:
        return _search(body, note)
    note(document)
    try:
        if work is not None:
            kept = _kept.get(document)
            return wire.answer(Did.LOST) if kept is None else wire.answer(_DONE, work(kept, body))
        if do is Do.LOAD:
            return _load(document, body)
        _kept.pop(document, None)
        return wire.answer(_DONE)
    except Lost:
        del _kept[document]
        return wire.answer(Did.LOST)
    except (ProtocolError, Unusable):
        return wire.answer(Did.REFUSED)


def _load(document: int, body: bytes) -> bytes:
    stored, _ = wire.read_several(body, 1)
    _kept[document] = kept = Content(stored, body[0])
    return wire.answer(Did.DONE, wire.numbers(sorted(kept.skipped)))


def _apply(kept: Content, body: bytes) -> bytes:
    wiped = kept.apply(wire.read_several(body)[0])
    return b"" if wiped is None else wire.numbers([wiped])


def _offer(kept: Content, body: bytes) -> bytes:
    raw = body[1:]
    if kept.has(raw):
        return wire.YES
    return wire.WIPE if body[:1] == wire.TAKE and kept.take(raw) else wire.NO


def _diff(kept: Content, body: bytes) -> bytes:
    if not updates.plausible(body):
        raise ProtocolError("not a state vector")
    return wire.two(kept.missing(body), kept.state())


def _state(kept: Content, _body: bytes) -> bytes:
    return kept.state()


def _search(body: bytes, note: caged.Note) -> bytes:
    stored, at = wire.read_several(body)
    suspects, _ = wire.read_several(body, at)
    note(len(suspects) + 1)
    try:
        found = content.culprits(stored, suspects, lambda place: note(place + 1))
    except Unusable:
        return wire.answer(Did.REFUSED)
    return wire.answer(Did.DONE, wire.numbers(sorted(found)))


_DO: dict[Do, Callable[[Content, bytes], bytes]] = {
    Do.APPLY: _apply,
    Do.OFFER: _offer,
    Do.DIFF: _diff,
    Do.STATE: _state,
}


if __name__ == "__main__":
    caged.serve(answer)
