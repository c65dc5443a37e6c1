"""Zips, good and bad."""

import io
import zipfile

WORD = "word/document.xml"
PARAGRAPH = (
    '<?xml version="1.0"?>{extra}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
)
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
    ' Target="word/document.xml"/></Relationships>'
)


def pack(files: dict[str, bytes | str] | list[tuple[str, bytes | str]]) -> bytes:
    """A zip of files by their names."""
    buffer = io.BytesIO()
    pairs = files.items() if isinstance(files, dict) else files
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in pairs:
            archive.writestr(zipfile.ZipInfo(name) if name.startswith("/") else name, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def word(text: str, extra: str = "", encoding: str = "utf-8", more: dict[str, bytes] | None = None) -> bytes:
    """A Word document of one paragraph."""
    document = PARAGRAPH.format(text=text, extra=extra).encode(encoding)
    return pack({"[Content_Types].xml": TYPES, "_rels/.rels": RELATIONS, WORD: document, **(more or {})})
