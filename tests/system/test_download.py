"""fetch against a server of our own that can cut the line, lie and refuse."""

import errno
import hashlib
import http.server
import re
import socket
import threading

import pytest

from mmgan.errors import DataError
from mmgan.system import download
from mmgan.system.download import DownloadError, fetch

CONTENT = bytes(range(256)) * 2_000  # 512,000 bytes
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        if self.path == "/gone":
            return self.send_error(404)
        if self.path == "/failing":
            return self.send_error(503)
        start = 0
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and self.path != "/rangeless":
            start = int(wanted[1])
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        give = len(CONTENT) - start
        if server.cuts and self.path == "/cut":
            give = server.cuts.pop(0)
        self.wfile.write(CONTENT[start : start + give])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "RETRY_SECONDS", 0.0)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.cuts = [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_whole_file_with_checksums(server, tmp_path):
    target = fetch(
        f"{server.url}/file", tmp_path / "new" / "file.bin", sha256=SHA256.upper(), md5=MD5, size=len(CONTENT)
    )
    assert target.read_bytes() == CONTENT
    assert not list(target.parent.glob("*.part"))


def test_file_that_is_there_is_not_asked_for(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(b"mine")
    assert fetch(f"{server.url}/file", tmp_path / "file.bin").read_bytes() == b"mine"
    assert server.asked == []


def test_dropped_connections_are_taken_up_where_they_broke(server, tmp_path):
    server.cuts = [100_000, 50_000, 0, 1]
    target = fetch(f"{server.url}/cut", tmp_path / "file.bin", sha256=SHA256)
    assert target.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [
        None, "bytes=100000-", "bytes=150000-", "bytes=150000-", "bytes=150001-",
    ]  # fmt: skip


def test_a_server_that_brings_nothing_is_given_up_and_the_part_is_kept(server, tmp_path):
    server.cuts = [100_000] + [0] * download.FRUITLESS_TRIES
    with pytest.raises(DownloadError, match="what has arrived is kept"):
        fetch(f"{server.url}/cut", tmp_path / "file.bin", sha256=SHA256)
    assert not (tmp_path / "file.bin").exists()
    assert (tmp_path / "file.bin.part").stat().st_size == 100_000
    assert fetch(f"{server.url}/cut", tmp_path / "file.bin", sha256=SHA256).read_bytes() == CONTENT  # a later call
    assert server.asked[-1] == ("/cut", "bytes=100000-")


def test_server_without_ranges_starts_again(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1_000])
    assert fetch(f"{server.url}/rangeless", tmp_path / "file.bin", sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_complete_part_only_needs_its_name(server, tmp_path, size):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    assert fetch(f"{server.url}/file", tmp_path / "file.bin", sha256=SHA256, size=size).read_bytes() == CONTENT


def test_part_of_another_file_is_thrown_away(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT + b"more")
    assert fetch(f"{server.url}/file", tmp_path / "file.bin", sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"md5": "0" * 32}, {"size": 7}, {"size": 10**9}])
def test_wrong_content_is_not_kept(server, tmp_path, wrong):
    with pytest.raises(DownloadError, match="damaged or changed"):
        fetch(f"{server.url}/file", tmp_path / "file.bin", **wrong)
    assert not (tmp_path / "file.bin").exists() and not (tmp_path / "file.bin.part").exists()


def test_missing_file(server, tmp_path):
    with pytest.raises(DownloadError, match=r"has no file\.bin any more; update mmgan"):
        fetch(f"{server.url}/gone", tmp_path / "file.bin")


def test_failing_server_is_asked_a_few_times(server, tmp_path):
    with pytest.raises(DownloadError, match="keeps breaking off"):
        fetch(f"{server.url}/failing", tmp_path / "file.bin")
    assert len(server.asked) == download.FRUITLESS_TRIES


def test_next_mirror_continues(server, tmp_path):
    server.cuts = [100_000] + [0] * download.FRUITLESS_TRIES
    target = fetch([f"{server.url}/gone", f"{server.url}/cut", f"{server.url}/file"], tmp_path / "file.bin", md5=MD5)
    assert target.read_bytes() == CONTENT
    assert server.asked[-1] == ("/file", "bytes=100000-")


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with pytest.raises(DownloadError, match="cannot be reached; check the connection") as caught:
            fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/file", tmp_path / "file.bin")
    assert str(caught.value).count(".") == str(caught.value).count("127.0.0.1") * 3 + 1  # one sentence


def test_target_folder_that_is_a_file(server, tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        fetch(f"{server.url}/file", tmp_path / "taken" / "file.bin")


def test_full_disk(server, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_receive", full)
    with pytest.raises(DataError, match="The disk is full; make room"):
        fetch(f"{server.url}/file", tmp_path / "file.bin")
