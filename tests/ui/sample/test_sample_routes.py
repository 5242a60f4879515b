"""What the Sample tab asks for past gradio's queue: the same samples, limits, shares and sentences as through it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from served import Address, OddPipeline, free_port

from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE
from mmgan.ui.server.quota import MAX_OF_VISITOR, VISITOR

ASKED = {"prompt": "a thick zero", "model": "digits", "count": 2, "seed": 3, "truncation": 1}


class Held(OddPipeline):
    """Waits in a pass for prompts that begin with "hold" until it is let go."""

    go, made = threading.Event(), []

    def embed(self, prompts):
        if any(prompt.startswith("hold") for prompt in prompts):
            Held.go.wait(30)
        Held.made.extend(prompts)
        return super().embed(prompts)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    flags = Flags(runs=tmp_path_factory.mktemp("routes") / "runs", port=free_port())
    demo = app.build(Sampler(load=Held), flags)
    app.serve(demo, flags)
    address = Address(f"http://127.0.0.1:{flags.port}")
    address.demo = demo
    yield address
    demo.close(verbose=False)


@pytest.fixture(autouse=True)
def let_go():
    Held.go.clear()
    yield
    Held.go.set()


def ask(address, name, question, visitor="v", language="en", timeout=60):
    headers = {"accept-language": language, "cookie": f"{COOKIE}={visitor * 32}"}
    return httpx.post(f"{address}/sample/{name}", json=question, headers=headers, timeout=timeout)


def test_an_answer_is_what_the_page_shows(address):
    answer = ask(address, "generate", ASKED, "a").json()
    assert answer["html"].count("mm-card") == 2 and answer["of"] == {"prompt": "a thick zero", "model": "digits"}
    assert "样本" in ask(address, "generate", ASKED, "a", "zh").json()["html"]
    shares = ask(address, "words", ASKED, "a").json()["shares"]
    assert len(shares) == 3 and sum(shares) == pytest.approx(1)
    assert "mm-slide" in ask(address, "morph", ASKED | {"other": "the digit four"}, "a").json()["html"]
    assert "mm-slide" in ask(address, "walk", ASKED, "a").json()["html"]


def test_another_models_examples_replace_what_nobody_typed(address):
    question = ASKED | {"model": "shapes", "other": "typed"}
    answer = ask(address, "switch", question | {"prompt": "a thick zero"}, "b").json()
    assert answer["prompt"] == OddPipeline.examples[0] and "other" not in answer and "shapes" in answer["html"]
    assert "prompt" not in ask(address, "switch", question | {"prompt": "my own"}, "b").json()
    answer = ask(address, "recall", ASKED | {"model": "shapes", "prompt": ""}, "b").json()
    assert answer["prompt"] == OddPipeline.examples[0] and ["shapes", "shapes"] in answer["models"]


@pytest.mark.parametrize(
    "change, said",
    [
        ({"prompt": " "}, "Type a sentence"),
        ({"prompt": 7}, "A prompt should be a sentence"),
        ({"seed": None}, "seed"),
        ({"count": 99}, "16"),
        ({"model": "runs/../x"}, "runs/../x"),
        ({"model": []}, "model"),
        ({"prompt": "break"}, "Something went wrong"),
    ],
)
def test_what_is_wrong_is_a_sentence(address, change, said):
    answer = ask(address, "generate", ASKED | change, "c")
    assert answer.status_code == 400 and said in answer.json()["error"] and "secret" not in answer.text
    assert answer.json()["error"] != ask(address, "generate", ASKED | change, "d", "zh").json()["error"]


def test_another_sites_page_cannot_ask(address):
    headers = {"content-type": "text/plain", "sec-fetch-site": "cross-site", "origin": "https://foreign.example"}
    answer = httpx.post(f"{address}/sample/generate", content="{}", headers=headers)
    assert answer.status_code == 403


def test_a_visitor_has_one_share_of_this_and_of_the_queue(address):
    question = {"data": ["hold the queue", 1, 0, 1.0, ""], "session_hash": "page"}
    with ThreadPoolExecutor(40) as pool:
        cookies = {COOKIE: "e" * 32}
        for _ in range(MAX_OF_VISITOR // 2):
            assert httpx.post(f"{address}/gradio_api/call/sample", json=question, cookies=cookies).status_code == 200
        asked = [pool.submit(ask, address, "generate", ASKED | {"prompt": f"hold {i}"}, "e") for i in range(14)]
        refused = [future.result() for future in asked if future_is_done(future)]
        assert len(refused) == 4 and {answer.status_code for answer in refused} == {429}
        assert "what you asked for" in refused[0].json()["error"]
        Held.go.set()


def future_is_done(future) -> bool:
    try:
        future.exception(timeout=1.5)
        return True
    except TimeoutError:
        return False


def test_who_asks_too_often_is_told_how_long_to_wait(address):
    with ThreadPoolExecutor(10) as pool:  # questions that cost next to nothing, so that a busy machine is fast enough
        answers = pool.map(lambda _: ask(address, "generate", {}, "f").json()["error"], range(4 * VISITOR[0]))
    kinds = {answer.partition(";")[0] for answer in answers}
    few = "The number of samples should be a whole number from 1 to 16, not None."
    assert kinds == {few, "That is more than this page can make for one visitor"}


def test_what_nobody_waits_for_is_not_made(address):
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(ask, address, "generate", ASKED | {"prompt": "hold the pass"}, "g")
        time.sleep(0.5)
        with pytest.raises(httpx.ReadTimeout):
            ask(address, "generate", ASKED | {"prompt": "nobody waits"}, "h", timeout=0.5)
        time.sleep(0.5)
        Held.go.set()
        assert first.result().status_code == 200
        assert ask(address, "generate", ASKED | {"prompt": "afterwards"}, "h").status_code == 200
    assert "afterwards" in Held.made and "nobody waits" not in Held.made
