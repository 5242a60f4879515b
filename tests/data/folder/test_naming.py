"""The file that a table means: exactly the one it names, else the only one that is named nearly so."""

import unicodedata

import pytest
from own_files import in_table

from mmgan.data.folder.layout import kind_of
from mmgan.data.folder.naming import Names


def found(written, *names, folder=""):
    return Names(names, kind_of).find(written, folder)


@pytest.mark.parametrize(
    "name",
    ["Screenshot 2026-01-02 at 1.04.05\u202fPM.png", "Capture à\u00a010.11.12.png", "全角\u3000空白.png",
     " red apple.png",
     "two  spaces.png", "trailing .png", "a, b.png", "100%.png", "50%20off.png", "a'b.png", "red\u200bapple.png",
     "A.PNG",
     "#1.png", "a?b.png", "a&b;c.png", "-1.png", "~x.png", "x:y.png", "a\\b.png", "naïve.png", "nai\u0308ve.png",
     "😀.png",
     "wavs/a.wav", "deep/er/a b.png"],
)  # fmt: skip
def test_a_name_that_is_written_exactly_is_found_exactly(name):
    others = ["a.png", "red apple.png", "two spaces.png", "trailing.png", "50 off.png", "redapple.png", "nave.png"]
    assert found(name, name, *others) == (name,)
    if "\\" not in name:
        quoted = '"' + name + '"' if "," in name else name
        assert in_table(f"file_name,text\n{quoted},an apple\n", [name, *others])[0] == {name: "an apple"}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("img_1.jpg", "IMG_1.JPG"), ("STRASSE.png", "straße.png"), ("1.png", "1.PNG"), ("1.jpg", "1.jpeg"), ("1.JPG",
        "1.png"),
        (unicodedata.normalize("NFC", "pérroquet.png"), unicodedata.normalize("NFD", "pérroquet.png")),
        (unicodedata.normalize("NFD", "Pérroquet.png"), unicodedata.normalize("NFC", "pérroquet.png")),
        ("Screenshot at 1.04 PM.png", "Screenshot at 1.04\u202fPM.png"), ("à 10.png", "à\u00a010.png"),
        ("全角 空白.png", "全角\u3000空白.png"), ("red  apple.png", "red apple.png"), (" 1.png ", "1.png"),
        ("l'été.png", "l’été.png"), ("red%20apple.png", "red apple.png"), ("%E7%BA%A2.png", "红.png"),
        ("images\\1.png", "images/1.png"), ("./1.png", "1.png"), (".\\1.png", "1.png"), ("'1.png'", "1.png"),
        ("C:\\Users\\x\\set\\1.png", "1.png"), ("C:/Users/x/set/1.png", "set/1.png"), ("\\\\server\\share\\1.png",
        "1.png"),
        ("/Users/anna/Desktop/1.png", "pics/1.png"), ("file:///Users/anna/red%20apple.png", "red apple.png"),
        ("https://example.org/a/1.png?raw=1#x", "1.png"), ("~/set/1.png", "1.png"), ("set/images/1.png",
        "images/1.png"),
        ("1.png", "deep/er/1.png"), ("LJ001-0001", "wavs/LJ001-0001.wav"), ("LJ001-0001.5", "LJ001-0001.5.wav"),
        ("images/1.png", "my set/images/1.png"),
    ],
)  # fmt: skip
def test_the_only_file_that_is_named_nearly_so(written, name):
    assert found(written, name, "other.png", "else/2.png", "2.wav") == (name,)


def test_the_strictest_match_wins():
    assert found("a.png", "a.png", "A.png", "x/a.png") == ("a.png",)
    assert found("a%20b.png", "a b.png", "a%20b.png") == ("a%20b.png",)
    assert found("a b.png", "a\u00a0b.png", "a b.png") == ("a b.png",)
    assert found("1.jpg", "1.png", "1.jpg", "1.wav") == ("1.jpg",)
    assert found("/x/dog/1.png", "cat/1.png", "dog/1.png") == ("dog/1.png",)
    assert found("1.png", "a/1.png", "b/1.png", folder="b") == ("b/1.png",)
    assert found("../1.png", "a/1.png", "1.png", folder="a") == ("1.png",)


@pytest.mark.parametrize(
    ("written", "names"),
    [("a.PNG", ["A.png", "a.png"]), ("/x/1.png", ["a/1.png", "b/1.png"]), ("1.gif", ["1.png", "1.jpg"])],
)
def test_several_that_fit_are_left_to_the_person(written, names):
    assert set(found(written, *names)) == set(names)
    captions, said = in_table(f"file_name,text\n{written},an apple\n", names)
    assert not captions and said[0][0].endswith("line 2") and "nearly so; write its whole name" in said[0][1]


@pytest.mark.parametrize(
    "written",
    ["2.png", "cat/1.png", "1.wav", "", ".", "..", "/", "../../etc/passwd", "1.png/x", "\0", "%", "%00", "a" * 5_000,
     "/" * 3_000, "../" * 2_000],
)  # fmt: skip
def test_what_is_not_there_is_not_found(written):
    assert found(written, "dog/1.png") == ()


def test_a_name_without_its_suffix_means_a_picture_and_its_sound():
    assert set(found("bell", "bell.png", "bell.wav")) == {"bell.png", "bell.wav"}
    assert in_table("id,text\nbell,a bell\n", ["bell.png", "bell.wav"])[0] == {
        "bell.png": "a bell",
        "bell.wav": "a bell",
    }
