"""Each layout of a dataset, read as it was meant."""

import json

import pytest
from own_files import COLOURS, draw, picture, sound, write_metadata

from mmgan.data.folder.dataset import SOMETHING_ELSE, Folder
from mmgan.data.folder.layout import caption_from_name
from mmgan.errors import DataError


def test_a_folder_per_caption(tmp_path):
    for i in range(3):
        picture(tmp_path / "big_dog" / f"{i}.jpg")
    sound(tmp_path / "big_dog" / "bark.wav")
    picture(tmp_path / "cat" / "x.png", "blue")
    data = Folder(tmp_path)
    assert data.concepts == ["big dog", "cat"] and data.num_images == 4 and data.num_sounds == 1 and not data.problems
    rows = draw(data)
    dogs = [row for row in rows if row.text == "big dog"]
    assert {row.image for row in dogs} == {0, 1, 2} and all(row.sound == 0 for row in dogs)
    cats = [row for row in rows if row.text == "cat"]
    assert cats and all(row.sound is None and row.wrong_text == "big dog" for row in cats)
    assert data.image_concept(0) == "big dog" and data.sound_concept(0) == "big dog"
    assert len(dogs) > len(cats)  # in proportion to what each has


@pytest.mark.parametrize("wrapper", ["", "my data/", "a/b/"])
def test_pairs_by_stem(tmp_path, wrapper):
    for name, colour in COLOURS.items():
        picture(tmp_path / f"{wrapper}{name}_apple.png", colour)
        sound(tmp_path / f"{wrapper}{name}_apple.wav")
    sound(tmp_path / f"{wrapper}rain.wav")
    data = Folder(tmp_path)
    assert data.concepts == ["blue apple", "green apple", "rain", "red apple"]
    for row in draw(data):
        assert (row.image is None) == (row.text == "rain") and row.sound is not None
        if row.image is not None:
            assert data.image_concept(row.image) == data.sound_concept(row.sound) == row.concept
            assert data.image(row.image).getpixel((0, 0)) == COLOURS[row.text.split()[0]]


def test_pairs_by_stem_in_two_folders(tmp_path):
    for name in COLOURS:
        picture(tmp_path / "images" / f"{name}.png", name)
        sound(tmp_path / "audio" / f"{name}.wav")
    assert Folder(tmp_path).concepts == ["blue", "green", "red"]


def test_one_caption_only(tmp_path):
    for i in range(3):
        picture(tmp_path / "dog" / f"{i}.png")
        sound(tmp_path / "dog" / f"{i}.wav")
    data = Folder(tmp_path)
    assert data.concepts == ["dog"] and {row.wrong_text for row in draw(data)} == {SOMETHING_ELSE}
    assert len({(row.image, row.sound) for row in draw(data)}) == 9  # paired anew at every draw


@pytest.mark.parametrize(
    ("stem", "caption"),
    [("red_apple", "red apple"), ("red apple (2)", "red apple"), ("dog_01", "dog"), ("dog 007", "dog"), ("7", "7"),
     ("digit_3", "digit 3"), ("_01", "01"), ("一只狗", "一只狗")],
)  # fmt: skip
def test_captions_from_stems(stem, caption):
    assert caption_from_name(stem) == caption


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_metadata_csv_as_spreadsheets_write_it(tmp_path, encoding, delimiter):
    picture(tmp_path / "images" / "红.png")
    sound(tmp_path / "a.wav")
    lines = [["File_Name ", "audio_file_name", "text"], ["images\\红.png", "", "一个红苹果"], ["", "./a.wav", "雨声"]]
    write_metadata(tmp_path, "\r\n".join(delimiter.join(line) for line in lines), encoding)
    data = Folder(tmp_path)
    assert sorted(data.concepts) == ["一个红苹果", "雨声"] and not data.problems
    for row in draw(data):
        assert (row.image is None) == (row.text == "雨声") and (row.sound is None) == (row.text != "雨声")


def test_json_lines_may_hold_other_separators(tmp_path):
    picture(tmp_path / "a.png")
    rows = json.dumps({"file_name": "a.png", "text": "one\u2028two"}, ensure_ascii=False)
    write_metadata(tmp_path, rows, name="metadata.jsonl")
    data = Folder(tmp_path)
    assert data.concepts == ["one two"] and not data.problems


def test_metadata_jsonl_and_what_does_not_fit(tmp_path):
    picture(tmp_path / "d" / "a.png")
    sound(tmp_path / "d" / "b.wav")
    picture(tmp_path / "unused.png")
    (tmp_path / "film.avi").write_bytes(b"x")
    (tmp_path / "README.md").write_text("about")
    rows = [
        {"text": "both", "file_name": "a.png", "audio_file_name": "b.wav"},
        {"text": "a lost sound", "file_name": "a.png", "audio_file_name": "lost.wav"},
        {"text": "outside", "file_name": "../../../../etc/passwd"},
        {"text": "  ", "file_name": "a.png"},
        {"text": "sound in the other column", "file_name": "b.wav"},
        {"file_name": ["a.png"], "text": None},
    ]
    write_metadata(tmp_path / "d", "\n".join([*map(json.dumps, rows), "{broken", "[1]", ""]), name="metadata.jsonl")
    data = Folder(tmp_path)
    assert data.concepts == ["a lost sound", "both", "sound in the other column"]
    files = [problem.file for problem in data.problems]
    lines = [2, 3, 3, 4, 6, 7, 8]
    assert files == ["film.avi", *(f"d/metadata.jsonl, line {line}" for line in lines), "unused.png"]
    assert all(problem.sentence.endswith(".") for problem in data.problems)


def test_metadata_without_text_says_what_to_write(tmp_path):
    for name in ("a.png", "b.png"):
        picture(tmp_path / name)
    write_metadata(tmp_path, "file,colour\na.png,x\nb.png,y\n")
    with pytest.raises(DataError, match="no column 'text'"):
        Folder(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "text", 'text,file_name\n"a.png', "\0\0\0", "text,file_name\n" + "x" * 200_000 + ",a.png"]
)
def test_broken_metadata(tmp_path, content):
    picture(tmp_path / "a.png")
    write_metadata(tmp_path, content)
    with pytest.raises(DataError) as error:
        Folder(tmp_path)
    assert "\n" not in str(error.value)
