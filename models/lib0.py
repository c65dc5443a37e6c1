"""The variable-length integers, strings and byte arrays that every Yjs protocol is made of (pure).

Everything here reads hostile bytes: a bound that does not hold raises ProtocolError, and no length that a peer
states is ever used to allocate.
"""

MAX_SAFE_INTEGER = 2**53 - 1  # what a JavaScript reader can hold: a bigger number makes it throw


class ProtocolError(ValueError):
    """These bytes are not a message of the protocol."""


def read_varuint(data: bytes, pos: int) -> tuple[int, int]:
    """The unsigned integer at `pos`, and where the next field begins."""
    try:
        byte = data[pos]
        pos += 1
        if byte < 0x80:
            return byte, pos
        number = byte & 0x7F
        shift = 7
        while True:
            byte = data[pos]
            pos += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 49:
                raise ProtocolError("integer out of range")
    except IndexError:
        raise ProtocolError("message ends inside an integer") from None
    if number > MAX_SAFE_INTEGER:
        raise ProtocolError("integer out of range")
    return number, pos


def read_bytes(data: bytes, pos: int) -> tuple[bytes, int]:
    """The length-prefixed bytes at `pos`, and where the next field begins."""
    length, pos = read_varuint(data, pos)
    end = pos + length
    if end > len(data):
        raise ProtocolError("message ends inside a byte array")
    return data[pos:end], end


def read_string(data: bytes, pos: int) -> tuple[str, int]:
    """The length-prefixed UTF-8 text at `pos`, and where the next field begins."""
    raw, pos = read_bytes(data, pos)
    try:
        return raw.decode(), pos
    except UnicodeDecodeError:
        raise ProtocolError("text is not UTF-8") from None


def varuint(number: int) -> bytes:
    """`number` as a variable-length unsigned integer."""
    if number < 0x80:
        return _SMALL[number]
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def varbytes(data: bytes) -> bytes:
    """`data` with its length in front."""
    return varuint(len(data)) + data


def varstring(text: str) -> bytes:
    """`text` as UTF-8 with its length in bytes in front."""
    return varbytes(text.encode())


_SMALL = [bytes((number,)) for number in range(0x80)]
