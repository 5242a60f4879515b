"""What a model has seen and what it has not: the nearest training caption, words that no caption has, and slips."""

import pytest

from mmgan import Pipeline
from mmgan.data.digits import captions
from mmgan.errors import PromptError
from mmgan.text.encoder import TextEncoder
from mmgan.text.familiarity import CAPTIONS, measure_familiarity, spread_captions

STRANGE = ["a cat on a sofa", "a blue whale", "my grandmother's soup", "一只猫", "asdfghjkl", "🐶"]


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder.from_pretrained()


@pytest.fixture(scope="module", params=["digits", "shapes"])
def pipe(request, encoder):
    return Pipeline.from_pretrained(request.param, device="cpu", text_encoder=encoder)


def test_strange_prompts_are_not_known(pipe):
    assert [f.known for f in pipe.familiarity(STRANGE)] == [False] * len(STRANGE)


def test_what_the_model_learned_from_is_known(pipe):
    assert all(f.known and f.cosine > 0.99 for f in pipe.familiarity(pipe.captions[::20]))
    assert 100 < len(pipe.captions) <= CAPTIONS


def test_digits_asked_for_in_other_words_and_misspelt_are_known(encoder):
    pipe = Pipeline.from_pretrained("digits", device="cpu", text_encoder=encoder)
    asked = [text for text, _ in captions.evaluation_prompts()] + ["seben", "tow", "a handwriten eihgt", "数字七"]
    found = pipe.familiarity(asked)
    assert [text for text, f in zip(asked, found, strict=True) if not f.known] == []


def test_shapes_asked_for_in_other_words_and_misspelt_are_known(encoder):
    pipe = Pipeline.from_pretrained("shapes", device="cpu", text_encoder=encoder)
    asked = ["big bleu traingle on white", "could you paint me a small purple ring?", "红色的星星"]
    assert all(f.known for f in pipe.familiarity(asked))


def test_words_that_no_caption_has_are_named(encoder):
    (found,) = measure_familiarity(["A Red elephant and a gren star"], ["a red star", "a green star and"], encoder)
    assert found.new_words == ("elephant",) and found.caption in ("a red star", "a green star and")


def test_a_real_word_is_no_slip_of_another(encoder):
    found = measure_familiarity(["car", "stra", "sta"], ["a red star"], encoder)
    assert [f.new_words for f in found] == [("car",), (), ()]


def test_the_chosen_captions_have_every_word(encoder):
    """Also one that hardly moves an embedding: left out, it would make prompts with it unknown."""
    texts = [
        "a red star",
        "a blue star",
        "a red circle",
        "a blue circle",
        "a red dog",
        "a blue house",
        "a blue star please",
    ]
    assert any("please" in text for text in spread_captions(texts, encoder, 6))
    assert len(spread_captions(texts, encoder, 6)) == 6


def test_captions_are_chosen_so_that_none_is_far_from_all(encoder):
    texts = [
        f"a {colour} {thing}" for colour in ("red", "blue", "green") for thing in ("star", "circle", "dog", "house")
    ]
    chosen = spread_captions(texts + texts, encoder, 6)
    assert len(set(chosen)) == 6 and spread_captions(texts[::-1], encoder, 6) == chosen
    near = (encoder.encode(texts) @ encoder.encode(chosen).T).max(1).values
    assert near.min() > 0.5 and spread_captions(texts[:3] * 2, encoder, 6) == sorted(texts[:3])


def test_no_prompts_and_no_captions_give_nothing(pipe, monkeypatch):
    assert pipe.familiarity([]) == []
    monkeypatch.setitem(pipe.info, "captions", ["", 7, None])
    monkeypatch.delitem(pipe.__dict__, "captions")  # what it remembers of its info
    assert pipe.captions == [] and pipe.familiarity("seven") == []


def test_a_prompt_that_cannot_be_used_is_refused(pipe):
    with pytest.raises(PromptError):
        pipe.familiarity([" "])
