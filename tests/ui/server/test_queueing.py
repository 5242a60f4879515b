"""Shares of the queue: three hundred requests of one client leave the others theirs, whatever it calls itself."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import SimpleNamespace

import httpx
import pytest
from served import OddPipeline, free_port
from test_sampling import run

from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.owner import COOKIE
from mmgan.ui.server.queueing import PATIENCE, Share
from mmgan.ui.server.quota import MAX_OF_ADDRESS, MAX_OF_SESSIONS, MAX_OF_VISITOR, MAX_WAITING, Quota
from mmgan.ui.train.desk import Desk


class Queue:
    """What a Share asks of gradio's queue."""

    def __init__(self):
        self.waiting, self.full, self.numbers = [], False, itertools.count()
        self.event_queue_per_concurrency_id = {"sampling": SimpleNamespace(queue=self.waiting)}
        self.active_jobs, self.server_app = [None, None], None
        self.pending_event_ids_session, self.pending_messages_per_session = {}, {}

    async def push(self, body, request, username):
        if self.full:
            return False, "Queue is full.", "queue_full"
        event = SimpleNamespace(_id=f"event {next(self.numbers)}", session_hash=body.session_hash)
        self.waiting.append(event)
        self.pending_event_ids_session.setdefault(body.session_hash, set()).add(event._id)
        self.pending_messages_per_session[body.session_hash] = ["a result"]
        return True, event._id, "success"

    async def process_events(self, events, batch, begin_time, fn):
        pass


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def push(queue):
    """Pushes and says whether it was taken, or what was said."""
    queue.now = 0.0
    share = Share(queue, Quota(), clock=lambda: queue.now)

    def push(session, owner="", host="10.0.0.1", language="en"):
        request = SimpleNamespace(
            client=SimpleNamespace(host=host), cookies={COOKIE: owner} if owner else {},
            headers={"accept-language": language},
        )  # fmt: skip
        done, what, state = run(share.push(SimpleNamespace(session_hash=session), request, None))
        assert done == (state == "success")
        return done or what

    return push


def key(number):
    return f"{number:032}"


def test_a_browser_has_one_share_whatever_its_sessions(push):
    answers = [push(f"made up {i}", key(1)) for i in range(300)]
    assert answers[:MAX_OF_VISITOR] == [True] * MAX_OF_VISITOR
    assert set(answers[MAX_OF_VISITOR:]) == {answers[-1]} and "what you asked for" in answers[-1]
    assert push("x", key(1), language="zh") != answers[-1]
    assert push("other", key(2)) is True and push("far", host="10.0.0.2") is True


def test_programs_of_an_address_have_one_share_together(push):
    answers = [push(f"made up {i}") for i in range(300)]
    assert answers.count(True) == MAX_OF_SESSIONS and "Many people" in answers[-1]
    assert push("page", key(1)) is True  # a browser behind the same address
    assert push("program", host="10.0.0.2") is True


def test_a_program_of_one_session_or_of_none_has_one_share(push):
    assert [push("same") for _ in range(50)].count(True) == MAX_OF_VISITOR
    assert [push(None, host="10.0.0.2") for _ in range(50)].count(True) == MAX_OF_VISITOR


def test_a_class_behind_one_address_is_let_in_and_a_flood_of_cookies_is_not_everybody(push):
    assert all(push(f"page {pupil}", key(pupil)) is True for pupil in range(40) for _ in range(4))
    assert push("flood", key(99)) is not True
    assert MAX_OF_ADDRESS < MAX_WAITING and push("far", key(98), "10.0.0.2") is True


def test_a_full_queue_is_said_in_our_words(queue, push):
    queue.full = True
    assert "Many people" in push("a", key(1)) and push("a", key(1), language="zh") != push("a", key(1))


def test_what_was_fetched_no_longer_counts(queue, push):
    assert [push("a", key(1)) for _ in range(30)].count(True) == MAX_OF_VISITOR
    queue.waiting.clear()
    queue.pending_event_ids_session.clear()
    assert push("a", key(1)) is True


def test_what_nobody_fetches_is_forgotten_after_a_while(queue, push):
    for _ in range(30):
        push("a", key(1))
    queue.active_jobs[0] = [queue.waiting[0]]
    queue.waiting.clear()
    assert push("b", key(1)) is not True  # done, but not fetched
    queue.now = PATIENCE + 1
    assert push("b", key(1)) is True
    assert queue.pending_event_ids_session["a"] == {"event 0"}  # which still runs
    queue.active_jobs[0] = None
    push("b", key(1))
    assert "a" not in queue.pending_messages_per_session and "a" not in queue.pending_event_ids_session


@pytest.fixture(scope="module")
def held():
    """A page whose samples wait until they are let go."""
    go = threading.Event()

    class Slow(OddPipeline):
        def __call__(self, *args, **settings):
            if threading.current_thread().name == "mmgan-sampling" and armed.is_set():
                go.wait(60)
            return super().__call__(*args, **settings)

    armed = threading.Event()
    flags = Flags(port=free_port())
    demo = app.build(Sampler(load=Slow, models=("digits",)), flags)
    app.serve(demo, flags)
    armed.set()
    yield SimpleNamespace(url=f"http://127.0.0.1:{flags.port}", go=go, demo=demo)
    go.set()
    demo.close(verbose=False)


def test_three_hundred_requests_of_one_client_leave_the_queue_to_the_others(held):
    def ask(client, number):
        question = {"data": [f"a seven {number}", 1, number, 1.0, ""], "session_hash": f"made up {number}"}
        return client.post(f"{held.url}/gradio_api/call/sample", json=question)

    with (
        httpx.Client(cookies={COOKIE: "h" * 32}, timeout=60) as hasty,
        httpx.Client(cookies={COOKIE: "o" * 32}, timeout=60) as other,
    ):
        answers = [ask(hasty, number) for number in range(100)]
        assert Counter(answer.status_code for answer in answers) == {200: MAX_OF_VISITOR, 503: 100 - MAX_OF_VISITOR}
        assert "what you asked for" in answers[-1].json()["detail"]
        one = ask(other, 1)
        assert one.status_code == 200
        assert other.get(held.url).status_code == 200 and other.get(f"{held.url}/collect/projects").status_code == 200
        held.go.set()
        text = other.get(f"{held.url}/gradio_api/call/sample/{one.json()['event_id']}").text
        assert "event: complete" in text


def test_requests_to_runs_that_wait_for_seconds_hold_up_no_page(held, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(Desk, "act", lambda *_, **__: {"done": go.wait(60)})
    headers = {"cookie": f"{COOKIE}={'t' * 32}"}
    with ThreadPoolExecutor(50) as pool, httpx.Client(timeout=60) as client:
        url = f"{held.url}/train/act"
        asked = [pool.submit(client.post, url, json={}, headers=headers) for _ in range(50)]
        refused = next(future for future in as_completed(asked, timeout=60)).result().json()
        assert "what you asked for" in refused["error"]
        assert client.get(held.url).status_code == 200
        go.set()
        answers = [future.result().json() for future in asked]
    assert sum("done" in answer for answer in answers) >= 16


def test_nothing_that_is_queued_can_be_called_past_the_queue(held):
    answer = httpx.post(f"{held.url}/gradio_api/run/sample", json={"data": ["a zero", 1, 0, 1.0, ""]})
    assert answer.status_code == 404
    assert httpx.post(f"{held.url}/gradio_api/run/models", json={"data": []}).json()["data"] == [["digits"]]


def test_large_results_of_programs_are_not_kept_for_their_sessions(held):
    held.go.set()
    for count in (1, 16):
        question = {"data": ["a zero", count, 5, 1.0, ""], "session_hash": f"program {count}"}
        call = httpx.post(f"{held.url}/gradio_api/call/sample", json=question)
        answer = httpx.get(f"{held.url}/gradio_api/call/sample/{call.json()['event_id']}", timeout=60)
        assert "event: complete" in answer.text
    for _ in range(200):  # it is forgotten just after it was sent
        if "program 16" not in held.demo.app.state_holder.session_data:
            break
        httpx.get(held.url)
    assert "program 16" not in held.demo.app.state_holder.session_data
    assert "program 1" in held.demo.app.state_holder.session_data
