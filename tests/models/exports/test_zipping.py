"""A zip that is written in pieces, by one process or by several."""

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from models.exports import Zip

files = st.lists(st.binary(max_size=2_000), min_size=1, max_size=6)


@given(files, st.data())
def test_going_on_elsewhere_gives_the_same_bytes(contents: list[bytes], data: st.DataObject) -> None:
    whole = Zip()
    for number, content in enumerate(contents):
        whole.add(f"{number}.bin", content)
    whole.close()
    expected = whole.take()

    stop = data.draw(st.integers(0, len(contents)))
    first = Zip()
    for number, content in enumerate(contents[:stop]):
        first.add(f"{number}.bin", content, about=number)
    written = first.take()
    second = Zip(len(written), first.entries)
    for number, content in enumerate(contents[stop:], stop):
        second.add(f"{number}.bin", content, about=number)
    second.close()
    if stop < len(contents):
        assert written + second.take() == expected
    with zipfile.ZipFile(io.BytesIO(expected)) as archive:
        assert archive.testzip() is None
        assert [archive.read(f"{number}.bin") for number in range(len(contents))] == contents
    assert [entry["bytes"] for entry in second.entries] == [len(content) for content in contents]
