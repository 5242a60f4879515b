"""Who calls, by which name, and from whose page."""

import os
import socket

import httpx
import pytest
from served import serving
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mmgan.ui.server.door import FORWARDING, Door
from mmgan.ui.server.flags import Flags

HERE, THERE, PROXY = "127.0.0.1", "10.0.0.7", "10.0.0.1"
OTHER_PAGES = ("http://evil.example", "http://localhost:3000", "http://127.0.0.1", "null", "evil", "http://[", "")


async def inside(scope, receive, send):
    """Answers with what a request looks like behind the door."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        return
    headers = Headers(scope=scope)
    seen = {"client": scope["client"][0], "scheme": scope["scheme"], "path": scope["path"], "host": headers["host"]}
    left = [name for name in headers if FORWARDING.fullmatch(name) or name == "origin"]
    await JSONResponse(seen | {"left": left})(scope, receive, send)


def door(peer=HERE, shared=None, root_path="", **flags):
    app = Door(inside, Flags(**flags), lambda: shared)
    return TestClient(app, base_url="http://127.0.0.1:7860", client=(peer, 50_000), root_path=root_path)


def websocket(client, host="127.0.0.1:7860", **headers):
    return client.websocket_connect(f"ws://{host}/", headers={"host": host, **headers})


def said(**headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}


# Who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        said(x_forwarded_for="203.0.113.9"), said(forwarded="for=203.0.113.9"), said(x_real_ip="203.0.113.9"),
        said(via="1.1 proxy"), said(x_forwarded_proto="https"), said(x_forwarded_host="127.0.0.1"),
        said(x_forwarded_for="127.0.0.1"), said(cf_connecting_ip="::1"), said(X_Forwarded_Prefix="/mmgan"),
    ],
)  # fmt: skip
def test_whoever_comes_through_a_server_that_nobody_named_is_not_local_and_not_believed(headers):
    answer = door().get("/", headers=headers).json()
    assert answer == {
        "client": "behind 127.0.0.1", "scheme": "http", "path": "/", "host": "127.0.0.1:7860", "left": [],
    }  # fmt: skip
    assert door(THERE, host="0.0.0.0").get("/", headers=headers).json()["client"] == THERE
    assert door(THERE, proxy=(PROXY,)).get("/", headers=headers).json()["client"] == THERE


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "mmgan.school.example:7860"])
def test_whoever_asked_for_another_server_is_not_local(host):
    """It passed the request on without a word, though with the name and port that it was asked by itself."""
    client = door(allow_host=("mmgan.school.example",))
    assert client.get("/", headers={"host": host}).json()["client"] == "behind 127.0.0.1"
    assert client.get("/", headers={"host": "localhost:7860"}).json()["client"] == HERE


def test_without_such_headers_a_caller_is_who_they_are():
    assert door().get("/").json()["client"] == HERE
    assert door("::1").get("/").json()["client"] == "::1"


@pytest.mark.parametrize("proxies", [(PROXY,), ("10.0.0.0/30", "::1"), ("::1", PROXY)])
def test_a_named_proxy_is_believed(proxies):
    flags = {"proxy": proxies, "allow_host": ("mmgan.school.example",)}
    headers = said(x_forwarded_for="203.0.113.9", x_forwarded_proto="https", x_forwarded_host="mmgan.school.example")
    assert door(PROXY, **flags).get("/", headers=headers).json() == {
        "client": "203.0.113.9", "scheme": "https", "path": "/", "host": "mmgan.school.example", "left": [],
    }  # fmt: skip
    # What a caller wrote into the header stands before what the proxy added.
    longer = headers | said(x_forwarded_for="127.0.0.1, 203.0.113.9")
    assert door(PROXY, **flags).get("/", headers=longer).json()["client"] == "203.0.113.9"
    odd = headers | said(x_forwarded_for="secret", x_forwarded_proto="gopher")
    answer = door(PROXY, **flags).get("/", headers=odd).json()
    assert (answer["client"], answer["scheme"]) == ("secret", "http")


@pytest.mark.parametrize(
    "proxies, forwarded, caller",
    [
        ((PROXY,), f"198.51.100.1, {PROXY}", PROXY),  # somebody at the proxy's own machine, who would be another
        ((PROXY, "10.0.0.2"), "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ((PROXY, "10.0.0.2"), "198.51.100.1, 10.0.0.2, 10.0.0.2", "10.0.0.2"),
        (("10.0.0.0/8",), "203.0.113.9, 10.1.1.1, 10.2.2.2", "203.0.113.9"),
        (("10.0.0.0/8",), "203.0.113.9:4711", "203.0.113.9"), (("10.0.0.0/8",), "[2001:db8::9]:4711", "2001:db8::9"),
        (("10.0.0.0/8",), "2001:db8:0::9", "2001:db8::9"), ((PROXY,), "", PROXY), ((PROXY,), " , ", PROXY),
    ],
)  # fmt: skip
def test_the_caller_is_the_nearest_that_is_no_named_proxy(proxies, forwarded, caller):
    answer = door(PROXY, proxy=proxies).get("/", headers=said(x_forwarded_for=forwarded))
    assert answer.json()["client"] == caller


def test_behind_a_proxy_nobody_is_local():
    assert Flags(proxy=(HERE,)).public


def test_root_path_is_taken_off_once_whether_the_proxy_does_it_or_not():
    for path in ("/collect/projects", "/mmgan/collect/projects"):
        assert door(root_path="/mmgan").get(path).json()["path"] == "/collect/projects"
    assert door(root_path="/mmgan").get("/mmganx/").json()["path"] == "/mmganx/"
    assert door(root_path="/mmgan").get("/mmgan").json()["path"] == "/"


# By which name ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flags, answered, refused",
    [
        (
            {},
            ("127.0.0.1:7860", "localhost", "LOCALHOST:1", "[::1]:7860", "127.0.0.1.", "127.8.0.1"),
            ("evil.example", "evil.example:7860", "192.168.1.5", "localhost.evil.example", "[2001:db8::1]", "0.0.0.0"),
        ),
        (
            {"allow_host": ("mmgan.school.example",)},
            ("mmgan.school.example", "MMGAN.school.example:80", "localhost"),
            ("school.example", "x.mmgan.school.example"),
        ),
        (
            {"host": "0.0.0.0"},
            ("192.168.1.5:7860", "[2001:db8::1]", "localhost", socket.gethostname(), f"{socket.gethostname()}.local"),
            ("evil.example", "192.168.1.5.evil.example"),
        ),
        ({"host": "studio"}, ("studio", "10.1.2.3"), ("evil.example",)),
        ({"proxy": (HERE,)}, ("10.1.2.3", "localhost"), ("evil.example",)),
        (
            {"share": True, "shared": "https://abc123.gradio.live"},
            ("abc123.gradio.live", "localhost"),
            ("other.gradio.live", "192.168.1.5"),
        ),
        ({"shared": "https://abc123.gradio.live"}, (), ("abc123.gradio.live",)),
    ],
)
def test_only_names_of_this_server_are_answered(flags, answered, refused):
    client = door(**flags)
    for host in answered:
        assert client.get("/", headers={"host": host}).status_code == 200, host
        with websocket(client, host):
            pass
    for host in refused:
        answer = client.get("/", headers={"host": host})
        name = host.rsplit(":", 1)[0] if host.endswith(":7860") else host
        assert answer.status_code == 403 and answer.text.endswith(f"start mmgan with --allow-host {name}.")
        with pytest.raises(WebSocketDisconnect), websocket(client, host):
            pass
    assert client.get("/", headers={"host": "evil.example", "accept-language": "zh"}).text.startswith("本页面不接受")


@pytest.mark.parametrize(
    "host", ["", " ", "a b", "x@127.0.0.1", "127.0.0.1:port", "<script>", "127.0.0.1/", "::1", "ü"]
)
def test_a_host_that_is_none(host):
    answer = door().get("/", headers={"host": host.encode()})
    assert answer.status_code == 400 and "not answered" in answer.text


def test_two_hosts_are_none():
    assert door().get("/", headers=[("host", "localhost"), ("host", "evil.example")]).status_code == 400


def test_a_name_that_a_proxy_tells_must_be_one_too():
    client = door(PROXY, proxy=(PROXY,))
    assert client.get("/", headers=said(x_forwarded_host="evil.example")).status_code == 403
    assert client.get("/", headers={"host": "evil.example", "x-forwarded-host": "localhost"}).status_code == 403


def test_a_space_is_reached_by_whatever_name_it_has_and_in_a_frame(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/mmgan")
    client = door("10.16.3.4", host="0.0.0.0")
    headers = said(host="someone-mmgan.hf.space", x_forwarded_for="203.0.113.9", x_forwarded_proto="https")
    answer = client.get("/", headers=headers)
    assert answer.json()["client"] == "203.0.113.9" and answer.json()["scheme"] == "https"
    assert "x-frame-options" not in answer.headers
    assert client.post("/", headers=headers | {"origin": "https://someone-mmgan.hf.space"}).status_code == 200
    assert client.post("/", headers=headers | {"origin": "https://evil.example"}).status_code == 403


def test_over_the_public_link_the_page_is_https():
    client = door(share=True, shared="https://abc123.gradio.live")
    headers = {"host": "abc123.gradio.live", "origin": "https://abc123.gradio.live"}
    assert client.post("/", headers=headers).json()["scheme"] == "https"


# From whose page --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_pages_change_nothing(method):
    client = door()
    for origin in OTHER_PAGES:
        answer = client.request(method, "/", headers={"origin": origin})
        assert answer.status_code == 403 and answer.text.startswith("Another website sent this"), origin
    for site in ("cross-site", "same-site"):
        assert client.request(method, "/", headers={"sec-fetch-site": site}).status_code == 403
    for headers in (
        {"origin": "http://127.0.0.1:7860"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {},
    ):
        assert client.request(method, "/", headers=headers).json()["left"] == []


def test_other_pages_open_no_websocket():
    client = door()
    with websocket(client, origin="http://127.0.0.1:7860"):
        pass
    for origin in OTHER_PAGES:
        with pytest.raises(WebSocketDisconnect), websocket(client, origin=origin):
            pass


def test_the_page_of_a_proxy_is_ours():
    client = door(PROXY, proxy=(PROXY,), allow_host=("school.example",))
    origin = {"origin": "https://school.example"}
    assert client.post("/", headers=origin | said(x_forwarded_host="school.example")).status_code == 200
    assert client.post("/", headers=origin | {"host": "school.example"}).status_code == 200
    # A proxy that was not named, and hides the page's name: whose name it is was said.
    assert door(allow_host=("school.example",)).post("/", headers=origin).status_code == 200
    assert door().post("/", headers=origin).status_code == 403


def test_default_ports_need_not_be_written():
    client = door()
    assert client.post("/", headers={"host": "localhost", "origin": "http://localhost:80"}).status_code == 200
    assert client.post("/", headers={"host": "localhost:443", "origin": "https://localhost"}).status_code == 200


# On a real server -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with serving(Flags(runs=tmp_path_factory.mktemp("door") / "runs")) as address:
        yield address


def call(page, name, data, **headers):
    asked = httpx.post(f"{page}/gradio_api/call/{name}", json={"data": data}, headers=said(**headers))
    return httpx.get(f"{page}/gradio_api/call/{name}/{asked.json()['event_id']}", headers=said(**headers)).text


def test_no_run_is_directed_through_a_server_that_nobody_named(page):
    assert "through another server" in call(page, "delete_run", ["mine", ""], x_forwarded_for="127.0.0.1")
    assert "no run" in call(page, "delete_run", ["mine", ""]).lower()  # asked here it is looked for
    for path in ("models", "publish"):
        answer = httpx.post(f"{page}/collect/{path}", json={}, headers=said(via="1.1 nginx", accept_language="zh"))
        assert answer.status_code == 403 and "经由另一台服务器" in answer.json()["error"]
    for headers, may in ((said(x_forwarded_for="127.0.0.1"), False), ({}, True)):
        assert httpx.get(f"{page}/collect/models", headers=headers).json()["access"]["may"] is may


def test_a_tool_is_called_by_whoever_called_it(page):
    """gradio asks itself on behalf of a tool's caller, from this machine."""
    pytest.importorskip("mcp", reason="the package mcp is absent; install it with pip install -e '.[mcp]'")
    arguments = {"name": "mine", "teacher_code": ""}
    question = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "delete_run", "arguments": arguments},
    }
    headers = {"accept": "application/json, text/event-stream", "accept-language": "en"}
    here = httpx.post(f"{page}/gradio_api/mcp/", json=question, headers=headers, timeout=30).text
    assert "no run" in here.lower()
    for forged in ({}, {"x-mmgan-caller": "x 127.0.0.1"}):
        asked = headers | forged | {"x-forwarded-for": "203.0.113.9"}
        assert (
            "through another server"
            in httpx.post(f"{page}/gradio_api/mcp/", json=question, headers=asked, timeout=30).text
        )


def test_a_foreign_page_reads_nothing_and_shows_nothing(page):
    for path in ("/", "/config", "/gradio_api/info", "/collect/projects", "/assets/none.js", "/nowhere"):
        answer = httpx.get(page + path, headers={"origin": "http://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers.get_list("content-security-policy")[-1]
    asking = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = httpx.options(f"{page}/gradio_api/queue/join", headers=asking)
    assert answer.status_code == 404 and not [name for name in answer.headers if name.startswith("access-control")]
    for host in ("evil.example", "evil.example:7860"):  # its own name, made to point here
        headers = {"host": host, "origin": f"http://{host}"}
        assert httpx.post(f"{page}/gradio_api/call/start_run", json={"data": []}, headers=headers).status_code == 403
        assert httpx.get(f"{page}/config", headers=headers).status_code == 403


def test_frames_are_allowed_by_a_flag(tmp_path):
    with serving(Flags(runs=tmp_path / "runs", allow_frames=True)) as page:
        assert not {"x-frame-options", "content-security-policy"} & set(httpx.get(page).headers)


def test_the_roots_that_gradio_tells_are_not_what_a_header_says(page):
    forged = said(x_forwarded_host="evil.example", x_forwarded_proto="https", x_gradio_server="http://evil.example")
    assert httpx.get(f"{page}/config", headers=forged).json()["root"] == str(page)
    assert "evil.example" not in httpx.get(page, headers=forged).text


def test_the_cookie_is_for_https_alone_where_a_named_proxy_says_so(tmp_path):
    forged = said(x_forwarded_proto="https")
    for proxy, secure in (((), False), ((HERE,), True)):
        with serving(Flags(runs=tmp_path / "runs", proxy=proxy)) as page:
            cookie = httpx.get(page, headers=forged).headers["set-cookie"]
            assert "HttpOnly" in cookie and ("Secure" in cookie) is secure
            assert "Secure" not in httpx.get(page).headers["set-cookie"]


def test_what_starts_the_server_leaves_the_environment_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with serving(Flags(runs=tmp_path / "runs")) as page:
        assert "through another server" in call(page, "stop_run", ["mine", ""], x_forwarded_for="127.0.0.1")
    assert os.environ["FORWARDED_ALLOW_IPS"] == "*"
