"""A WebSocket peer in a process of its own that plays a tape: asked to, it sends all the tape's frames, encoded beforehand.

``python tape_peer.py`` reads the encoded tape from standard input until its end, prints its port, serves until it is terminated.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["GO", "playing"]

GO: Final = b"go"
"""What asks for the tape; other messages are ignored."""

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT: Final = 0x81
_CLOSE: Final = 0x8


@contextmanager
def playing(frames: Iterable[bytes]) -> Iterator[str]:
    """Run the peer with a tape of text messages; yield its URL."""
    with subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        try:
            peer.stdin.write(b"".join(map(_encoded, frames)))
            peer.stdin.close()
            yield f"ws://127.0.0.1:{int(peer.stdout.readline())}/"
        finally:
            peer.kill()


def _encoded(message: bytes) -> bytes:
    """Return a message as a server sends it: one unmasked text frame (RFC 6455, 5.2)."""
    size = len(message)
    if size < 126:
        return bytes([_TEXT, size]) + message
    if size < 1 << 16:
        return bytes([_TEXT, 126]) + size.to_bytes(2, "big") + message
    return bytes([_TEXT, 127]) + size.to_bytes(8, "big") + message


def _serve(tape: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            client, _ = server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_play, args=(client, tape), daemon=True).start()


def _play(client: socket.socket, tape: bytes) -> None:
    with client, client.makefile("rb") as stream:
        key = b""
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        client.sendall(b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        try:
            while head := stream.read(2):
                size = head[1] & 0x7F  # clients of a benchmark say little: 125 bytes at most
                mask, masked = stream.read(4), stream.read(size)
                message = bytes(byte ^ mask[place & 3] for place, byte in enumerate(masked))
                if head[0] & 0xF == _CLOSE:
                    client.sendall(bytes([0x80 | _CLOSE, size]) + message)
                    return
                if message == GO:
                    client.sendall(tape)
        except OSError:
            return  # the client has left


if __name__ == "__main__":
    _serve(sys.stdin.buffer.read())
