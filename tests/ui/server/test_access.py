"""Who may direct runs: asked on the server, whoever calls."""

from types import SimpleNamespace

import pytest

from mmgan.ui.server import access as module
from mmgan.ui.server.access import Access, AccessError
from mmgan.ui.server.flags import Flags
from mmgan.ui.server.sentences import sentence

HERE, THERE = "127.0.0.1", "10.0.0.7"


def test_without_a_code_a_loopback_page_is_open_and_a_public_one_closed():
    for flags in (Flags(), Flags(host="localhost")):
        Access(flags).check("", HERE)
        assert Access(flags).may("") and not Access(flags).needs_code
    for flags in (Flags(host="0.0.0.0"), Flags(share=True), Flags(host="192.168.1.5")):
        with pytest.raises(AccessError, match="--teacher-code"):
            Access(flags).check("anything", HERE)
        assert not Access(flags).may("")


@pytest.mark.parametrize(
    "address", ["behind 127.0.0.1", THERE, "", "::ffff:10.0.0.7", "2001:db8::1", "127.0.0.1.example"]
)
def test_without_a_code_whoever_is_not_at_this_machine_directs_nothing(address):
    """A page on a loopback address is reached by others through a server in front of it."""
    with pytest.raises(AccessError, match="--proxy"):
        Access(Flags()).check("", address)
    assert not Access(Flags()).may("", address)
    coded = Access(Flags(teacher_code="oak"))
    key = coded.unlock("oak", address)  # with a code it does not matter where one is
    assert coded.may(key, address)


@pytest.mark.parametrize("address", [HERE, "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_addresses_of_this_machine(address):
    Access(Flags()).check("", address)
    assert Access(Flags()).may("", address)


def test_whoever_has_a_network_of_addresses_is_one_guesser():
    access = Access(Flags(teacher_code="sunflower"))
    for number in range(module.FREE_GUESSES):
        with pytest.raises(AccessError, match="not the teacher code"):
            access.check("guess", f"2001:db8:1:2:{number}::1")
    with pytest.raises(AccessError, match="wait"):
        access.check("sunflower", "2001:db8:1:2:ffff::9")
    access.check("sunflower", "2001:db8:1:3::1")


def test_guesses_in_their_thousands_only_wait(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))  # a page may be running
    guesses = module.Guesses()
    for _ in range(5_000):
        now[0] += module.LONGEST_WAIT
        assert guesses.claim(HERE) == 0.0
    assert guesses.claim(HERE) == module.LONGEST_WAIT


def test_with_a_code_only_its_holder():
    access = Access(Flags(teacher_code="向日葵 1"))
    access.check("向日葵 1", HERE)
    with pytest.raises(AccessError, match="not the teacher code"):
        access.check("\ud800", THERE)
    for wrong, said in (("", "Only the teacher"), ("向日葵", "not the teacher code"), (None, "Only the teacher")):
        with pytest.raises(AccessError, match=said):
            access.check(wrong, HERE)
    with pytest.raises(AccessError) as refused:
        access.check("x", HERE)
    assert "教师口令不正确" in sentence(refused.value, "zh")
    key = access.unlock("向日葵 1", HERE)
    assert access.may(key) and not access.may("向日葵 1") and not access.may("x")
    with pytest.raises(AccessError):
        Access(Flags(teacher_code="another")).check(key, HERE)  # a key is of one server


def test_guessing_becomes_slow_and_locks_nobody_else_out(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))  # a page may be running
    access = Access(Flags(teacher_code="sunflower"))
    key = access.unlock("sunflower", HERE)
    for _ in range(module.FREE_GUESSES):
        with pytest.raises(AccessError, match="not the teacher code"):
            access.check("guess", HERE)
    with pytest.raises(AccessError, match="wait 3 seconds"):
        access.check("sunflower", HERE)  # not even looked at
    access.check(key, HERE)  # the teacher at the same address, who gave the code before
    access.check("sunflower", THERE)
    tried = 0
    for _ in range(100_000):  # a day of guessing, a guess a second
        now[0] += 1
        try:
            access.check("guess", HERE)
        except AccessError as error:
            tried += "not the teacher code" in str(error)
    assert tried < 400
    now[0] += module.LONGEST_WAIT
    access.check("sunflower", HERE)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MAX_KEYS", 3)
    monkeypatch.setattr(module, "MAX_ADDRESSES", 3)
    access = Access(Flags(teacher_code="sunflower"))
    keys = [access.unlock("sunflower", HERE) for _ in range(5)]
    assert [access.may(key) for key in keys] == [False, False, True, True, True]
    for number in range(10):
        with pytest.raises(AccessError):
            access.check("guess", f"10.0.0.{number}")
    assert len(access._wrong) == 3
