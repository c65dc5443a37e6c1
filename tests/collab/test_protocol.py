"""The wire format: byte for byte what the npm packages write, and nothing but ProtocolError for anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab import protocol
from collab.protocol import ProtocolError, Said, ServerOnly
from models import lib0

UPDATE = bytes.fromhex("0101ac02000401047465787402c3a900")


def test_what_yjs_writes() -> None:
    """Captured from y-protocols 1.0.7 and @hocuspocus/server 4.8.0."""
    assert protocol.step1(bytes.fromhex("01ac0201")).hex() == "00000401ac0201"
    assert protocol.update(UPDATE).hex() == "0002100101ac02000401047465787402c3a900"
    assert protocol.step2(UPDATE).hex() == "0001100101ac02000401047465787402c3a900"
    session = lib0.varstring("d\0s")
    assert (session + protocol.authenticated(may_write=True)).hex() == "0364007302020a726561642d7772697465"
    assert (session + protocol.authenticated(may_write=False)).hex() == "03640073020208726561646f6e6c79"
    assert (lib0.varstring("dé") + protocol.denied("nö")).hex() == "0364c3a90201036ec3b6"
    assert (lib0.varstring("d") + protocol.sync_status(saved=True)).hex() == "01640801"
    assert (lib0.varstring("d") + protocol.sync_status(saved=False)).hex() == "01640800"
    numbers = [0, 127, 128, 300, 2**32, lib0.MAX_SAFE_INTEGER]
    assert b"".join(map(lib0.varuint, numbers)).hex() == "007f8001ac028080808010ffffffffffffff0f"


def test_what_clients_say() -> None:
    token = bytes.fromhex("0564c3a9007302000474c3b66b05342e382e30")
    address, document, pos = protocol.read_address(token)
    assert (address, document) == (lib0.varstring("dé\0s"), "dé")
    assert protocol.read(token, pos) == (Said.TOKEN, "tök".encode())
    assert protocol.read(bytes.fromhex("00000401ac0201")) == (Said.STEP1, bytes.fromhex("01ac0201"))
    assert protocol.read(protocol.step2(UPDATE)) == (Said.STEP2, UPDATE)
    assert protocol.read(protocol.update(UPDATE)) == (Said.UPDATE, UPDATE)
    assert protocol.read(b"\x01\x01\x00") == (Said.AWARENESS, b"\x00")
    assert protocol.read(b"\x03") == (Said.QUERY_AWARENESS, b"")
    assert protocol.read(b"\x07") == (Said.LEAVE, b"")
    assert protocol.read(b"\x05\x02hi") == (Said.STATELESS, b"")


@pytest.mark.parametrize(
    "message", [b"\x04\x00\x01\x00", b"\x06\x01a", b"\x08\x01", b"\x09", b"\x02\x02\x0aread-write"]
)
def test_what_only_servers_may_say(message: bytes) -> None:
    with pytest.raises(ServerOnly):
        protocol.read(message)


@pytest.mark.parametrize(
    "message", [b"", b"\x00", b"\x00\x02", b"\x00\x02\x05abc", b"\x00\x03\x00", b"\x80", b"\xff" * 12]
)
def test_what_nobody_says(message: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.read(message)


@given(st.integers(0, lib0.MAX_SAFE_INTEGER))
def test_integers_come_back(number: int) -> None:
    assert lib0.read_varuint(b"x" + lib0.varuint(number) + b"y", 1) == (number, 1 + len(lib0.varuint(number)))


@given(st.integers(lib0.MAX_SAFE_INTEGER + 1, 2**80))
def test_integers_that_javascript_cannot_hold_are_refused(number: int) -> None:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    with pytest.raises(ProtocolError):
        lib0.read_varuint(bytes([*encoded, number]), 0)


@given(st.text(), st.binary(), st.integers(0, 5))
def test_strings_and_bytes_come_back(text: str, data: bytes, cut: int) -> None:
    encoded = lib0.varstring(text) + lib0.varbytes(data)
    first, pos = lib0.read_string(encoded, 0)
    second, end = lib0.read_bytes(encoded, pos)
    assert (first, second, end) == (text, data, len(encoded))
    if cut:
        with pytest.raises(ProtocolError):
            shorter = encoded[: max(0, len(encoded) - cut)]
            lib0.read_bytes(shorter, lib0.read_string(shorter, 0)[1])


@given(st.binary(max_size=400) | st.binary(max_size=20).map(lambda tail: b"\x00\x02" + tail))
def test_no_bytes_do_anything_else(message: bytes) -> None:
    for parse in (protocol.read, protocol.read_address):
        try:
            parse(message)
        except ProtocolError:
            pass


def test_an_address_has_a_bound() -> None:
    name = "d" * (protocol.MAX_ADDRESS - 2)  # and two bytes of length
    assert protocol.read_address(lib0.varstring(name) + b"rest")[1:] == (name, protocol.MAX_ADDRESS)
    with pytest.raises(ProtocolError):
        protocol.read_address(lib0.varstring(name + "d") + b"rest")


@given(st.binary(max_size=200), st.sampled_from([0, 1, 125, 126, 127, 65535, 65536]))
def test_frames_state_their_length(address: bytes, size: int) -> None:
    body = bytes(max(0, size - len(address)))
    frame = protocol.frame(address, body)
    length, start = frame[1], 2
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(frame[2:start])
    assert frame[0] == 0x82
    assert frame[start:] == address + body
    assert protocol.step2_frame(address, body) == protocol.frame(address, protocol.step2(body))
    assert length == len(address) + len(body)
