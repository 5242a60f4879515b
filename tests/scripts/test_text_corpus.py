"""The corpus of the text encoder: templates, held-out texts, and what is said when a source is absent."""

import random
import re

import pytest

from mmgan.errors import DataError
from scripts.text_encoder import text_corpus
from scripts.text_encoder.text_corpus import Pair


@pytest.fixture
def wordnet(tmp_path):
    """A WordNet of one noun."""
    head = "  1 This software and database is being provided to you\n"
    for part in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"index.{part}").write_text(head)
        (tmp_path / f"data.{part}").write_text(head)
    (tmp_path / "index.noun").write_text(head + "big_dog n 1 1 @ 1 1 00005930\n")
    (tmp_path / "data.noun").write_text(
        head + '00005930 03 n 01 dog 0 000 | a friendly animal; "the dog barked loudly"\n'
    )
    return tmp_path


def test_wordnet_gives_lemmas_glosses_and_examples(wordnet):
    pairs = list(text_corpus.wordnet(wordnet, random.Random(0), lemmas=10, sentences=10))
    assert Pair("big dog", "big dog", "wordnet_lemma") in pairs
    sentences = {pair.text for pair in pairs if pair.group == "wordnet_sentence"}
    assert sentences == {"a friendly animal", "the dog barked loudly"}


def test_chinese_templates_carry_the_english_that_they_mean():
    pairs = list(text_corpus.templated([("cat", "猫"), ("dog", "狗")], 5, random.Random(0), "x"))
    chinese = [pair for pair in pairs if pair.group == "x_zh"]
    assert len(chinese) == 10
    for pair in chinese:
        assert ("猫" in pair.text) == ("cat" in pair.target) and ("狗" in pair.text) == ("dog" in pair.target)


def test_colours_of_a_template_agree_in_both_languages():
    for seed in range(40):
        for pair in text_corpus.templated([("cat", "猫")], 10, random.Random(seed), "x"):
            if pair.group == "x_zh":
                for english, chinese in text_corpus.COLOURS.items():
                    assert (chinese in pair.text) == (english in pair.target.split())


def test_digit_phrasings_keep_their_value():
    for pair in text_corpus.digits(random.Random(0)):
        if pair.group == "digits_zh":
            value = [w for w in text_corpus.DIGITS if w in pair.target.replace(",", "").split()]
            assert len(value) == 1
            assert text_corpus.DIGITS[value[0]] in pair.text or any(c.isdigit() for c in pair.text)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("star", "stars"), ("box", "boxes"), ("cherry", "cherries"), ("key", "keys"), ("skis", "skis")],
)
def test_plurals(word, expected):
    assert text_corpus.plural(word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("star", "a star"), ("eight", "an eight"), ("8", "an 8"), ("skis", "skis"), ("OK hand", "OK hand")],
)
def test_articles(word, expected):
    assert text_corpus.a(word) == expected


def test_a_typo_is_one_slip_and_leaves_short_and_chinese_texts_alone():
    rng = random.Random(0)
    assert {len(text_corpus.typo("seven stars", rng)) - len("seven stars") for _ in range(80)} == {-1, 0, 1}
    assert text_corpus.typo("七", rng) == "七" and text_corpus.typo("7", rng) == "7"


def test_a_typo_falls_in_the_words_asked_for():
    rng, words = random.Random(0), frozenset(["seven", "six"])
    slips = {text_corpus.typo("a thick Seven, please", rng, words) for _ in range(200)}
    assert len(slips) > 30 and all(slip.startswith("a thick ") and slip.endswith(", please") for slip in slips)


def test_neighbouring_keys_are_neighbours():
    assert set(text_corpus.NEIGHBOURS["g"]) >= set("fhtvb") and "p" not in text_corpus.NEIGHBOURS["g"]
    assert set(text_corpus.NEIGHBOURS["v"]) >= set("cbfg") and set(text_corpus.NEIGHBOURS["q"]) >= set("wa")


def test_contrasts_are_families_of_phrases_about_one_thing():
    pairs = list(text_corpus.contrasts(["star", "box"], random.Random(0)))
    assert {pair.family for pair in pairs} == {"star", "box"}
    assert all(pair.text == pair.target and ("star" in pair.text) == (pair.family == "star") for pair in pairs)


def test_common_nouns_are_single_words_used_more_than_once(wordnet):
    head = (wordnet / "index.noun").read_text()
    extra = "dog n 1 1 @ 1 5 00005930\ncat n 1 1 @ 1 1 00005930\n"  # the last but one field: tagged senses
    (wordnet / "index.noun").write_text(head + extra)
    assert text_corpus.common_nouns(wordnet) == ["dog"]


def test_held_out_texts_and_doubles_are_left_out():
    pairs = [Pair("Lion", "lion", "a"), Pair("狮子", "lion", "b"), Pair("cat", "cat", "a"), Pair("Cat ", "cat", "b")]
    assert text_corpus.clean(pairs, {"lion"}) == [Pair("cat", "cat", "a")]


@pytest.mark.parametrize(
    "read",
    [
        lambda folder: text_corpus.emoji(folder / "concepts.csv"),
        lambda folder: list(text_corpus.wordnet(folder, random.Random(0), 1, 1)),
        lambda folder: text_corpus.unihan_definitions(folder / "Unihan_Readings.txt.bz2"),
    ],
)
def test_an_absent_source_says_how_to_get_it(read, tmp_path):
    with pytest.raises(DataError, match=r"install it|name the folder"):
        read(tmp_path)


def test_colours_change_places_within_a_family():
    pairs = list(text_corpus.bindings([("star", "星星"), ("teapot", "")], random.Random(0), per_thing=40))
    families = {}
    for pair in pairs:
        families.setdefault(pair.family, []).append(pair)
    assert len(families) == 80
    for one, other in families.values():
        words = [sorted(re.sub(r"\ban\b", "a", pair.text)) for pair in (one, other)]
        assert one.text != other.text and words[0] == words[1]
        assert one.target != other.target
    groups = {pair.group for pair in pairs}
    assert groups == {"binding_en", "binding_zh"}
    assert all(pair.text == pair.target for pair in pairs if pair.group == "binding_en")
    assert all("星" in pair.text and "star" in pair.target for pair in pairs if pair.group == "binding_zh")
