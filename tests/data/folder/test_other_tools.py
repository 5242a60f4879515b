"""Layouts of kohya_ss, OneTrainer, LJSpeech, StyleGAN and Teachable Machine."""

import io
import json
import zipfile

import pytest
from own_files import Bytes, captions_in, layout_of

from mmgan.data.folder.reading import read_layout
from mmgan.data.limits import Limits
from mmgan.errors import DataError


def said(layout):
    return {problem.file: problem.sentence for problem in layout.problems}


@pytest.mark.parametrize("suffix", [".txt", ".caption", ".TXT", ".png.txt"])
@pytest.mark.parametrize("folder", ["", "set/", "10_apple/"])
def test_a_text_file_beside_each_picture(suffix, folder):
    layout = layout_of({
        f"{folder}img001.png": b"", f"{folder}img001{suffix}": " a red apple\non a table \n",
        f"{folder}img002.png": b"",
        f"{folder}img002{suffix}": b"\xef\xbb\xbfa green pear", f"{folder}README.txt": "about it",
    })  # fmt: skip
    assert captions_in(layout) == {
        f"{folder}img001.png": "a red apple on a table",
        f"{folder}img002.png": "a green pear",
    }
    assert not layout.problems


def test_text_files_of_sounds_in_an_old_encoding_are_guessed_together():
    texts = {"1": "un chien à l’été", "2": "très fort", "3": "la forêt"}
    files = {f"{name}.wav": b"" for name in texts} | {f"{n}.txt": text.encode("cp1252") for n, text in texts.items()}
    layout = layout_of(files)
    assert captions_in(layout) == {f"{name}.wav": text for name, text in texts.items()}
    assert all(reading.guessed and reading.encoding == "cp1252" for reading in layout.readings)
    assert captions_in(layout_of(files, "cp1251"))["2.wav"] == "trиs fort"


def test_a_caption_is_for_the_pair():
    layout = layout_of({"images/bell.png": b"", "audio/bell.wav": b"", "audio/bell.txt": "a bronze bell"})
    (entry,) = layout.entries
    assert (entry.text, entry.image, entry.sound) == ("a bronze bell", "images/bell.png", "audio/bell.wav")


def test_captions_in_a_folder_of_their_own():
    layout = layout_of(
        {"images/1.png": b"", "captions/1.txt": "an apple", "images/2.png": b"", "captions/2.txt": "a pear"}
    )
    assert captions_in(layout) == {"images/1.png": "an apple", "images/2.png": "a pear"} and not layout.problems


def test_what_has_no_text_file_is_called_by_its_folder():
    layout = layout_of({
        "10_apple/1.png": b"", "10_apple/1.txt": "a ripe apple", "10_apple/2.png": b"", "5_pear/3.png": b"",
        "5_pear/3.txt": "  \n", "notes.txt": "to do",
    })  # fmt: skip
    assert captions_in(layout) == {"10_apple/1.png": "a ripe apple", "10_apple/2.png": "apple", "5_pear/3.png": "pear"}
    assert set(said(layout)) == {"5_pear/3.txt", "notes.txt"} and "is empty" in said(layout)["5_pear/3.txt"]


def test_a_table_goes_before_text_files_and_they_fill_its_gaps():
    layout = layout_of({
        "metadata.csv": "file_name,text\n1.png,from the table\n", "1.png": b"", "1.txt": "beside", "2.png": b"",
        "2.txt": "beside two", "3.png": b"",
    })  # fmt: skip
    assert captions_in(layout) == {"1.png": "from the table", "2.png": "beside two"}
    assert "is not used" in said(layout)["1.txt"] and "is not named in metadata.csv" in said(layout)["3.png"]


def test_text_files_that_are_no_captions():
    layout = layout_of({"1.png": b"", "1.txt": "x" * 70_000, "2.png": b"", "2.txt": "caf\ufffd"})
    assert captions_in(layout) == {"1.png": "1", "2.png": "2"}
    assert "too much for a caption" in said(layout)["1.txt"] and "cannot be read" in said(layout)["2.txt"]
    files = {f"{i}.{kind}": b"" if kind == "png" else b"x" * 1_000 for i in range(20) for kind in ("png", "txt")}
    with pytest.raises(DataError, match="captions beside files are larger"):
        layout_of(files, limits=Limits(table_bytes=10_000))


@pytest.mark.parametrize(
    ("folders", "captions"),
    [
        (["10_apple", "5_pear"], ["apple", "pear"]), (["10_apple"], ["apple"]), (["10_red apple",
        "5_x_y"], ["red apple", "x y"]),
        (["1_apple", "2_apple"], ["1 apple", "2 apple"]),  # counts, not repeats
        (["10_apple", "pear"], ["10 apple", "pear"]), (["2024_01", "2024_02"], ["2024 01", "2024 02"]),
        (["Class 1-samples", "Class 2-samples"], ["Class 1", "Class 2"]), (["well-samples", "x"], ["well-samples",
        "x"]),
        (["img/10_apple", "img/5_pear"], ["apple", "pear"]),
    ],
)  # fmt: skip
def test_what_other_tools_write_into_folders_names(folders, captions):
    layout = layout_of({f"{folder}/{i}.png": b"" for folder in folders for i in range(2)})
    assert sorted({entry.text for entry in layout.entries}) == sorted(captions)


@pytest.mark.parametrize(
    "table",
    ["{}|a bell|a bell\n", "{}|a bell\n", "{}.wav|a bell\n", "wavs/{}.wav|a bell|0\n", "file|text\n{}|a bell\n"],
)
def test_ljspeech(table):
    layout = layout_of({"metadata.csv": table.format("LJ001-0001"), "wavs/LJ001-0001.wav": b""})
    assert captions_in(layout) == {"wavs/LJ001-0001.wav": "a bell"} and not layout.problems


def test_ljspeechs_quotes_are_letters():
    layout = layout_of(
        {"metadata.csv": 'a|"Hello," he said\nb|"and\nc|so on"|x\n', **{f"wavs/{x}.wav": b"" for x in "abc"}}
    )
    assert list(captions_in(layout).values()) == ['"Hello," he said', '"and', 'so on"']


@pytest.mark.parametrize(
    ("labels", "captions"),
    [
        ([["00000/a.png", 0], ["00000/b.png", 12]], ["class 0", "class 12"]),
        ({"00000/a.png": 0, "00000/b.png": 1}, ["class 0", "class 1"]),
        ([["00000/a.png", [0, 1]], ["00000/b.png", [1.0, 0.0]]], ["class 1", "class 0"]),
        ([["00000/a.png", [3]], ["00000\\b.png", 2.0]], ["class 3", "class 2"]),
        ([["00000/a.png", "cat"], ["00000/b.png", "dog"]], ["cat", "dog"]),
    ],
)
def test_stylegans_labels(labels, captions):
    files = {"dataset.json": json.dumps({"labels": labels}), "00000/a.png": b"", "00000/b.png": b""}
    layout = layout_of(files)
    assert list(captions_in(layout).values()) == captions
    assert ("dataset.json" in said(layout)) == ("class 0" in captions or "class 2" in captions)


@pytest.mark.parametrize("labels", [None, [], {}])
def test_stylegan_without_labels(labels):
    layout = layout_of({"dataset.json": json.dumps({"labels": labels}), "00000/a.png": b""})
    assert not layout.entries and "has no labels" in said(layout)["dataset.json"]


def test_stylegan_with_rows_that_do_not_fit():
    rows = [
        ["a.png", 1],
        ["lost.png", 1],
        ["b.png", None],
        ["b.png", [1, 1]],
        ["b.png", 0.5],
        7,
        ["b.png"],
        ["b.png", True],
    ]
    layout = layout_of({"dataset.json": json.dumps({"labels": rows}), "a.png": b"", "b.png": b""})
    assert captions_in(layout) == {"a.png": "class 1"}
    assert {f"dataset.json, row {i}" for i in range(2, 9)} <= set(said(layout))


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_teachable_machines_zips_of_each_class():
    inner = {f"image-samples/Class {i}-samples.zip": zipped({"0.jpg": b"%d" % i, "1.jpg": b"x"}) for i in (1, 2)}
    layout = read_layout(Bytes(inner))
    found = captions_in(layout)
    assert set(found.values()) == {"Class 1", "Class 2"} and len(found) == 4 and not layout.problems
    assert layout.files.read("image-samples/Class 2-samples/0.jpg") == b"2"
    assert (
        layout.files.read("image-samples/Class 1-samples/0.jpg") == b"1" and layout.files.size(next(iter(found))) == 1
    )
    alone = layout_of({"0.jpg": b"", "1.jpg": b""}, title="Red apple-samples (1)")
    assert set(captions_in(alone).values()) == {"Red apple"}


def test_zips_within_are_held_to_the_limits():
    bad = zipped({"../up.jpg": b"x"})
    with pytest.raises(DataError, match="outside itself"):
        layout_of({"Class 1-samples.zip": bad})
    many = {f"Class {i}-samples.zip": zipped({f"{j}.jpg": b"x" * 100 for j in range(4)}) for i in range(4)}
    with pytest.raises(DataError, match="more than 10 files"):
        layout_of(many, limits=Limits(files=10))
    with pytest.raises(DataError, match="unpacks to over"):
        layout_of(many, limits=Limits(total_bytes=1_000))
    nested = zipped({"Class 2-samples.zip": zipped({"0.jpg": b"x"})})
    assert not layout_of({"Class 1-samples.zip": nested}).entries
