"""The codec of archived segments: what goes in comes out, and nothing else is taken for it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.documents.journal import link
from models.documents.segments import Row, Segment, SegmentDamaged, decode, encode
from models.documents.tables import GENESIS

START = datetime(2026, 1, 1, tzinfo=UTC)
ids = st.sampled_from([None, UUID(int=1), UUID(int=2), UUID(int=3)])
entries = st.lists(
    st.tuples(st.binary(max_size=60), ids, ids, st.sampled_from(["socket", "restore:3"]), st.integers(-5, 9**9)),
    min_size=1,
    max_size=40,
)


def segment_of(items: list[tuple[bytes, UUID | None, UUID | None, str, int]], first: int = 1) -> Segment:
    chain, rows = GENESIS, []
    for seq, (payload, actor, session, origin, microseconds) in enumerate(items, start=first):
        chain = link(chain, payload)
        at = START + timedelta(microseconds=microseconds)
        rows.append(Row(seq, payload, chain, actor, session, origin, at))
    return Segment(UUID(int=8), UUID(int=9), GENESIS, rows)


@given(entries, st.integers(1, 2**40))
def test_what_goes_in_comes_out(items: list[tuple[bytes, UUID | None, UUID | None, str, int]], first: int) -> None:
    segment = segment_of(items, first)
    assert decode(encode(segment)) == segment
    assert encode(decode(encode(segment))) == encode(segment)


@given(entries, st.data())
def test_a_flipped_byte_of_an_update_breaks_the_chain(
    items: list[tuple[bytes, UUID | None, UUID | None, str, int]], data: st.DataObject
) -> None:
    encoded = bytearray(encode(segment_of(items)))
    payload_bytes = sum(len(item[0]) for item in items)
    if payload_bytes == 0:
        return
    place = data.draw(st.integers(len(encoded) - payload_bytes, len(encoded) - 1))
    encoded[place] ^= 1
    with pytest.raises(SegmentDamaged):
        decode(bytes(encoded))


def test_a_gap_or_a_broken_chain_is_not_archived() -> None:
    whole = segment_of([(b"a", None, None, "x", 0), (b"b", None, None, "x", 1), (b"c", None, None, "x", 2)])
    gap = Segment(whole.org_id, whole.document_id, GENESIS, [whole.rows[0], whole.rows[2]])
    with pytest.raises(SegmentDamaged, match="seq 2 is missing"):
        encode(gap)
    wrong = Segment(whole.org_id, whole.document_id, bytes(31) + b"\x01", whole.rows)
    with pytest.raises(SegmentDamaged, match="breaks at seq 1"):
        encode(wrong)


@pytest.mark.parametrize("data", [b"", b"doxie segment 1\n", b"doxie segment 1\n{}\n", b"other"])
def test_other_bytes_are_no_segment(data: bytes) -> None:
    with pytest.raises(SegmentDamaged):
        decode(data)
