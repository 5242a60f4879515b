"""Tables of captions as spreadsheets, tools and people write them: read as they were meant, or said at the row."""

import csv
import io
import json

import pytest
from own_files import Bytes, in_table, layout_of

from mmgan.data.folder.reading import read_layout
from mmgan.data.limits import Limits
from mmgan.errors import DataError

APPLE, PEAR = "a red, ripe apple", "a pear"
BOTH = {"1.png": APPLE, "2.png": PEAR}


@pytest.mark.parametrize(
    "table",
    [
        'file_name,text\n1.png,"a red, ripe apple"\n2.png,a pear\n',
        "file_name,text\n1.png,a red, ripe apple\n2.png,a pear\n",
        "text,file_name\na red, ripe apple,1.png\na pear,2.png\n",
        "text,file_name,audio_file_name\na red, ripe apple,1.png,\na pear,2.png,\n",
        "text,file_name,audio_file_name\na red, ripe apple,1.png\na pear,2.png\n",
        "file_name,audio_file_name,text\n1.png,,a red, ripe apple\n2.png,,a pear\n",
        "file_name,text,audio_file_name\n1.png,a red, ripe apple\n2.png,a pear\n",
        'file_name,text\n1.png, "a red, ripe apple"\n2.png, a pear\n',
        'file_name,text\n"1.png" , "a red, ripe apple" \n2.png , a pear\n',
        '"file_name" , "text"\n"1.png" , "a red, ripe apple"\n"2.png" , "a pear"\n',
        '"file_name,text"\n"1.png,""a red, ripe apple"""\n"2.png,a pear"\n',
        "file_name,text\r1.png,a red, ripe apple\r2.png,a pear",
        "\n\r\nfile_name,text\r\n\r\n1.png,a red, ripe apple\r\n2.png,a pear\r\n\r\n",
        "file_name;text\n1.png;a red, ripe apple\n2.png;a pear\n",
        "file_name;text;;\n1.png;a red, ripe apple;;\n2.png;a pear;;\n",
        "file_name\ttext\n1.png\ta red, ripe apple\n2.png\ta pear\n",
        "file_name|text\n1.png|a red, ripe apple\n2.png|a pear\n",
        "sep=;\r\nfile_name;text\r\n1.png;a red, ripe apple\r\n2.png;a pear\r\n",
        '"sep=;"\nfile_name;text\n1.png;a red, ripe apple\n2.png;a pear\n',
        "\ufefffile_name,text\n1.png,a red, ripe apple\n2.png,a pear\n",
        "1.png,a red, ripe apple\n2.png,a pear\n",
        "a red, ripe apple,1.png\na pear,2.png\n",
        "1.png\ta red, ripe apple\n2.png\ta pear\n",
        "1|a red, ripe apple\n2|a pear\n",
        "1|a red, ripe apple|spoken otherwise\n2|a pear|a pear\n",
        'file_name,text\n1.png,"a red,\nripe apple"\n2.png,a pear\n',
        "thing,text\n1.png,a red, ripe apple\n2.png,a pear\n",
        'id,text\n1,"a red, ripe apple"\n2,a pear\n',
        "file_name,text,source\n1.png,\"a red, ripe apple\",mine\n2.png,a pear,mine\n",
    ],
)  # fmt: skip
def test_one_meaning_in_many_spellings(table):
    captions, said = in_table(table, ["1.png", "2.png"])
    assert captions == BOTH and not said


@pytest.mark.parametrize("text", ["text", "caption", "Captions", "prompt", "label", "Description", " TEXT ", "标签"])
@pytest.mark.parametrize(
    "file", ["file_name", "File-Name", "filename", "file", "image", "path", "Image Path", "文件名"]
)
def test_columns_by_the_names_that_people_give_them(text, file):
    assert in_table(f"{file},{text}\n1.png,a pear\n", ["1.png"]) == ({"1.png": PEAR}, [])
    assert in_table(f"{text},{file},audio\na bell,1.png,1.wav\n", ["1.png", "1.wav"]) == (
        {"1.png": "a bell", "1.wav": "a bell"}, []
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "caption"),
    [
        ('1.png,"a red, ripe apple', "a red, ripe apple"), ('1.png,"a red apple', "a red apple"),
        ('1.png, "a red apple', "a red apple"), ('"1.png,a red apple', "a red apple"),
    ],
)  # fmt: skip
def test_a_quote_that_nothing_closes_swallows_no_row(row, caption):
    for more in ("2.png,a pear\n3.png,a plum\n", '2.png,a pear\n3.png,"a plum"\n', '2.png,a pear\n3.png,a "plum"\n'):
        captions, said = in_table(f"file_name,text\n{row}\n{more}")
        assert captions["1.png"] == caption and captions["2.png"] == PEAR and "plum" in captions["3.png"]
        assert not said or (said[0][0] == "metadata.csv, line 2" and caption[:20] in said[0][1])
        assert said or row.startswith('"')


@pytest.mark.parametrize(
    ("cell", "caption"),
    [
        ('a "red" apple', 'a "red" apple'), ('"Hello" he said', '"Hello" he said'), 
        ('a ruler of 12"', 'a ruler of 12"'),
        ('"a ""red"" apple"', 'a "red" apple'), ('"a \\"red\\" apple"', 'a "red" apple'), ("an apple's", "an apple's"),
        ('a "red", ripe apple', 'a "red", ripe apple'), ("'a red apple'", "'a red apple'"), ("'=1+1", "=1+1"),
        ("  a   red\tapple ", "a red apple"),
    ],
)  # fmt: skip
def test_quotes_within_captions(cell, caption):
    assert in_table(f"file_name,text\n1.png,{cell}\n2.png,{PEAR}\n", ["1.png", "2.png"]) == (
        {"1.png": caption, "2.png": PEAR}, []
    )  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        "file_name,text,label\n1.png,a red, ripe, apple\n",  # "a red" or "a red, ripe"
        'file_name,text\n1.png,"a red", ripe apple\n',  # with the quotes or without
        "file_name,source,text\n1.png,mine, yours,a red apple\n",
    ],
)
def test_what_may_mean_two_things_is_said_at_the_row(table):
    captions, said = in_table(table + "2.png,x,a pear\n" if "source" in table else table, ["1.png"])
    assert not captions
    assert said[0][0] == "metadata.csv, line 2" and "double quotes" in said[0][1]


def test_backslashes_are_taken_off_with_a_word():
    captions, said = in_table("file_name,text\n1.png,a red\\, ripe apple\n2.png,a pear\n", ["1.png", "2.png"])
    assert captions == BOTH and said[0][0].endswith("line 2") and "backslashes" in said[0][1]


def test_empty_cells_at_the_end_are_left_off_with_a_word():
    captions, said = in_table('file_name,text\n1.png,a red, ripe apple,,,\n2.png,"a pear",,\n', ["1.png", "2.png"])
    assert captions == BOTH
    assert [(where, "empty cells" in why) for where, why in said] == [("metadata.csv, line 2", True)]


def test_a_comma_in_a_files_name():
    assert in_table("file_name,text\nred, ripe.png,an apple\n", ["red, ripe.png"]) == (
        {"red, ripe.png": "an apple"},
        [],
    )


def test_rows_that_name_nothing_keep_their_whole_caption_until_it_is_said():
    captions, said = in_table("file_name,text\nlost.png,a red, ripe apple\n1.png,a pear\n", ["1.png"])
    assert captions == {"1.png": PEAR} and "'lost.png'" in said[0][1] and said[0][0].endswith("line 2")


# JSON ----------------------------------------------------------------------------------------------------------------

ROWS = [{"file_name": "1.png", "text": APPLE}, {"file_name": "2.png", "text": PEAR}]
LINES = [json.dumps(row) for row in ROWS]


@pytest.mark.parametrize(
    "name", ["metadata.jsonl", "metadata.json", "METADATA.JSONL", "metadata.jsonl.txt", "captions.json"]
)
@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LINES), "\ufeff" + "\r\n".join(LINES), ",\n".join(LINES) + ",", f"[{', '.join(LINES)}]",
        f"[\n{LINES[0]},\n{LINES[1]},\n]", json.dumps(ROWS, indent=2), "\n".join(json.dumps(r, indent=1) for r in ROWS),
        "\r".join(LINES), "\n\n".join(LINES), "\n".join(line[:-1] + ",}" for line in LINES), json.dumps({"rows": ROWS}),
        "\n".join(json.dumps(row, indent=1)[:-2] + ",\n}" for row in ROWS),
        json.dumps({"1.png": APPLE, "2.png": {"caption": PEAR}}),
        json.dumps({"1": {"tags": APPLE}, "2": {"tags": PEAR}}),
        json.dumps([{"Image": {"path": "x/1.png", "bytes": None}, "Caption": [APPLE]},
                    {"Image": "2.png", "Caption": PEAR}]),
    ],
)  # fmt: skip
def test_json_in_every_shape(name, text):
    assert in_table(text, ["1.png", "2.png"], name) == (BOTH, [])


def test_lists_of_captions_are_captions_each():
    table = json.dumps({"file_name": "1.png", "text": ["a red apple", "an apple", "an apple", "", None]})
    assert in_table(table, ["1.png"], "metadata.jsonl") == ({"1.png": ["a red apple", "an apple"]}, [])
    written = io.StringIO()
    csv.writer(written).writerows([["file_name", "text"], ["1.png", '["a red apple", "an apple"]']])
    assert in_table(written.getvalue(), ["1.png"]) == ({"1.png": ["a red apple", "an apple"]}, [])


def test_a_damaged_row_costs_the_others_nothing():
    text = "\n".join([LINES[0], '{"file_name": "3.png", "text": "cut off', LINES[1]])
    captions, said = in_table(text, ["1.png", "2.png", "3.png"], "metadata.jsonl")
    assert captions == BOTH and said[0] == ("metadata.jsonl, line 2", "is not a JSON object, so it is left out.")


# Other names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "metadata.csv.txt",
        "metadata.txt",
        "Metadata.CSV",
        "metadata (1).csv",
        "captions.csv",
        "captions.txt",
        "train.tsv",
    ],
)
def test_tables_under_other_names(name):
    mark = "\t" if name.endswith("tsv") else ","
    rows = ["file_name", "text"], ["1.png", APPLE], ["2.png", PEAR]
    assert in_table("\n".join(map(mark.join, rows)), ["1.png", "2.png"], name) == (BOTH, [])


def test_a_list_of_something_else_is_no_table():
    files = {f"dog/{i}.png": b"" for i in range(4)} | {"prices.csv": "item,price\ndog,3\n", "labels.txt": "dog\ncat\n"}
    files |= {"metadata.json": '{"labels": ["dog"], "image": "0.png"}', "few.csv": "file,text\ndog/0.png,a price\n"}
    layout = layout_of(files)
    assert {entry.text for entry in layout.entries} == {"dog"} and len(layout.entries) == 4
    assert [problem.file for problem in layout.problems] == ["few.csv", "labels.txt", "metadata.json", "prices.csv"]


def test_a_spreadsheet_says_what_to_save_it_as():
    layout = layout_of({"dog/1.png": b"", "metadata.xlsx": b"PK"})
    assert "save it as metadata.csv" in layout.problems[0].sentence


# Bounds --------------------------------------------------------------------------------------------------------------

SMALL = Limits(files=10, table_bytes=100_000)


@pytest.mark.parametrize(("name", "head", "row"), [
    ("metadata.csv", "file_name,text\n", "1.png,a pear\n"), ("metadata.csv", "file_name,text\n", "\n"),
    ("metadata.csv", "file_name,text\n", "1.png,x,y,z\n"), ("metadata.jsonl", "", LINES[0] + "\n"),
    ("metadata.jsonl", "[", "{},"), ("metadata.jsonl.txt", "", '"x"\n'),
])  # fmt: skip
def test_rows_stop_being_read_at_the_limit(name, head, row):
    with pytest.raises(DataError, match=r"has more than 50 lines; split the dataset into smaller ones\."):
        in_table(head + row * 51, ["1.png"], name, limits=SMALL)
    in_table(head + row * 49, ["1.png"], name, limits=SMALL)


def test_of_what_is_no_json_at_all_a_hundred_rows_are_said():
    _, said = in_table("{\n" * 5_000, ["1.png"], "metadata.jsonl")
    assert len(said) == 101  # and the picture that none names


def test_a_table_beyond_the_limit_is_not_even_read():
    class Huge(Bytes):
        def read(self, name):
            raise AssertionError("it is read")

    with pytest.raises(DataError, match=r"metadata.csv is larger than 0.1 MiB; split"):
        read_layout(Huge({"1.png": b"", "metadata.csv": b"file_name,text\n" + b"1.png,a pear\n" * 20_000}, SMALL))


def test_long_cells_and_lines_are_left_out_alone():
    table = f"file_name,text\n1.png,{'x' * 11_000}\n2.png,a pear\n3.png,{'y' * 200_000}\n"
    captions, said = in_table(table)
    assert captions == {"2.png": PEAR} and [where for where, _ in said[:2]] == [
        f"metadata.csv, line {i}" for i in (2, 4)
    ]
    assert all("10,000 characters" in why for _, why in said[:2])
    captions, said = in_table(json.dumps({"file_name": "1.png", "text": "z" * 11_000}), name="metadata.jsonl")
    assert not captions and "10,000 characters" in said[0][1]


def test_a_table_of_many_columns_is_refused():
    with pytest.raises(DataError, match="more than 50 columns"):
        in_table("text,file_name" + ",x" * 200 + "\n")
