"""Connections that stop halfway: ended after a while, and nothing else is."""

import socket
import time

import httpx
import pytest
from served import serving

from mmgan.ui.server import stalled
from mmgan.ui.server.flags import Flags


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A page that waits a quarter of a second for what it waits a minute for."""
    patch = pytest.MonkeyPatch()
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "LOOK_SECONDS"):
        patch.setattr(stalled, name, 0.25)
    with serving(Flags(runs=tmp_path_factory.mktemp("stalled") / "runs")) as address:
        yield address
    patch.undo()


def sent(address: str, data: bytes) -> bytes:
    """What comes back until the server ends the connection, which it does."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return answer


@pytest.mark.parametrize("data", [b"", b"G", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-A"])
def test_a_head_that_does_not_end(quick, data):
    assert sent(quick, data) == b""


@pytest.mark.parametrize("path", ["/collect/projects", "/collect/finetune", "/gradio_api/run/sample", "/login"])
def test_a_body_that_does_not_come(quick, path):
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {quick[7:]}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
    )
    answer = sent(quick, head.encode())
    assert answer == b"" or answer.split()[1][:1] == b"4"


def test_who_goes_on_asking_is_not_ended(quick):
    with httpx.Client() as client:
        until = time.monotonic() + 4 * stalled.HEAD_SECONDS
        while time.monotonic() < until:
            assert client.get(f"{quick}/collect/projects").status_code == 200
