"""What the server gives and what it refuses, without a browser."""

import base64
import contextlib
import io
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx
import pytest
import soundfile
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from served import OddPipeline, serving

from mmgan.errors import MmganError
from mmgan.sampling.pipeline import sample_seeds
from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags

ROOT = Path(app.__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def decode(uri, kind):
    head, data = uri.split(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(data))


def test_api_gives_pictures_and_sounds(client):
    answers = client.predict("a handwritten seven", 2, 5, api_name="/sample")
    assert [answer["seed"] for answer in answers] == sample_seeds(5, 2)
    for answer in answers:
        assert Image.open(decode(answer["image"], "image/png")).size == (28, 28)
        waveform, rate = soundfile.read(decode(answer["audio"], "audio/wav"))
        assert rate == answer["sampling_rate"] == 16_000 and len(waveform) == 16_384
        assert answer["prompt"] == "a handwritten seven" and answer["model"] == "digits"


def test_api_has_defaults(client):
    assert len(client.predict("a thick zero", api_name="/sample")) == 4


@pytest.mark.parametrize(
    "settings, part",
    [
        ({"prompt": ""}, "Type a sentence"),
        ({"prompt": "a", "num_samples": 17}, "1 to 16"),
        ({"prompt": "a", "num_samples": 0}, "1 to 16"),
        ({"prompt": "a", "model": "/etc"}, "choose one of digits, shapes"),
        ({"prompt": "a", "model": "somebody/something"}, "choose one of digits, shapes"),
    ],
)
def test_api_errors_are_one_sentence(client, settings, part):
    with pytest.raises(AppError, match=part):
        client.predict(**settings, api_name="/sample")


def test_mcp_tools_say_what_they_take_and_give_samples(url):
    mcp = pytest.importorskip("mcp", reason="the package mcp is absent; install it with pip install -e '.[mcp]'")
    from mcp.client.streamable_http import streamable_http_client

    async def ask():
        async with (
            streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, _),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            return (
                (await session.list_tools()).tools,
                await session.call_tool("sample", {"prompt": "a handwritten seven", "num_samples": 1}),
                await session.call_tool("sample", {"prompt": ""}),
            )

    with ThreadPoolExecutor(1) as apart:  # the browser's driver has an event loop in this thread
        tools, answer, refused = apart.submit(anyio.run, ask).result()
    assert {"sample", "morph", "walk", "models", "runs", "start_run", "stop_run"} <= {tool.name for tool in tools}
    for tool in tools:
        assert tool.description
        assert all(value["description"] for value in tool.inputSchema["properties"].values()), tool.name
    assert not answer.isError and "data:audio/wav;base64," in answer.content[0].text
    assert refused.isError and refused.content[0].text.startswith("Type a sentence")


def test_api_offers_nothing_else(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    of_runs = {name for name in endpoints if name.endswith(("run", "runs"))}
    assert set(endpoints) - of_runs == {"/sample", "/morph", "/walk", "/models"}


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../../../../etc/passwd", "app.py", "pyproject.toml", "README.md", "mmgan/cli.py",
        "assets/page/page.css",
        str(ROOT / "app.py"), str(ROOT / "assets" / "page" / "logo.svg"),
        str(ROOT / "pretrained" / "digits" / "config.json"), str(ROOT / "pretrained"),
        str(Path.home()), "/proc/self/environ", "file:///etc/passwd",
    ],
)  # fmt: skip
@pytest.mark.parametrize("route", ["/gradio_api/file=", "/file=", "/gradio_api/file/"])
def test_no_file_is_served(url, route, path):
    assert httpx.get(url + route + path).status_code in (403, 404)


def test_a_file_beside_the_page_is_not_served(url, tmp_path):
    (tmp_path / "mine.txt").write_text("secret")
    answer = httpx.get(f"{url}/gradio_api/file={tmp_path / 'mine.txt'}")
    assert answer.status_code == 403 and "secret" not in answer.text


@pytest.mark.parametrize("path", ["/gradio_api/file=http://example.org/", "/gradio_api/proxy=https://x.hf.space/file"])
def test_nothing_is_fetched_for_others(url, path):
    assert httpx.get(url + path).status_code == 403


def test_gradio_takes_no_uploads(url):
    """The page has uploads of its own, which leave room on the disk."""
    for size in (1, 3 << 20):
        answer = httpx.post(f"{url}/gradio_api/upload", files={"files": ("big.bin", bytes(size))})
        assert answer.status_code == 403


def test_what_programs_were_given_is_forgotten(monkeypatch):
    monkeypatch.setattr(app, "SESSIONS", 3)
    with serving(Flags()) as address:
        for seed in range(6):
            call = httpx.post(f"{address}/gradio_api/call/sample", json={"data": ["a zero", 1, seed, 1.0, ""]})
            assert "complete" in httpx.get(f"{address}/gradio_api/call/sample/{call.json()['event_id']}").text
        assert 0 < len(address.demo.app.state_holder.session_data) <= 4


@contextlib.contextmanager
def listening():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_no_statistics_are_worked_out_at_each_request():
    queue = app.build(Sampler(load=OddPipeline), Flags())._queue
    queue.events_recorded = 10_000
    asked = [{"function": "sample", "status": "success", "process_time": 0.1}]
    assert queue.compute_analytics_summary(asked) == {"functions": {}} and queue.ANALYTICS_MAX_EVENTS == 100


def test_a_port_in_use_is_one_sentence_with_a_free_one():
    with listening() as port:
        done = subprocess.run(
            [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 2 and "Traceback" not in done.stderr
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("mmgan: ")]
        assert f"Port {port} is in use" in line
        app.check_port("127.0.0.1", int(line.rstrip(".").split()[-1]))


@pytest.mark.parametrize("host, port, part", [("203.0.113.7", 7860, "no address"), ("127.0.0.1", 70_000, "to 65535")])
def test_other_addresses_that_cannot_be_had(host, port, part):
    with pytest.raises(MmganError, match=part):
        app.check_port(host, port)
