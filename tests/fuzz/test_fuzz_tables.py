"""Tables of captions: spoiled ones give a result or a sentence, and clean ones give back every caption as it was."""

import csv
import io
import json
import random

import pytest
from own_files import captions_in, layout_of

from mmgan.data.folder.layout import clean_text
from mmgan.data.limits import Limits
from mmgan.errors import MmganError

from .mutate import spoil_bytes, spoil_json

MEDIA = {
    name: b"" for name in ("1.png", "2.png", "a b.jpg", "images/3.png", "images/яблоко.png", "3.wav", "wavs/LJ1.wav")
}
ROWS = [("1.png", "a red, ripe apple"), ("2.png", 'a "green" pear'), ("a b.jpg", "яблоко"), ("images/3.png", "x; y|z")]
LIMITS = Limits(files=200, table_bytes=1 << 20)


def as_csv(rows, encoding="utf-8", **dialect):
    written = io.StringIO(newline="")
    csv.writer(written, **dialect).writerows(rows)
    return written.getvalue().encode(encoding)


HEAD = ("file_name", "text")
TABLES = {
    "metadata.csv": [
        as_csv([HEAD, *ROWS]), as_csv([HEAD, *ROWS], "cp1251", delimiter=";"),
        as_csv([HEAD, *ROWS], "utf-16", delimiter="\t"),
        as_csv([HEAD[::-1], *(row[::-1] for row in ROWS)], quoting=csv.QUOTE_ALL), b"LJ1|a bell|a bell\n" * 3,
        b'file_name,text\n1.png,"a red\n2.png,a, b\n"3.wav" , "c"\n',
    ],
    "metadata.jsonl": ["\n".join(json.dumps(dict(zip(HEAD, row, strict=True))) for row in ROWS).encode()],
    "metadata.json": [json.dumps([dict(zip(HEAD, row, strict=True)) for row in ROWS], indent=1).encode()],
    "dataset.json": [json.dumps({"labels": [["1.png", 0], ["2.png", [0, 1]], ["a b.jpg", "x"]]}).encode()],
    "meta_cap.json": [json.dumps({"1": {"caption": "x"}, "2": {"tags": "y"}, "a b": "z"}).encode()],
    "1.txt": ["a red apple, été".encode("cp1252")],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_spoiled_tables_give_a_result_or_a_sentence(name, count, tally):
    for seed in range(count):
        raw = TABLES[name][seed % len(TABLES[name])]
        spoil = spoil_json if name.endswith(".json") else spoil_bytes
        try:
            layout = layout_of(MEDIA | {name: spoil(raw, seed)}, limits=LIMITS)
        except MmganError as error:
            assert "\n" not in str(error) and len(str(error)) < 400
            tally["sentence"] += 1
            continue
        for entry in layout.entries:
            assert entry.text == clean_text(entry.text) and {entry.image, entry.sound} <= {*MEDIA, None}
            entry.text.encode()
        assert all(problem.sentence.endswith(".") and "\n" not in problem.sentence for problem in layout.problems)
        tally["result"] += 1


LETTERS = {  # what captions are made of, by the encodings that can hold it
    "utf-8": "abc ,;|\t\"'.-—’éяりんご苹果빨간🍎\u2028\\", "utf-16": "abc ,;\"'éяりんご苹果🍎", "utf-8-sig": "abc, \"é",
    "cp1251": "абвгдежз , \"", "cp932": "赤いりんごの木 , \"", "cp949": "빨간사과의 , \"",
    "gb18030": "一个红色的苹果在桌子上 , \"", "cp1252": "une pomme très mûre , \"",
}  # fmt: skip
WORDS = {
    "cp1251": "красное яблоко лежит на столе", "cp932": "赤いりんごがテーブルの上にあります",
    "cp949": "빨간 사과가 탁자 위에 있습니다",
    "gb18030": "一个红色的苹果放在桌子上", "cp1252": "une pomme très mûre près de la forêt",
}  # fmt: skip
DIALECTS = [
    {}, {"delimiter": ";"}, {"delimiter": "\t"}, {"delimiter": "|"},
    {"quoting": csv.QUOTE_ALL}, {"lineterminator": "\n"},
    {"quoting": csv.QUOTE_NONNUMERIC, "delimiter": ";"}, {"lineterminator": "\r"},
    {"quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"},
]  # fmt: skip


def caption(draw, encoding):
    made = "".join(draw.choice(LETTERS[encoding]) for _ in range(draw.randint(1, 24)))
    if encoding in WORDS:
        made = f"{WORDS[encoding]} {made}"
    return clean_text(made)


def test_clean_tables_give_back_every_caption(count, tally):
    for seed in range(count):
        draw = random.Random(seed)
        encoding, dialect = draw.choice(list(LETTERS)), draw.choice(DIALECTS)
        names = draw.sample(sorted(MEDIA), draw.randint(1, len(MEDIA)))
        names = [name for name in names if name.isascii() or encoding.startswith(("utf", "cp1251"))]
        captions = {name: caption(draw, encoding) for name in names}
        captions = {name: text for name, text in captions.items() if text and not text.startswith(("'", "\\"))}
        if "escapechar" in dialect:
            captions = {name: text for name, text in captions.items() if "\\" not in text}
        columns = draw.choice([("file_name", "text"), ("text", "file_name"), ("file_name", "text", "model")])
        rows = [[{"file_name": name, "text": text, "model": "x"}[column] for column in columns]
                for name, text in captions.items()]  # fmt: skip
        layout = layout_of(MEDIA | {"metadata.csv": as_csv([columns, *rows], encoding, **dialect)})
        found = captions_in(layout)
        said = {problem.file for problem in layout.problems}
        assert found == captions, (seed, encoding, dialect, said)
        tally["result"] += 1


def test_what_people_write_by_hand_is_whole_or_said(count, tally):
    """Without any quoting: a caption is as it was written, or its row is said."""
    for seed in range(count):
        draw = random.Random(seed)
        first, mark = draw.random() < 0.5, draw.choice(",;|\t")
        captions = {name: caption(draw, "utf-8") for name in draw.sample(sorted(MEDIA), 3)}
        captions = {name: text for name, text in captions.items() if text and text[0] not in "'\\\""}
        rows = [f"{text}{mark}{name}" if first else f"{name}{mark}{text}" for name, text in captions.items()]
        head = f"text{mark}file_name" if first else f"file_name{mark}text"
        layout = layout_of(MEDIA | {"metadata.csv": "\n".join([head, *rows])})
        found, said = captions_in(layout), {problem.file for problem in layout.problems}
        for number, (name, text) in enumerate(captions.items(), start=2):
            assert found.get(name) == text or f"metadata.csv, line {number}" in said, (seed, rows[number - 2], found)
            tally["result" if found.get(name) == text else "sentence"] += 1
