"""Every text of the page in both languages."""

import re
import string
from dataclasses import fields
from types import SimpleNamespace

import pytest

from mmgan.data.cleaning import REPAIRS
from mmgan.evaluation import own
from mmgan.training.losses import LOSSES
from mmgan.ui import strings
from mmgan.ui.strings import collect, page, sample, train


def places(text):
    """The names of the places; of {count|file|files}, which only English has, what it counts."""
    return {name.partition("|")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", strings.TEXTS)
def test_both_languages_with_the_same_places(key):
    english, chinese = strings.TEXTS[key]
    assert english.strip() and chinese.strip() and places(english) == places(chinese)


def test_every_loss_has_its_title():
    for name, loss in LOSSES.items():
        assert strings.TEXTS[f"set_loss_{name}_title"][0] == loss.title


@pytest.mark.parametrize("count, expected", [(0, "0 files"), (1, "1 file"), ("1", "1 file"), ("1,001", "1,001 files")])
def test_numbers_have_their_grammar(count, expected):
    assert strings.say("collect_files", count=count) == expected
    assert strings.say("collect_files", "zh", count=count) == f"{count} 个文件"


def test_no_count_stands_before_a_word_that_is_always_many():
    """ "1 sounds" is what comes of it; where a count is never 1 it may."""
    may = {"train_samples_note", "long_prompt"}  # always eight; over a thousand
    many = re.compile(r"\{(count|pictures|sounds|problems|left_out)\} (other |chosen )?[a-z]+s\b")
    assert not [key for key, (english, _) in strings.TEXTS.items() if many.search(english) and key not in may]


def test_no_key_stands_in_two_modules():
    assert len(strings.TEXTS) == sum(len(module.TEXTS) for module in (page, sample, train, collect))


def test_the_page_knows_what_is_said_of_copying():
    known = [strings.TEXTS[f"collect_gauge_{name}"][0] for name in ("copying", "close", "far", "own")]
    for copies, nearer, text in zip((0.9, own.CLOSE, 0.0, 0.0), (1.0, 1.0, 0.0, 1.0), known, strict=True):
        said = own.Measures(**{f.name: 0.0 for f in fields(own.Measures)} | {"copies": copies, "nearer": nearer}).gauge
        assert said == text.format(share=f"{copies:.0%}")


@pytest.mark.parametrize(
    "code",
    [
        "silent",
        "too_short",
        "too_small",
        "no_caption",
        "clipped",
        "faint",
        "too_long",
        "broken",
        "duplicate",
        "duplicate_caption",
        "no_partner_image",
        "no_partner_sound",
        *(f"repaired_{kind}" for kind in REPAIRS),
    ],
)
def test_every_problem_has_a_sentence(code):
    assert f"collect_problem_{code}" in strings.TEXTS


def request(languages, chosen=None):
    cookies = {strings.COOKIE: chosen} if chosen else {}
    return SimpleNamespace(headers={"accept-language": languages}, cookies=cookies)


@pytest.mark.parametrize(
    "languages, chosen, expected",
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", None, "zh"),
        ("zh-TW", None, "zh"),
        ("en-GB,zh;q=0.5", None, "en"),
        ("de", None, "en"),
        ("", None, "en"),
        ("zh-CN", "en", "en"),
        ("en", "zh", "zh"),
        ("en", "<script>", "en"),
    ],
)
def test_language(languages, chosen, expected):
    assert strings.language(request(languages, chosen)) == expected


def test_called_from_python_it_is_english():
    assert strings.language(None) == "en"


def test_traditional_chinese_falls_back_to_simplified():
    tables = strings.i18n().translations_dict
    assert tables["zh-TW"] == tables["zh"] == tables["zh-CN"] != tables["en"]
    assert tables["en"].keys() == tables["zh"].keys()


def test_an_unknown_label_is_refused_at_once():
    with pytest.raises(KeyError):
        strings.label("no such text")
