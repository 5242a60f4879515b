"""Odd names: each file is used under a name that can be shown, and none costs another."""

import os
import struct
import sys
import zipfile
import zlib

import pytest
from own_files import picture, sound
from test_archive import make_zip, raw_named

from mmgan.data import load_dataset
from mmgan.data.folder.archive import FolderFiles, ZipFiles
from mmgan.data.folder.names import disk_name, guess, is_system, readable, safe_name
from mmgan.data.folder.sources import LooseFiles
from mmgan.data.limits import Limits
from mmgan.errors import DataError
from mmgan.projects.projects import Projects

ODD = {  # a name -> how it is shown
    "Icon\r": None, "dog/Icon\r": None, "a\tb.png": "a b.png", "line\nbreak.png": "line break.png",
    "dog/aux.wav": "dog/aux.wav", "con.png": "con.png", "a: red apple.png": "a: red apple.png",
    "C: drive.png": "C: drive.png", "c:plain.png": "c:plain.png", "dot.png.": "dot.png.", "space.png ": "space.png ",
    "ends in a dot./1.png": "ends in a dot./1.png", "🍎 apple 👨‍👩‍👧.png": "🍎 apple 👨‍👩‍👧.png",
    "x" * 300 + ".png": "x" * 300 + ".png", "q?*<>|.png": "q?*<>|.png", "\x1b[2Jclear.png": " [2Jclear.png",
    "back\\slash.png": "back/slash.png", "._a.png": None, "d/.DS_Store": None, "Thumbs.db": None,
    "$RECYCLE.BIN/1.png": None, "@eaDir/1.png": None, "__MACOSX/1.png": None, " lead.png": " lead.png",
}  # fmt: skip


def photo() -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def project(tmp_path):
    return Projects(tmp_path / "projects").create("Mine")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_in_a_zip_costs_no_other(name, tmp_path, project):
    path = make_zip(tmp_path / "z.zip", {name: photo(), "dog/good.png": photo()})
    expected = {"dog/good.png", *filter(None, [ODD[name]])}
    assert set(ZipFiles(path).names) == expected
    report = project.add([path])
    assert {item.name for item in project.items()} == expected and not report.left_out
    assert all("\n" not in item.name and "\t" not in item.caption for item in project.items())
    assert load_dataset(str(path)).num_images >= 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", [name for name in ODD if len(name) < 200 and "\\" not in name])
def test_an_odd_name_in_a_folder_costs_no_other(name, tmp_path, project):
    picture(tmp_path / "own" / name, format="PNG")
    picture(tmp_path / "own" / "dog" / "good.png", "blue")
    expected = {"dog/good.png", *filter(None, [ODD[name]])}
    files = FolderFiles(tmp_path / "own")
    assert set(files.names) == expected and all(files.read(n) and files.size(n) for n in files.names)
    project.add([tmp_path / "own"])
    assert {item.name for item in project.items()} == expected
    assert load_dataset(str(tmp_path / "own")).num_images >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps names of any bytes")
@pytest.mark.parametrize(
    ("raw", "shown"),
    [("café.png".encode("latin-1"), "café.png"), ("grüner Apfel.png".encode("cp1252"), "grüner Apfel.png"),
     ("红苹果.png".encode("gb18030"), "红苹果.png"), ("りんご.png".encode("cp932"), "りんご.png"),
     (b"\xff\xfe\x80.png", None)],
)  # fmt: skip
def test_a_name_of_another_encoding_on_the_disk(raw, shown, tmp_path, project):
    folder = tmp_path / "own"
    picture(folder / "good.png")
    with open(os.path.join(os.fsencode(folder), raw), "wb") as file:
        file.write(photo())
    data = load_dataset(str(folder))
    assert data.num_images == 2 and not data.problems
    assert shown is None or shown.removesuffix(".png") in data.concepts
    for text in data.concepts:
        text.encode("utf-8")  # a lone surrogate would end a training later
    project.add([folder, *folder.iterdir()])
    assert len(project.items()) == 4 and all(item.name.encode() and item.caption.encode() for item in project.items())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps names of any bytes")
def test_a_folder_whose_own_name_is_of_another_encoding(tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    os.mkdir(folder)
    (tmp_path / "a.png").write_bytes(photo())
    os.rename(tmp_path / "a.png", os.path.join(folder, "a.png"))
    assert load_dataset(folder).name == "café"
    os.remove(os.path.join(folder, "a.png"))
    with pytest.raises(DataError) as error:
        load_dataset(folder)
    str(error.value).encode("utf-8")


def test_linked_and_unreadable_folders_are_said(tmp_path, monkeypatch):
    for name in ("dog", "cat", "hidden"):
        picture(tmp_path / "own" / name / "1.png")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "own" / "bird").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "own" / "fish").symlink_to(tmp_path / "own" / "dog")
    look = os.scandir

    def refuse(path):
        if str(path).endswith("hidden"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refuse)
    data = load_dataset(str(tmp_path / "own"))
    said = {problem.file: problem.sentence for problem in data.problems}
    assert set(said) == {"bird", "fish", "hidden"} and data.num_images == 2
    assert "link to a folder" in said["bird"] and "Permission denied" in said["hidden"]
    project = Projects(tmp_path / "projects").create("Mine")
    report = project.add([tmp_path / "own"])
    assert {problem.file for problem in report.left_out} == set(said) and report.pictures == 2
    monkeypatch.setattr(os, "scandir", lambda path: look(tmp_path / "absent"))
    with pytest.raises(DataError, match="cannot be opened"):
        FolderFiles(tmp_path / "absent")


def test_loose_files_of_odd_names(tmp_path):
    for name in ("a\tb.png", "good.png"):
        picture(tmp_path / name)
    sound(tmp_path / "aux.wav")
    assert set(LooseFiles(list(tmp_path.iterdir())).names) == {"a b.png", "good.png", "aux.wav"}


# Zips ----------------------------------------------------------------------------------------------------------------


def flagged(path, raw: bytes, where: str):
    """A zip of a good member and one whose name is flagged as UTF-8 and is not: in its list, at its place, or both."""
    name = "é" * (len(raw) // 2) + "x" * (len(raw) % 2)
    make_zip(path, {"good.png": b"fine", name: b"also fine"})
    data = bytearray(path.read_bytes())
    first, second = data.index(name.encode()), data.rindex(name.encode())
    for place in {"local": [first], "list": [second], "both": [first, second]}[where]:
        data[place : place + len(raw)] = raw
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("where", ["local", "list", "both"])
@pytest.mark.parametrize("raw", ["caf\u00e9s.png".encode("latin-1"), "红苹果.png".encode("gb18030"), b"\xff" * 8])
def test_a_name_that_is_flagged_as_utf8_and_is_not(where, raw, tmp_path):
    before = flagged(tmp_path / "z.zip", raw, where).read_bytes()
    files = ZipFiles(tmp_path / "z.zip")
    assert len(files.names) == 2
    (other,) = set(files.names) - {"good.png"}
    assert other.encode() and (where == "local" or raw[:1] == b"\xff" or other == guess([raw])[0])
    for _ in range(2):
        assert files.read("good.png") == b"fine" and files.read(other) == b"also fine"
    assert (tmp_path / "z.zip").read_bytes() == before


def test_a_header_that_calls_its_member_otherwise(tmp_path):
    path = make_zip(tmp_path / "z.zip", {"first.png": b"fine"})
    path.write_bytes(path.read_bytes().replace(b"first.png", b"other.png", 1))
    assert ZipFiles(path).read("first.png") == b"fine"


@pytest.mark.parametrize("right", [True, False])
def test_the_unicode_field_of_a_zip(right, tmp_path):
    info = zipfile.ZipInfo("pomme.png")
    field = b"\x01" + struct.pack("<I", zlib.crc32(b"pomme.png") ^ (not right)) + "りんご.png".encode()
    info.extra = struct.pack("<HH", 0x7075, len(field)) + field
    assert ZipFiles(make_zip(tmp_path / "z.zip", {info: b"x"})).names == ["りんご.png" if right else "pomme.png"]


def test_names_that_become_the_same(tmp_path):
    path = make_zip(tmp_path / "z.zip", {"a\tb.png": b"1", "a b.png": b"2", "é.png": b"3", "e\u0301.png": b"4"})
    files = ZipFiles(path)
    assert files.names == ["a b (2).png", "a b.png", "é (2).png", "é.png"]
    assert sorted(map(files.read, files.names)) == [b"1", b"2", b"3", b"4"]
    many = make_zip(tmp_path / "many.zip", {f"a{chr(1 + i)}.png": b"" for i in range(31)})
    assert len(ZipFiles(many).names) == 31


WORDS = {
    "cp932": ["りんご.png", "犬の声.wav", "新しいフォルダー/写真1.jpg", "カエル.png"],
    "gb18030": ["红苹果.png", "狗叫.wav", "新建文件夹/图片.png", "青蛙.png"],
    "big5": ["紅蘋果.png", "狗叫聲.wav", "圖片/1.png"], "cp949": ["사과.png", "개구리.wav", "새 폴더/사진.png"],
    "cp866": ["яблоко.png", "красное яблоко.png", "Новая папка/1.png"],
    "cp437": ["forêt.png", "chien aboyé.wav", "Äpfel.png", "grüner Apfel.png", "niño.png"],
    "cp850": ["São.png", "maçã.png", "Ñandú.wav"], "cp1252": ["café.png", "Äpfel.png"],
    "utf-8": ["forêt.png", "りんご.png", "яблоко.png"], "ascii": ["plain.png"],
}  # fmt: skip


@pytest.mark.parametrize("encoding", WORDS)
def test_names_of_unstated_encoding(encoding, tmp_path):
    names = WORDS[encoding]
    assert guess([name.encode(encoding) for name in names]) == names
    for name in names:
        assert guess([name.encode(encoding)]) == [name]
        assert ZipFiles(raw_named(tmp_path / "z.zip", name.encode(encoding))).names == [name]


@pytest.mark.parametrize("raw", [b"\xff\xfe.png", b"\x80\x81\x8d.png", bytes(range(128, 256)), b"\xe9"])
def test_names_in_nobodys_encoding(raw):
    (name,) = guess([raw])
    assert name and name.encode("utf-8")
    assert guess([]) == [] and guess([b""]) == [""]


# One name ------------------------------------------------------------------------------------------------------------


def test_names_for_a_disk():
    for name in ("dog/1.png", "aux.wav", "a: b.png", "🍎.png"):
        assert disk_name(name, windows=False) == name
    assert disk_name("aux.wav", windows=True) == "_aux.wav"
    assert disk_name("dog./a: b?.png ", windows=True) == "dog/a_ b_.png"
    assert disk_name("...", windows=True) == "_"
    for windows in (False, True):
        for long in ("x" * 300 + ".png", "红" * 200 + ".png", "🍎" * 100, "x." + "y" * 300):
            short = disk_name(f"a/{long}", windows)
            assert len(short.split("/")[1].encode()) <= 240 and short.endswith(".png") == long.endswith(".png")


def test_readable_and_system_names():
    assert readable("a\x00b\x1f") == "a b " and readable("é\ud800") == "é\ufffd" and readable("plain") == "plain"
    assert is_system("Icon\r") and is_system("a", "THUMBS.DB") and is_system(".hidden") and not is_system("Icon.png")
    assert safe_name("a\\b/./c.png") == "a/b/c.png"
    with pytest.raises(DataError, match="folders within each other"):
        safe_name("a/" * 14 + "b.png", Limits(depth=12))
