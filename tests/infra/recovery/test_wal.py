"""Archived segments: what comes back is what was there, and nothing is ever overwritten."""

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.recovery import base, wal
from infra.recovery.s3 import Bucket, Refused
from infra.recovery.wal import Damaged, Different
from infra.storage import ObjectStore
from tests.conftest import Stack


@given(st.binary(max_size=2000))
def test_what_is_packed_comes_out(data: bytes) -> None:
    assert wal.unpack(wal.pack(data)) == data


@given(st.binary(min_size=1, max_size=300), st.data())
def test_one_flipped_bit_is_found(data: bytes, draw: st.DataObject) -> None:
    stored = bytearray(wal.pack(data))
    stored[draw.draw(st.integers(0, len(stored) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    try:
        assert wal.unpack(bytes(stored)) == data  # a bit of the frame that means nothing
    except Damaged:
        pass


def test_segments_follow_each_other() -> None:
    assert wal.following("0000000100000000000000FE", 3) == [
        "0000000100000000000000FF",
        "000000010000000100000000",
        "000000010000000100000001",
    ]
    assert wal.following("00000002.history", 3) == []


def test_a_backup_of_a_time_that_was_given_up_leads_nowhere() -> None:
    from tests.flows.test_sweeping import base_of

    old, given_up, new = base_of(1, timeline=1, lsn=10), base_of(2, timeline=1, lsn=30), base_of(3, timeline=2, lsn=25)
    assert base.reachable([old, given_up, new], [(1, 20)], timeline=2) == [old, new]
    assert base.lsn("1/10") == (1 << 32) + 16


@pytest.fixture
def bucket(stack: Stack) -> Bucket:
    settings = stack.settings
    return Bucket(
        settings.s3_endpoint,
        settings.s3_region,
        settings.s3_access_key.get_secret_value(),
        settings.s3_secret_key.get_secret_value(),
        settings.s3_backup_bucket,
    )


async def test_a_segment_is_archived_once_and_no_other_in_its_place(
    stack: Stack, bucket: Bucket, tmp_path: Path
) -> None:
    system, name, path = uuid4().hex, "000000010000000000000001", tmp_path / "segment"
    path.write_bytes(b"the log" * 1000)
    wal.archive(bucket, system, path, name)
    wal.archive(bucket, system, path, name)  # Postgres asks again after a crash
    assert wal.fetch(bucket, system, name) == path.read_bytes()
    path.write_bytes(b"another")
    with pytest.raises(Different):
        wal.archive(bucket, system, path, name)
    assert wal.fetch(bucket, system, name) == b"the log" * 1000
    assert wal.fetch(bucket, system, "000000010000000000000002") is None

    store = ObjectStore(stack.settings, stack.settings.s3_backup_bucket)
    await store.put(wal.key(system, name), b"x" * 50)
    with pytest.raises(Damaged):
        wal.fetch(bucket, system, name)
    await store.delete(wal.key(system, name))
    await store.close()


def test_a_missing_bucket_is_not_the_end_of_the_log(bucket: Bucket) -> None:
    elsewhere = Bucket(bucket.endpoint, bucket.region, bucket.access_key, bucket.secret_key, f"none-{uuid4().hex}")
    with pytest.raises(Refused):
        wal.fetch(elsewhere, "7", "000000010000000000000001")


def test_what_comes_next_is_fetched_along(bucket: Bucket, tmp_path: Path) -> None:
    system, names = uuid4().hex, [f"{1:08X}{0:08X}{number:08X}" for number in (1, 2, 3)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
        wal.archive(bucket, system, tmp_path / name, name)
    ahead = tmp_path / "ahead"
    ahead.mkdir()
    assert wal.fetch_ahead(bucket, system, names[0], tmp_path / "wanted", ahead)
    assert (tmp_path / "wanted").read_text() == names[0]
    assert sorted(path.name for path in ahead.iterdir()) == names[1:]
    assert not wal.fetch_ahead(bucket, system, "00000009.history", tmp_path / "none", ahead)
