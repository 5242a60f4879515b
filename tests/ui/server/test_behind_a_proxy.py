"""The page under a path of another server, which takes that path off before it asks."""

import socket
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from gradio_client import Client
from proxy import in_front_of
from served import serving

from mmgan.ui.server import access
from mmgan.ui.server.flags import Flags

HERE = ("127.0.0.1",)


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    folder = tmp_path_factory.mktemp("behind")
    flags = Flags(runs=folder / "runs", root_path="/mmgan", proxy=HERE, teacher_code="oak")
    with serving(flags) as page, in_front_of(page) as address:
        yield address


def test_the_page_works_there(open_page, behind):
    page = open_page(f"{behind}/")
    page.fill("#prompt textarea, #prompt input", "a thick zero")
    page.click("#generate")
    page.wait_for_function("document.querySelector('#results')?.innerText.includes('a thick zero')")
    page.get_by_role("tab", name="Train").click()
    page.wait_for_selector(".mt-runs-list")
    page.get_by_role("tab", name="Your data").click()
    page.fill("#mc-name", "Bells")
    page.keyboard.press("Enter")
    page.wait_for_selector(".mc-collect h2:has-text('Bells'), .mc-collect input[value='Bells']")
    (key,) = [p["key"] for p in page.evaluate("fetch('collect/projects').then((a) => a.json())")["projects"]]
    assert page.evaluate(f"fetch('collect/projects/{key}/export').then((a) => a.status)") in (200, 400)
    assert page.evaluate("new URL(window.gradio_config.root).pathname") == "/mmgan"


def test_programs_work_there(behind):
    client = Client(f"{behind}/", verbose=False)
    assert len(client.predict("a thick zero", 1, api_name="/sample")) == 1
    assert "/sample" in client.view_api(print_info=False, return_format="dict")["named_endpoints"]


def test_everything_asked_stays_under_the_path(browser, behind):
    asked = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(behind)  # without the slash, which the server in front adds
    page.wait_for_selector(".mm-card", timeout=60_000)
    context.close()
    paths = {urlsplit(url).path for url in asked if url.startswith("http")}
    assert [path for path in paths if not path.startswith("/mmgan")] == []


def test_people_log_in_and_out_there(browser, tmp_path):
    flags = Flags(runs=tmp_path / "runs", root_path="/mmgan", proxy=HERE, auth=("class", "sunflower"))
    with serving(flags) as served, in_front_of(served) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{address}/")
        page.locator("input").first.fill("class")
        page.locator("input[type=password]").fill("sunflower")
        page.get_by_role("button").last.click()
        page.wait_for_selector(".mm-card", timeout=60_000)
        page.goto(f"{address}/logout")
        page.wait_for_selector("input[type=password]")
        assert page.url == f"{address}/"
        context.close()


def test_a_proxy_that_is_not_named_makes_nobody_local(tmp_path):
    """Whether it says on whose behalf it asks, or only keeps the address that it was asked by."""
    with serving(Flags(runs=tmp_path / "runs", root_path="/mmgan")) as page:
        for options in ({}, {"host": urlsplit(page).netloc}, {"announced": False}):
            with in_front_of(page, **options) as address:
                asked = httpx.post(f"{address}/gradio_api/call/delete_run", json={"data": ["mine", ""]})
                answer = httpx.get(f"{address}/gradio_api/call/delete_run/{asked.json()['event_id']}")
                assert "through another server" in answer.text
                assert httpx.get(f"{address}/collect/models").json()["access"]["may"] is False


def test_guesses_through_a_named_proxy_are_slow_whatever_the_guesser_says(behind, monkeypatch):
    monkeypatch.setattr(access, "time", SimpleNamespace(monotonic=lambda: 1000.0))

    def guess(number):
        headers = {"x-forwarded-for": f"203.0.113.{number}"}
        question = {"code": "guess", "model": "digits", "token": "x"}
        return httpx.post(f"{behind}/collect/publish", json=question, headers=headers).json()["error"]

    answers = [guess(number) for number in range(20)]
    assert answers.count("That is not the teacher code.") == 5 and answers[-1].startswith("Too many wrong codes")


def test_whoever_speaks_an_old_http_came_through_one(tmp_path):
    """As nginx does for the page unless it is told otherwise."""
    with serving(Flags(runs=tmp_path / "runs")) as page:
        place = urlsplit(page)
        for version, may in ((b"1.0", b'"may":false'), (b"1.1", b'"may":true')):
            with socket.create_connection((place.hostname, place.port)) as line:
                question = b"GET /collect/models HTTP/%s\r\nHost: %s\r\nConnection: close\r\n\r\n"
                line.sendall(question % (version, place.netloc.encode()))
                assert may in b"".join(iter(lambda: line.recv(1 << 16), b""))
