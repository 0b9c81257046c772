"""``exwire serve``: the exchange in a box, for any client."""

from __future__ import annotations

import json
import signal
import socket
from urllib.parse import urlsplit

from websockets.sync.client import connect

from cli.harness import Command, Start


def test_the_first_line_says_where_and_ctrl_c_is_the_usual_end(start: Start) -> None:
    """Whoever starts it reads one line and connects; REST and WebSocket are on one port of this machine."""
    process = start("serve", "gateio")
    assert process.stdout is not None

    where = json.loads(process.stdout.readline())
    with connect(where["ws"]["spot"], compression=None) as client:
        client.send('{"time": 1763900000, "channel": "spot.ping"}')
        pong = json.loads(client.recv(timeout=10))
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=20)

    assert list(where) == ["venue", "rest", "ws"]
    assert where["venue"] == "gateio"
    assert urlsplit(where["rest"]).hostname == "127.0.0.1"
    assert urlsplit(where["rest"]).netloc == urlsplit(where["ws"]["spot"]).netloc
    assert pong["channel"] == "spot.pong"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_port_in_use_is_one_line(exwire: Command) -> None:
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = exwire("serve", "gateio", "--port", str(port))

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"exwire: cannot listen on 127.0.0.1:{port}: ")
    assert result.stderr.endswith("another --port may be free\n")
