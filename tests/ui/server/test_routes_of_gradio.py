"""Of the installed gradio's routes only what the page needs is open, and nothing fetches what a visitor names."""

import http.client
import json
import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from served import serving

from mmgan.ui.server.flags import Flags
from mmgan.ui.server.gradio_routes import CLOSED, GUARDED, NEEDED, TOOLS
from mmgan.ui.server.throttle import LARGEST

LISTED = (*NEEDED, *GUARDED, *CLOSED)
FOREIGN = "http://foreign.example/secret"
FILE = {"path": FOREIGN, "url": FOREIGN, "meta": {"_type": "gradio.FileData"}}
# Not there in every installation: MCP is an extra, profiling is switched on; and one is ours.
OPTIONAL = re.compile(rf"\w+ ({TOOLS}.*|/gradio_api/profiling/.*)|POST /logout")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with serving(Flags(runs=tmp_path_factory.mktemp("routes") / "runs", auth=None)) as address:
        yield address


def routes(of, before=""):
    """(path, methods) of every route, those of included routers and mounted applications too."""
    for route in of:
        path = before + (getattr(route, "path", "") or "")
        inner = getattr(route, "original_router", route)  # fastapi keeps an included router as one route
        if getattr(inner, "routes", None):
            yield from routes(inner.routes, path)
        else:
            yield path, getattr(route, "methods", None) or set()


def installed(app):
    for path, methods in routes(app.routes):
        for method in methods - {"HEAD"} if "GET" in methods else methods:
            yield f"{method} {path}"
        if not methods:  # something mounted, which takes any
            yield from [route for route in LISTED if route.split(" ", 1)[1] == path] or [f"ANY {path}"]


def test_every_route_is_on_one_list(page):
    assert len(LISTED) == len(set(LISTED))
    unknown = set(installed(page.demo.app)) - set(LISTED)
    assert not unknown, f"this gradio has routes that nobody judged; put them on a list of gradio_routes.py: {unknown}"


def test_no_list_names_a_route_that_is_gone(page):
    gone = {route for route in LISTED if not OPTIONAL.fullmatch(route)} - set(installed(page.demo.app))
    assert not gone


@pytest.mark.parametrize("route", CLOSED)
def test_what_is_closed_is_closed(page, route):
    method, path = route.split(" ", 1)
    answer = httpx.request(method, page + re.sub(r"\{[^}]*\}", "1", path), headers={"accept-language": "zh-CN"})
    assert answer.status_code == 403 and (method == "HEAD" or answer.text == "mmgan 用不到这个地址，因此它是关闭的。")


def test_a_route_that_a_later_gradio_adds_is_closed(page):
    page.demo.app.get("/gradio_api/fetch")(lambda: "here")
    page.demo.app.router.routes.insert(0, page.demo.app.router.routes.pop())
    assert httpx.get(f"{page}/gradio_api/fetch").status_code == 404
    page.demo.app.router.routes.pop(0)


@pytest.fixture
def asked(monkeypatch):
    """The hosts that anything in this process looks up or connects to, besides this machine."""
    names = []
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def resolving(host, *rest, **options):
        if host in ("127.0.0.1", "localhost", "::1", b"127.0.0.1", b"localhost"):
            return resolve(host, *rest, **options)
        names.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    def connecting(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1"):
            names.append(address)
            raise OSError("no network")
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", resolving)
    monkeypatch.setattr(socket.socket, "connect", connecting)
    yield names
    assert names == []


PATHS = [
    f"/gradio_api/{route}{address}"
    for route in ("file=", "file/", "proxy=", "%66ile=", "file%3D", "/file=", "./file=", "x/../file=", "FILE=")
    for address in (
        FOREIGN, "https://foreign.example/", "%68ttp://foreign.example/secret", "HtTp://foreign.example/secret",
        "//foreign.example/secret", "http:%2f%2fforeign.example", "%5C%5Cforeign.example%5Cshare", "ftp://foreign.example",
        "http:/foreign.example", "https://foreign.hf.space/file", "http%3A//foreign.example",
    )
]  # fmt: skip


def raw(page, target, method="GET", headers=()):
    """The status of an answer to a target that no client tidies up first."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(page).port, timeout=20)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_no_address_in_a_path_is_fetched(page, asked):
    answers = {target: raw(page, target, method) for method in ("GET", "HEAD") for target in PATHS}
    answers |= {target: raw(page, target) for target in (FOREIGN, f"/?__theme=dark&url={FOREIGN}x", f"/file={FOREIGN}")}
    assert {target: status for target, status in answers.items() if status not in (400, 403, 404)} == {
        f"/?__theme=dark&url={FOREIGN}x": 200
    }


def question(path, file):
    """A body with a file somewhere in it, as each route takes one."""
    if path.startswith(TOOLS):
        arguments = {"prompt": file, "num_samples": 1}
        return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sample", "arguments": arguments}}
    if "v2" in path:
        return {"prompt": file}
    return {"data": [file, 1, 0, 1.0, ""], "fn_index": 0, "session_hash": "s"}


QUESTIONS = [route.split(" ", 1)[1] for route in GUARDED if route.startswith("POST /gradio_api/")]
FILES = [
    FILE, [[{"deep": FILE}]], {**FILE, "url": None}, {**FILE, "path": "/etc/hostname"}, {**FILE, "path": "//a.example"},
    {**FILE, "is_stream": True}, {"value": FILE, "__type__": "update"}, {"path": "x", "url": FOREIGN, "meta": None},
]  # fmt: skip


@pytest.mark.parametrize("path", QUESTIONS)
def test_no_file_in_a_question_is_fetched(page, asked, path):
    address = page + path.replace("{api_name}", "sample")
    headers = {"accept": "application/json, text/event-stream"}
    for file in FILES:
        answer = httpx.post(address, json=question(path, file), headers=headers)
        assert answer.status_code == 400 and answer.text.startswith("Files are not sent in a question")
    as_text = httpx.post(address, json=question(path, json.dumps(FILE)), headers=headers)
    if "queue/join" in path or "/call/" in path:  # the prompt that it is, and no more than that
        assert as_text.status_code in (200, 400, 422)


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_question_is_json_and_short(page, path):
    address = page + path.replace("{api_name}", "sample")
    assert httpx.post(address, data={"data": "[]"}).status_code == 415
    assert httpx.post(address, files={"data": b"x"}, headers={"accept-language": "zh"}).text.startswith(
        "请以 JSON 发送"
    )
    assert httpx.post(address, content="{}", headers={"content-type": "text/plain"}).status_code == 415
    json_type = {"content-type": "application/json; charset=utf-8"}
    for broken in (b"{", b"[" * 100_000, b"\xff"):
        assert httpx.post(address, content=broken, headers=json_type).status_code == 400
    answer = httpx.post(address, json={"data": ["x" * LARGEST]})
    assert (
        answer.status_code == 413 and answer.text == "The question is too large; at most 1 MiB are read, so send less."
    )
