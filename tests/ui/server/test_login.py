"""Guessing a password is slow, and logging out ends one's own session alone."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
from gradio_client import Client
from served import serving
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mmgan.ui.server import access, login
from mmgan.ui.server.flags import Flags

AUTH = ("class", "sunflower")
FORM = {"username": AUTH[0], "password": AUTH[1]}


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """What the clock of guesses says; it stands still unless a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(access, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def page(tmp_path):
    with serving(Flags(runs=tmp_path / "runs", auth=AUTH)) as address:
        yield address


def entered(page):
    client = httpx.Client(base_url=page)
    client.post("/login", data=FORM).raise_for_status()
    return client


def is_in(client):
    return client.get("/config").status_code == 200


def test_guessing_is_slow_even_at_once(page, now):
    def guess(_):
        return httpx.post(f"{page}/login", data=FORM | {"password": "rose"}, timeout=60).status_code

    with ThreadPoolExecutor(16) as many:
        answers = list(many.map(guess, range(60)))
    assert answers.count(400) == login.FREE_GUESSES and set(answers) == {400, 429}
    told = httpx.post(f"{page}/login/", data=FORM, headers={"accept-language": "zh"})  # right, and not even looked at
    assert (
        told.status_code == 429 and told.json()["detail"].startswith("密码错误次数太多") and told.headers["retry-after"]
    )
    now[0] += 3
    assert guess(0) == 400 and guess(0) == 429  # each doubles the wait
    now[0] += access.LONGEST_WAIT
    assert is_in(entered(page))
    assert [guess(n) for n in range(3)] == [400] * 3  # who knows it starts anew


def test_a_header_makes_nobody_another_guesser(page):
    answers = [
        httpx.post(f"{page}/login", data=FORM | {"password": "rose"}, headers={"x-forwarded-for": f"10.0.0.{n}"})
        for n in range(30)
    ]
    assert [answer.status_code for answer in answers].count(400) == login.FREE_GUESSES


def test_both_parts_are_compared(monkeypatch):
    compared = []
    monkeypatch.setattr(login.hmac, "compare_digest", lambda *pair: compared.append(pair) or pair[0] == pair[1])
    right = login.checker(("班级", "向日葵"))
    assert right("班级", "向日葵") and not right("x", "y") and not right("\ud800", "")
    assert len(compared) == 6 and login.checker(None) is None


def test_a_long_form_is_not_read(page):
    assert httpx.post(f"{page}/login", data=FORM | {"password": "x" * login.MAX_FORM}).status_code == 413
    assert httpx.post(f"{page}/login", content=iter([b"username=class"])).status_code == 413


def test_logging_out_ends_no_other_session(page):
    mine, other = entered(page), entered(page)
    answer = mine.post("/logout", headers={"origin": str(page)})
    assert answer.status_code == 303 and answer.headers["location"] == "./"
    assert not is_in(mine) and is_in(other)
    third = entered(page)
    cookies = dict(third.cookies)
    assert third.get("/logout", headers={"sec-fetch-site": "same-origin"}).status_code == 303
    assert not is_in(httpx.Client(base_url=page, cookies=cookies))  # the server forgot it, not only the browser
    assert is_in(other)


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_a_link_elsewhere_only_asks(page, site):
    client = entered(page)
    headers = {"sec-fetch-site": site} if site else {}
    answer = client.get("/logout", headers=headers | {"accept-language": "zh-CN"})
    assert answer.status_code == 200 and "退出登录" in answer.text and 'method="post"' in answer.text
    assert client.post("/logout", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.head("/logout").status_code == 404
    assert is_in(client)


def test_a_person_is_told_to_wait_and_may_log_out(browser, page):
    for _ in range(login.FREE_GUESSES):
        httpx.post(f"{page}/login", data=FORM | {"password": "rose"})
    context = browser.new_context(locale="en-US")
    tab = context.new_page()
    tab.goto(page)
    tab.locator("input").first.fill("class")
    tab.locator("input[type=password]").fill("sunflower")
    tab.get_by_role("button").last.click()
    told = tab.get_by_role("alert")
    told.wait_for()
    assert told.inner_text().startswith("Too many wrong passwords; wait")
    context.add_cookies([{"name": name, "value": value, "url": str(page)} for name, value in token(page).items()])
    tab.goto(page)
    tab.wait_for_selector(".mm-card", timeout=60_000)
    tab.goto(f'data:text/html,<a href="{page}/logout">free sweets</a>')  # of no site of ours
    tab.click("a")
    tab.get_by_role("button", name="Log out").click()
    tab.wait_for_selector("input[type=password]")
    context.close()


def token(page):
    """The cookie of somebody who logged in before the guessing began."""
    page.demo.app.tokens["known"] = AUTH[0]
    return {login.token_names(page.demo)[1]: "known"}


def test_no_websocket_is_opened_before_the_login(page):
    client = TestClient(page.demo.app, base_url=str(page), client=("127.0.0.1", 1))
    host = {"host": str(page).removeprefix("http://")}
    for path in ("/gradio_api/queue/join", "/collect/projects", "/"):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"ws://{host['host']}{path}", headers=host):
            pass


def test_a_program_logs_in_after_others_guessed_a_little(page):
    for _ in range(login.FREE_GUESSES - 1):
        httpx.post(f"{page}/login", data=FORM | {"password": "rose"})
    assert Client(page, auth=AUTH, verbose=False).predict(api_name="/models")
