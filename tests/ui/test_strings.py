"""Every text of the page in both languages."""

import re
from dataclasses import fields
from types import SimpleNamespace

import pytest

from mmgan.evaluation import memorisation as own
from mmgan.language import rooms, say, texts
from mmgan.system.resources import ASSETS
from mmgan.training.losses import LOSSES
from mmgan.ui import language as strings
from mmgan.ui.train.watching import spoken_run


def test_every_loss_has_its_title():
    for name, loss in LOSSES.items():
        assert say(f"set_loss_{name}_title") == loss.title


@pytest.mark.parametrize("count, expected", [(0, "0 files"), (1, "1 file"), ("1", "1 file"), ("1,001", "1,001 files")])
def test_numbers_have_their_grammar(count, expected):
    assert say("collect_files", count=count) == expected
    assert say("collect_files", "zh", count=count) == f"{count} 个文件"


def test_no_count_stands_before_a_word_that_is_always_many():
    """ "1 sounds" is what comes of it; where a count is never 1 it may."""
    may = {"train_samples_note"}  # always eight
    many = re.compile(r"\{(count|pictures|sounds|problems|left_out)\} (other |chosen )?[a-z]+s\b")
    assert not [key for key, english in texts().items() if many.search(english) and key not in may and "." not in key]


def test_no_key_stands_in_two_rooms():
    assert sum(map(len, rooms().values())) == len(texts())


def test_the_page_knows_what_is_said_of_copying():
    known = ("copying", "close", "far", "own")
    for copies, nearer, code in zip((0.9, own.CLOSE, 0.0, 0.0), (1.0, 1.0, 0.0, 1.0), known, strict=True):
        row = {f.name: 0.0 for f in fields(own.Measures)} | {"copies": copies, "nearer": nearer}
        gauges = {"image": own.Measures(**row).gauge}
        said = spoken_run({"reason": "", "finetune": {"gauges": gauges}}, "zh")["finetune"]
        assert said["codes"] == {"image": code}
        assert said["gauges"]["image"] == say(f"memorisation.{code}", "zh", share=copies)
    script = (ASSETS / "train" / "finetune.js").read_text(encoding="utf-8")
    assert '["copying", "close"]' in script


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
