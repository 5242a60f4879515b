"""Buckets that fill up again hold no more than they should, and who knows a secret has no wrong guesses left."""

from types import SimpleNamespace

import pytest

from mmgan.ui.server import access as module
from mmgan.ui.server import quota
from mmgan.ui.server.access import Access, AccessError, Guesses
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.quota import Buckets

HERE = "127.0.0.1"


@pytest.fixture
def now(monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))  # a page may be running
    return now


def test_whoever_was_away_for_a_day_has_no_more_than_a_burst():
    now = [0.0]
    buckets = Buckets(3, 2.0, clock=lambda: now[0])
    assert buckets.take("a") == 0
    now[0] += 86_400
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]


def test_asking_too_early_costs_nothing():
    now = [0.0]
    buckets = Buckets(1, 1.0, clock=lambda: now[0])
    assert buckets.take("a") == 0
    for _ in range(50):
        assert buckets.take("a") > 0
    now[0] += 1
    assert buckets.take("a") == 0


def test_visitors_are_forgotten_and_those_who_came_last_are_not(monkeypatch):
    monkeypatch.setattr(quota, "REMEMBERED", 3)
    buckets = Buckets(1, 1e-6)
    for name in "abcd":
        assert buckets.take(name) == 0
    assert buckets.take("d") > 0 and buckets.take("a") == 0  # "a" has been forgotten


def test_the_right_code_resets_wrong_guesses(now):
    access = Access(Flags(teacher_code="sunflower"))
    for _ in range(3):
        for _ in range(module.FREE_GUESSES - 1):
            with pytest.raises(AccessError, match="not the teacher code"):
                access.check("guess", HERE)
        access.check("sunflower", HERE)
    for _ in range(module.FREE_GUESSES):
        with pytest.raises(AccessError, match="not the teacher code"):
            access.check("guess", HERE)
    with pytest.raises(AccessError, match="wait"):
        access.check("sunflower", HERE)


def test_each_further_guess_doubles_the_wait_up_to_a_limit(now):
    guesses, waits = Guesses(free=2), []
    assert guesses.claim(HERE) == 0  # the first costs nothing
    for _ in range(10):
        assert guesses.claim(HERE) == 0
        waits.append(guesses.claim(HERE))  # and that one is not looked at
        assert guesses.claim(HERE) == waits[-1]  # nor does it make the wait longer
        now[0] += waits[-1]
    assert waits[:4] == [2.0, 4.0, 8.0, 16.0] and waits[-1] == module.LONGEST_WAIT
    assert guesses.claim("10.0.0.7") == 0


def test_callers_without_an_address_are_told_apart_by_their_server(now):
    guesses = Guesses(free=1)
    assert guesses.claim("behind 10.0.0.1") == 0 and guesses.claim("behind 10.0.0.1") > 0
    assert guesses.claim("behind 10.0.0.2") == 0
