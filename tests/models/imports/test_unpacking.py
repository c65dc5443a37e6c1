"""Zips that are traps: each is refused with a reason, and without being unpacked."""

import io
import stat
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.imports import BadArchive, BadItem, Kind, unpacking
from models.imports.unpacking import MIB, check_word, content_of, items, kind_of, open_zip
from tests.models.imports.zips import pack, word

BILLION_LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def problems(data: bytes) -> dict[str, str | None]:
    return {item.path: item.problem for item in items(open_zip(data))}


def test_what_is_in_a_zip_is_listed_in_order() -> None:
    data = pack({"b.md": "b", "a/": "", "a/x.html": "x", "a/w.docx": "w", "img.png": "i", "__MACOSX/b.md": "m"})
    found = list(items(open_zip(data)))
    assert [(item.path, item.kind, item.problem) for item in found] == [
        ("b.md", Kind.MARKDOWN, None),
        ("a/x.html", Kind.HTML, None),
        ("a/w.docx", Kind.DOCX, None),
    ]


@pytest.mark.parametrize(
    "path", ["../evil.md", "a/../../evil.md", "/etc/evil.md", "..\\evil.md", "C:/evil.md", "a/b/../../../x.md"]
)
def test_paths_that_lead_out_are_refused(path: str) -> None:
    found = problems(pack({path: "x", "good.md": "y"}))
    assert [problem for problem in found.values() if problem] == ["Its path leads out of the zip."]


def test_what_has_no_name_stops_nobody() -> None:
    data = pack({".": "x", "nn": "y", "good.md": "z"}).replace(b"nn", b"\0n")  # a name ends at its first zero
    assert problems(data) == {".": "It has no name.", "good.md": None}


def test_links_are_refused() -> None:
    info = zipfile.ZipInfo("link.md")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert problems(buffer.getvalue()) == {"link.md": "It is a link."}


def test_a_zip_in_a_zip_is_not_opened() -> None:
    assert problems(pack({"inner.zip": pack({"a.md": "a"})})) == {"inner.zip": "A zip inside a zip is not opened."}


def test_other_files_are_named() -> None:
    found = problems(pack({"run.exe": "MZ", "drawing.svg": "<svg/>"}))
    assert found == {"run.exe": "It is neither Markdown nor HTML nor a Word document."}


def test_a_name_that_is_there_twice_is_taken_once() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = pack([("a.md", "1"), ("a.md", "2")])
    assert [item.problem for item in items(open_zip(data))] == [None, "It is there twice."]


def test_a_bomb_is_not_unpacked() -> None:
    bomb = pack({"bomb.md": bytes(15 * MIB)})
    assert len(bomb) < 20_000
    assert problems(bomb) == {"bomb.md": "It would unpack to more than 200 times its size."}
    tracemalloc.start()
    with pytest.raises(BadItem, match="200 times"):
        content_of(open_zip(bomb), 0)
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()


def test_a_thing_that_is_too_large_is_not_unpacked() -> None:
    import os

    large = pack({"large.md": os.urandom(1024) * 17 * 1024})
    assert next(iter(problems(large).values())) is not None


def test_a_zip_that_holds_too_much_altogether_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(30):
            archive.writestr(f"{number}.md", bytes(10 * MIB))
    with pytest.raises(BadArchive, match="would unpack to"):
        open_zip(buffer.getvalue())


def test_a_zip_of_too_many_files_is_refused_before_they_are_listed() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(70_000):
            archive.writestr(str(number), b"")
    data = buffer.getvalue()
    tracemalloc.start()
    with pytest.raises(BadArchive):
        open_zip(data)
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()


def test_a_directory_that_lies_about_its_size_is_believed_by_nobody() -> None:
    data = bytearray(pack({f"{number}.md": "x" for number in range(unpacking.MAX_ENTRIES + 5)}))
    struct.pack_into("<HH", data, len(data) - 14, 1, 1)  # "one entry"
    with pytest.raises(BadArchive):
        open_zip(bytes(data))


def test_a_size_that_is_a_lie_is_found_out() -> None:
    data = bytearray(pack({"a.md": b"a" * 5000}))
    place = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, place + 24, 10)
    with pytest.raises(BadItem):
        content_of(open_zip(bytes(data)), 0)


def test_encrypted_and_oddly_packed_things_are_refused() -> None:
    data = bytearray(pack({"a.md": b"a" * 100}))
    place = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, place + 8, 1)
    assert problems(bytes(data)) == {"a.md": "It is encrypted."}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.md", b"a" * 100)
    assert problems(buffer.getvalue()) == {"a.md": "It is packed in an unusual way."}


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: pack({"a.md": "hello"})[:-22] + tail))
def test_any_bytes_are_a_zip_or_refused(data: bytes) -> None:
    try:
        archive = open_zip(data)
    except BadArchive:
        return
    for item in items(archive):
        try:
            content_of(archive, item.position)
        except BadItem:
            pass


@given(st.data())
def test_a_flipped_byte_does_no_harm(data: st.DataObject) -> None:
    whole = bytearray(pack({"a.md": "hello hello hello", "b.docx": "x"}))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        archive = open_zip(bytes(whole))
        for item in list(items(archive)):
            content_of(archive, item.position)
    except (BadArchive, BadItem):
        pass


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no zip", "no Word document"),
        (pack({"a.txt": "x"}), "no Word document"),
        (word("&b;", BILLION_LAUGHS), "declares XML entities"),
        (word("x", "<!DOCTYPE w SYSTEM 'file:///etc/passwd'>"), "declares XML entities"),
        (word("&b;", BILLION_LAUGHS, encoding="utf-16"), "declares XML entities"),
        (word("x", more={"word/media/bomb.png": bytes(15 * MIB)}), "200 times"),
        (word("x", more={"../evil.xml": b"x"}), "leads out"),
    ],
)
def test_word_documents_with_traps_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadItem, match=reason):
        check_word(data)


def test_a_good_word_document_passes() -> None:
    check_word(word("fine"))


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("a.MD", "", Kind.MARKDOWN),
        ("a.docx", "application/zip", Kind.DOCX),
        ("", "text/html; charset=utf-8", Kind.HTML),
        ("", "application/zip", Kind.ZIP),
        ("a.exe", "application/octet-stream", None),
    ],
)
def test_kinds_are_told_by_name_and_media_type(name: str, media_type: str, kind: Kind | None) -> None:
    assert kind_of(name, media_type) is kind
