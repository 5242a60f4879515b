"""Whose turn it is: visitors and addresses share threads, however much one of them asks for."""

import threading
from types import SimpleNamespace

import pytest

from mmgan.ui.server.owner import COOKIE
from mmgan.ui.server.sentences import sentence
from mmgan.ui.server.turns import Busy, FairQueue, Turns, Visitor, visitor_of

HASTY, OTHER, FAR = Visitor("10.0.0.1", "hasty"), Visitor("10.0.0.1", "other"), Visitor("10.0.0.2", "far")


class Held:
    """Work that waits until it is let go, and notes who was at it."""

    def __init__(self):
        self.began, self.go, self.order = threading.Semaphore(0), threading.Semaphore(0), []

    def __call__(self, name):
        self.order.append(name)
        self.began.release()
        assert self.go.acquire(timeout=20)

    def wait(self, count):
        for _ in range(count):
            assert self.began.acquire(timeout=20)


def request(host="10.0.0.1", session=None, **cookies):
    return SimpleNamespace(client=SimpleNamespace(host=host), session_hash=session, cookies=cookies)


def test_a_browser_is_known_by_its_cookie_and_a_program_by_its_session():
    key = "k" * 32
    assert visitor_of(request(session="a", **{COOKIE: key})) == visitor_of(request(session="b", **{COOKIE: key}))
    assert visitor_of(request(session="a")) != visitor_of(request(session="b"))
    assert visitor_of(request(), session="a") == visitor_of(request(session="a"))
    assert visitor_of(None) == visitor_of(SimpleNamespace(client=None))
    assert len(visitor_of(request(session="x" * 10_000)).name) < 100


def test_a_customer_has_one_address_of_either_kind():
    assert visitor_of(request("2001:db8:1:2::3")).address == visitor_of(request("2001:db8:1:2:ffff::1")).address
    assert visitor_of(request("2001:db8:1:3::3")).address != visitor_of(request("2001:db8:1:2::3")).address
    assert visitor_of(request("10.0.0.1")).address != visitor_of(request("10.0.0.2")).address
    assert visitor_of(request("testclient")).address == "testclient"


def test_addresses_and_their_visitors_take_turns():
    queue = FairQueue()
    for visitor, item in [(HASTY, 1), (HASTY, 2), (HASTY, 3), (OTHER, 4), (FAR, 5)]:
        queue.put(visitor, item)
    assert [item for _, item in queue] == [1, 5, 4, 2, 3]
    queue.take(HASTY, 1)
    assert [item for _, item in queue] == [5, 4, 2, 3]
    for visitor, item in list(queue):
        queue.take(visitor, item)
    assert not queue and list(queue) == []


def test_nobody_has_all_threads():
    turns, work = Turns("test", at_once=3, each=1, asked=8), Held()
    futures = [turns.submit(HASTY, work, "hasty") for _ in range(5)]
    work.wait(1)
    futures += [turns.submit(OTHER, work, "other"), turns.submit(Visitor("10.0.0.1", "third"), work, "third")]
    work.wait(1)
    futures.append(turns.submit(FAR, work, "far"))  # the address has two of three
    work.wait(1)
    assert work.order == ["hasty", "other", "far"]
    for _ in futures:
        work.go.release()
    assert all(future.result(20) is None for future in futures)
    assert not turns._running and not turns._asked and not turns._waiting


def test_who_asks_for_too_much_is_told_so_and_the_others_are_not():
    turns, work = Turns("test", at_once=2, asked=2, most=9), Held()
    futures = [turns.submit(HASTY, work, 0) for _ in range(2)]
    with pytest.raises(Busy) as refusal:
        turns.submit(HASTY, work, 0)
    assert "what you asked for" in sentence(refusal.value, "en") and sentence(refusal.value, "zh") != str(refusal.value)
    for number in range(6):  # each under another name
        futures.append(turns.submit(Visitor("10.0.0.1", f"renamed {number}"), work, 0))
    with pytest.raises(Busy, match="Many people"):
        turns.submit(OTHER, work, 0)
    futures.append(turns.submit(FAR, work, 0))
    with pytest.raises(Busy, match="Many people"):
        turns.submit(Visitor("10.0.0.3", "a"), work, 0)
    for _ in futures:
        work.go.release()
    for future in futures:
        future.result(20)
    work.go.release()
    turns.submit(HASTY, work, 0).result(20)


def test_work_in_parts_lets_others_go_first():
    turns, order, both = Turns("test", at_once=1), [], threading.Event()

    def parts():
        assert both.wait(20)
        for part in range(3):
            order.append(f"part {part}")
            turns.pass_on(HASTY)

    long = turns.submit(HASTY, parts)
    short = turns.submit(OTHER, order.append, "other")
    while not turns._waiting:
        pass
    both.set()
    short.result(20), long.result(20)
    assert order == ["part 0", "other", "part 1", "part 2"]


def test_what_fails_is_whoever_asked_for_its():
    turns = Turns("test", at_once=1, asked=1)
    with pytest.raises(ZeroDivisionError):
        turns.submit(HASTY, lambda: 1 / 0).result(20)
    assert turns.submit(HASTY, lambda: 7).result(20) == 7
