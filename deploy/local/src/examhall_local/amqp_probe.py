"""Asks a RabbitMQ node, in its own protocol, whether it lets a user in: the sure sign that it is ready."""

import socket
import struct
from urllib.parse import unquote, urlsplit

_START, _TUNE, _OPEN_OK, _CLOSE_OK = (10, 10), (10, 30), (10, 41), (10, 51)


def answers(url: str, timeout: float = 3.0) -> bool:
    """Whether a connection with this URL's user, password and virtual host opens within `timeout` seconds."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or "guest"), unquote(parts.password or "guest")
    vhost = unquote(parts.path[1:]) or "/"
    try:
        with socket.create_connection((parts.hostname, parts.port or 5672), timeout) as peer:
            peer.sendall(b"AMQP\0\0\x09\x01")
            _expect(peer, _START)
            login = struct.pack(">I", 0) + _short("PLAIN") + _long(f"\0{user}\0{password}") + _short("en_US")
            _send(peer, (10, 11), login)
            _send(peer, (10, 31), _expect(peer, _TUNE))
            _send(peer, (10, 40), _short(vhost) + _short("") + b"\0")
            _expect(peer, _OPEN_OK)
            _send(peer, (10, 50), struct.pack(">H", 200) + _short("") + struct.pack(">HH", 0, 0))
            _expect(peer, _CLOSE_OK)
    except (OSError, ValueError):
        return False
    return True


def _short(text: str) -> bytes:
    return bytes([len(text.encode())]) + text.encode()


def _long(text: str) -> bytes:
    return struct.pack(">I", len(text.encode())) + text.encode()


def _send(peer: socket.socket, method: tuple[int, int], arguments: bytes) -> None:
    payload = struct.pack(">HH", *method) + arguments
    peer.sendall(struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce")


def _expect(peer: socket.socket, method: tuple[int, int]) -> bytes:
    """The arguments of the next frame, which must hold this method."""
    size = struct.unpack(">BHI", _exactly(peer, 7))[2]
    payload = _exactly(peer, size + 1)[:-1]
    if struct.unpack(">HH", payload[:4]) != method:
        raise ValueError(f"expected {method}, got {payload[:4]!r}")
    return payload[4:]


def _exactly(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data
