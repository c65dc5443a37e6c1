"""zstd with a limit on what comes out."""

import io

import zstandard

LEVEL = 9


class DecompressionError(ValueError):
    """The bytes are not a zstd frame, or would grow past the limit."""


def compress(data: bytes, level: int = LEVEL) -> bytes:
    """One zstd frame that states its content size and carries a checksum."""
    return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(data)


def decompress(frame: bytes, *, limit: int) -> bytes:
    """The content of a frame, at most `limit` bytes.

    `max_output_size` of the library is ignored where a frame states its size, so the frame is read
    as a stream and counted.
    """
    try:
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(frame)) as reader:
            data = reader.read(limit + 1)
    except zstandard.ZstdError as error:
        raise DecompressionError(f"not a valid zstd frame: {error}") from error
    if len(data) > limit:
        raise DecompressionError(f"the content is larger than {limit} bytes")
    return data
