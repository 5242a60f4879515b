"""What is refused or held back before anything of a request is read."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from test_sampling import run

from mmgan.ui.server import throttle
from mmgan.ui.server.owner import COOKIE
from mmgan.ui.server.throttle import RefuseLarge, Throttle


async def echo(request: Request):
    return PlainTextResponse(str(len(await request.body())))


def application():
    return Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST", "PUT"])])


def chunks(count):
    for _ in range(count):
        yield bytes(100)


def test_large_requests_are_refused_with_and_without_a_length():
    client = TestClient(RefuseLarge(application(), largest=1_000))
    assert client.post("/gradio_api/queue/join", content=bytes(1_000)).text == "1000"
    assert client.post("/gradio_api/queue/join", content=chunks(10)).text == "1000"
    for content in (bytes(1_001), chunks(11)):
        answer = client.post("/train/act", content=content)
        assert answer.status_code == 413 and answer.text.endswith("send less.")
    assert client.post("/collect/uploads/x", content=bytes(5_000)).text == "5000"  # has limits of its own
    assert client.get("/").status_code == 200


def test_a_promise_of_much_is_refused_before_it_comes():
    async def main():
        sent = []

        async def receive():
            raise AssertionError("nothing is read")

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/x", "headers": [(b"content-length", b"9" * 30)]}
        await RefuseLarge(application())(scope, receive, send)
        return sent[0]["status"]

    assert run(main()) == 413


def asked(app, number, **cookies):
    """The statuses of so many requests at the same moment."""

    async def one():
        statuses = []

        async def send(message):
            statuses.append(message.get("status"))

        async def receive():
            return {"type": "http.request", "body": b""}

        cookie = "; ".join(f"{key}={value}" for key, value in cookies.items()).encode()
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie)], "query_string": b"",
                 "client": ("10.0.0.1", 1)}  # fmt: skip
        await app(scope, receive, send)
        return statuses[0]

    async def main():
        return await asyncio.gather(*(one() for _ in range(number)))

    return run(main())


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(throttle, "MOST_SECONDS", 0.0)
    monkeypatch.setattr(throttle, "MOST_HELD", 5)


def test_one_visitor_is_held_back_and_not_the_next(impatient):
    app = Throttle(application(), visitor=(10, 0.5), address=(100, 10.0))
    statuses = asked(app, 30, **{COOKIE: "h" * 32})
    assert statuses.count(200) >= 10 and statuses.count(429) >= 15
    assert asked(app, 10, **{COOKIE: "v" * 32}) == [200] * 10
    assert not app._held


def test_a_visitor_of_many_names_is_held_back_by_the_address(impatient):
    app = Throttle(application(), visitor=(10, 0.5), address=(20, 0.5))
    statuses = [asked(app, 1, **{COOKIE: f"{number:032}"})[0] for number in range(23)]
    assert statuses[:20] == [200] * 20


def test_files_of_the_page_are_free():
    client = TestClient(Throttle(application(), visitor=(1, 0.001), address=(1, 0.001)))
    for path in ("/assets/index.js", "/scripts/1/page/page.js"):
        assert {client.get(path).status_code for _ in range(50)} == {200}


def test_programs_without_a_name_hold_up_only_those_that_ask_for_the_same(impatient):
    app = Throttle(application(), visitor=(10, 0.5), address=(1_000, 100.0))
    client = TestClient(app)
    assert [client.get("/collect/models/shapes").status_code for _ in range(12)].count(200) >= 10
    assert {client.get(path).status_code for path in ["/", "/collect/projects", "/gradio_api/call/sample"]} == {200}
