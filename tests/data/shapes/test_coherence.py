"""What coherence counts, on readings made by hand: every share has an answer of its own."""

import pytest

from mmgan.data.shapes.measure import coherence, confusions

STAR = {"size": "large", "colour": "red", "shape": "star", "background": "blue"}
DISC = {"size": "small", "colour": "green", "shape": "disc", "background": "grey"}
UNCLEAR = STAR | {"shape": None}
READINGS = [
    (STAR, STAR, STAR),  # both
    (STAR, STAR, DISC), (STAR, STAR, UNCLEAR), (STAR, STAR, DISC),  # the picture alone
    (STAR, DISC, STAR),  # the sound alone
    (STAR, DISC, DISC), (STAR, DISC, DISC),  # neither, but they agree
    (STAR, UNCLEAR, UNCLEAR), (STAR, UNCLEAR, DISC), (STAR, DISC, STAR | {"colour": "green"}),
]  # fmt: skip


def test_each_share_counts_its_own():
    found = coherence(READINGS)
    shares = {"image": 0.4, "sound": 0.2, "both": 0.1, "agree": 0.3}  # two that are both unclear agree on nothing
    assert {name: found[name] for name in shares} == pytest.approx(shares)
    assert found["image shape"] == pytest.approx(0.4) and found["image colour"] == pytest.approx(0.6)
    assert found["sound shape"] == pytest.approx(0.3) and found["sound colour"] == pytest.approx(0.4)


def test_mistakes_are_shares_of_what_was_asked_for():
    mistakes = dict(confusions([*READINGS, *[(DISC, DISC, DISC)] * 10], 100))
    assert mistakes["image shape: star as unclear"] == pytest.approx(0.2)
    assert mistakes["image shape: star as disc"] == pytest.approx(0.4)
    assert mistakes["sound colour: red as green"] == pytest.approx(0.6)
    assert len(confusions(READINGS, 2)) == 2
