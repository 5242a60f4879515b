"""Word importance: where the words of a prompt are, and how much each moved the embedding."""

import pytest

from mmgan.errors import PromptError
from mmgan.text.encoder import TextEncoder
from mmgan.text.words import MAX_WORDS, find_words, word_importance


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder.from_pretrained()


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a large red star", ["a", "large", "red", "star"]),
        ("seven, please!", ["seven", "please"]),
        ("  a\n left-slanting\t7 ", ["a", "left-slanting", "7"]),
        ("someone's 12:30", ["someone's", "12:30"]),
        ("红色star五角星", ["红", "色", "star", "五", "角", "星"]),
        ("🐶🐱 dog", ["🐶", "🐱", "dog"]),
        ("👩🏽‍🚀👍🏽❤️🇩🇪", ["👩🏽‍🚀", "👍🏽", "❤️", "🇩🇪"]),
        ("Ünïcödé naïve", ["Ünïcödé", "naïve"]),
        ("?! ...", ["?!", "..."]),
    ],
)
def test_words_are_found_where_they_stand(prompt, words):
    assert [prompt[start:end] for start, end in find_words(prompt)] == words


def test_importance_says_where_and_how_much(encoder):
    prompt = " a  large red star,\nplease"
    found = word_importance(encoder, prompt)
    assert [item.word for item in found] == ["a", "large", "red", "star", "please"]
    assert all(prompt[item.start : item.end] == item.word and item.importance >= 0 for item in found)
    assert sum(item.share for item in found) == pytest.approx(1)
    weights = {item.word: item.importance for item in found}
    assert weights["star"] > weights["a"] and weights["red"] > weights["a"]


def test_importance_is_one_minus_the_cosine_without_the_word(encoder):
    item = word_importance(encoder, "a red star")[1]
    whole, without = encoder.encode(["a red star", "a star"])
    assert item.importance == pytest.approx(1 - float(whole @ without), abs=1e-5)


@pytest.mark.parametrize("prompt", ["seven", "七", "🐶", "seven!", "?!"])
def test_one_word_is_everything(encoder, prompt):
    (item,) = word_importance(encoder, prompt)
    assert item.importance == item.share == 1.0


def test_two_times_the_same_word_share(encoder):
    first, second = word_importance(encoder, "star star")
    assert first.share == pytest.approx(second.share, abs=1e-4)


def test_all_is_asked_in_one_batch_that_is_bounded(encoder, monkeypatch):
    asked = []
    embed = encoder._embed
    monkeypatch.setattr(encoder, "_embed", lambda prompts, **how: asked.append(len(prompts)) or embed(prompts, **how))
    found = word_importance(encoder, "数" * 500)
    assert len(asked) == 1 and asked[0] <= MAX_WORDS + 1
    assert "".join(item.word for item in found) == "数" * 500
    assert sum(item.share for item in found) == pytest.approx(1)


def test_a_prompt_that_cannot_be_used_is_refused(encoder):
    with pytest.raises(PromptError):
        word_importance(encoder, " ")
