"""With --auth nothing is answered before the login, whatever the route."""

import re

import httpx
import pytest
from gradio_client import Client
from served import serving

from mmgan.ui.server.flags import Flags

OPEN = re.compile(r"/$|/login|/logout|/assets/|/static/|/theme\.css|/favicon|/manifest|/gradio_api/startup-events")


@pytest.fixture(scope="module")
def locked():
    with serving(Flags(auth=("class", "sunflower"))) as address:
        yield address


def routes(app):
    """(method, path) of every route, with something in the places of a path."""

    def paths(of, before=""):
        for route in of:
            path = before + (getattr(route, "path", "") or "")
            inner = getattr(route, "original_router", route)  # fastapi keeps an included router as one route
            yield from paths(inner.routes, path) if getattr(inner, "routes", None) else [(path, route)]

    for path, route in paths(app.routes):
        for method in getattr(route, "methods", None) or {"GET"}:
            yield method, re.sub(r"\{[^}]*\}", "x", path) or "/"


def test_every_route_asks_for_the_login(locked):
    asked = {pair for pair in routes(locked.demo.app) if not OPEN.match(pair[1])}
    assert len(asked) > 40
    answers = {pair: httpx.request(pair[0], locked + pair[1], timeout=20).status_code for pair in sorted(asked)}
    assert {pair: status for pair, status in answers.items() if status not in (401, 403)} == {}


def test_the_page_shows_nothing_but_the_login(locked):
    assert "handwritten" not in httpx.get(locked).text


def test_the_scripts_wait_for_the_login(locked):
    version = locked.demo.assets.version
    assert httpx.get(f"{locked}/scripts/{version}/page/page.js").status_code == 401
    assert httpx.post(f"{locked}/sample/generate", json={}).status_code == 401
    assert version not in httpx.get(locked).text


def test_a_program_logs_in(locked):
    client = Client(locked, auth=("class", "sunflower"), verbose=False)
    assert len(client.predict("a thick zero", 1, api_name="/sample")) == 1


def test_a_wrong_password(locked):
    with pytest.raises(ValueError, match="Could not login"):
        Client(locked, auth=("class", "rose"), verbose=False)


def test_a_person_logs_in(browser, locked):
    context = browser.new_context()
    page = context.new_page()
    page.goto(locked)
    page.locator("input").first.fill("class")
    page.locator("input[type=password]").fill("sunflower")
    page.get_by_role("button").last.click()
    page.wait_for_selector(".mm-card", timeout=60_000)
    context.close()
