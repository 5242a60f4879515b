"""Datasets as somebody's computer or another tool made them, on both roads: as a dataset, and into a project."""

import io
import os
import unicodedata
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from test_projects import png, wave, zipped

from mmgan.data.folder.dataset import Folder
from mmgan.projects.projects import Projects

NNBSP, NBSP = "Screenshot at 1.04.05\u202fPM.png", "Capture d’écran à\u00a010.11.12.png"
CASES = {  # name -> files but for pictures and sounds, captions by file
    "abswin": ({"metadata.csv": b"file_name,text\nC:\\Users\\x\\set\\1.png,a red apple\n"}, {"1.png": "a red apple"}),
    "bom": ({"metadata.csv": b'\xef\xbb\xbffile_name;text\r\n1.png;"a ""red"" apple; ripe"\r\n'},
            {"1.png": 'a "red" apple; ripe'}),
    "caption column": ({"metadata.csv": b"file_name,caption\n1.png,a red apple\n"}, {"1.png": "a red apple"}),
    "case": ({"metadata.csv": b"file_name,text\nimg_1.jpg,a red apple\n"}, {"IMG_1.JPG": "a red apple"}),
    "cp1251": ({"metadata.csv": "file_name,text\n1.png,красное яблоко\nяблоко.png,синее небо\n".encode("cp1251")},
               {"1.png": "красное яблоко", "яблоко.png": "синее небо"}),
    "sjis": ({"metadata.csv": "file_name,text\n1.png,赤いりんご\nりんご.png,青い空と雲\n".encode("cp932")},
             {"1.png": "赤いりんご", "りんご.png": "青い空と雲"}),
    "cr": ({"metadata.csv": b"file_name;text\r1.png;a red, ripe, round apple\r2.png;a green, sour pear\r"},
           {"1.png": "a red, ripe, round apple", "2.png": "a green, sour pear"}),
    "pretty": ({"metadata.jsonl": b'{\n "file_name": "1.png",\n "text": "a red apple"\n}\n'}, {"1.png": "a red apple"}),
    "leading space": ({"metadata.csv": b"file_name,text\n red apple.png,a red apple\n"},
                      {" red apple.png": "a red apple"}),
    "ljspeech": ({"metadata.csv": b"LJ001-0001|a bell|a bell\n"}, {"wavs/LJ001-0001.wav": "a bell"}),
    "nnbsp": ({"metadata.csv": f"file_name,text\n{NNBSP},a red screen\n".encode()}, {NNBSP: "a red screen"}),
    "nbsp": ({"metadata.csv": f"file_name,text\n{NBSP},a red screen\n".encode()}, {NBSP: "a red screen"}),
    "nfd": ({"metadata.csv": "file_name,text\npérroquet.png,a parrot\n".encode()},
            {unicodedata.normalize("NFD", "pérroquet.png"): "a parrot"}),
    "percent": ({"metadata.csv": b"file_name,text\nred%20apple.png,a red apple\n"}, {"red apple.png": "a red apple"}),
    "quoted header": ({"metadata.csv": b'"file_name" , "text"\n"1.png" , "a red apple"\n'}, {"1.png": "a red apple"}),
    "sep": ({"metadata.csv": b"sep=;\r\nfile_name;text\r\n1.png;a red apple, ripe\r\n"},
            {"1.png": "a red apple, ripe"}),
    "txt name": ({"metadata.csv.txt": b"file_name,text\n1.png,a red apple\n"}, {"1.png": "a red apple"}),
    "commas": ({"metadata.csv": b"file_name,text\n1.png,a red, ripe apple\n2.png,a pear\n"},
               {"1.png": "a red, ripe apple", "2.png": "a pear"}),
    "commas first": ({"metadata.csv": b"text,file_name\na red, ripe apple,1.png\na pear,2.png\n"},
                     {"1.png": "a red, ripe apple", "2.png": "a pear"}),
    "utf16": ({"metadata.csv": "file_name\ttext\r\n1.png\ta red apple\r\n".encode("utf-16")}, {"1.png": "a red apple"}),
    "kohya txt": ({"img001.txt": b"a red apple on a table"}, {"img001.png": "a red apple on a table"}),
    "kohya repeats": ({}, {"10_apple/1.png": "apple", "5_pear/1.png": "pear"}),
    "stylegan": ({"dataset.json": b'{"labels":[["00000/img00000000.png",0],["00000/img00000001.png",1]]}'},
                 {"00000/img00000000.png": "class 0", "00000/img00000001.png": "class 1"}),
    "teachable": ({}, {"Class 1-samples/0.jpg": "Class 1", "Class 2-samples/0.jpg": "Class 2"}),
}  # fmt: skip
NOTED = {"stylegan": ["dataset.json"]}  # what is used all the same, but should be looked at


def media(name, number):
    if name.lower().endswith(".wav"):
        return wave(220 + 50 * number)
    return png(("red", "green", "blue", "gold")[number], kind="JPEG" if name.lower().endswith(".jpg") else "PNG")


@pytest.fixture(params=CASES)
def case(request, tmp_path):
    """(folder, captions by file, files of which something is said)."""
    others, captions = CASES[request.param]
    folder = tmp_path / "set"
    for name, data in (others | {name: media(name, i) for i, name in enumerate(captions)}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder, captions, NOTED.get(request.param, [])


def test_as_a_dataset(case, tmp_path):
    folder, captions, noted = case
    data = Folder(folder, "all")
    assert {data.image_concept(i) for i in range(data.num_images)} | {
        data.sound_concept(i) for i in range(data.num_sounds)
    } == set(captions.values())
    assert data.num_images + data.num_sounds == len(captions) and [problem.file for problem in data.problems] == noted


@pytest.mark.parametrize("way", ["folder", "zip", "loose"])
def test_into_a_project(case, tmp_path, way):
    folder, captions, noted = case
    paths = [path for path in folder.rglob("*") if path.is_file()]
    if way == "loose" and any(path.parent != folder for path in paths):
        pytest.skip("its folders say something")
    source = [folder] if way == "folder" else paths
    if way == "zip":
        source = [
            zipped(tmp_path / "set.zip", {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})
        ]
    project = Projects(tmp_path / "projects").create("Mine")
    added = project.add(source)
    found = {unicodedata.normalize("NFC", item.name): item.caption for item in project.items()}
    if way == "loose":  # which are called as they are shown
        captions = {name.strip(): caption for name, caption in captions.items()}
    assert found == {unicodedata.normalize("NFC", name): caption for name, caption in captions.items()}
    assert [problem.file for problem in added.left_out] == noted and all(item.used for item in project.items())


def test_lists_of_captions_are_all_learned(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "1.png").write_bytes(png())
    (folder / "metadata.jsonl").write_text('{"file_name":"1.png","text":["a red apple","an apple"]}\n')
    assert Folder(folder).concepts == ["a red apple", "an apple"]
    project = Projects(tmp_path / "projects").create("Mine")
    project.add([folder])
    assert sorted(item.caption for item in project.items() if item.used) == ["a red apple", "an apple"]


def test_teachable_machines_zips_as_they_are_downloaded(tmp_path):
    paths = [zipped(tmp_path / f"Class {i}-samples.zip", {"0.jpg": media("0.jpg", i)}) for i in (1, 2)]
    project = Projects(tmp_path / "projects").create("Mine")
    project.add(paths)
    assert [item.caption for item in project.items()] == ["Class 1", "Class 2"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in paths:
            archive.write(path, f"image-samples/{path.name}")
    (tmp_path / "all.zip").write_bytes(buffer.getvalue())
    data = Folder(tmp_path / "all.zip", "all")
    assert data.concepts == ["Class 1", "Class 2"] and isinstance(data.image(1), Image.Image) and not data.problems
    other = Projects(tmp_path / "projects").create("Other")
    other.add([tmp_path / "all.zip"])
    assert [item.caption for item in other.items()] == ["Class 1", "Class 2"] and all(
        item.file for item in other.items()
    )


def test_a_link_out_of_the_folder_gives_no_caption(tmp_path):
    (tmp_path / "secret.txt").write_text("a secret")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "1.png").write_bytes(png())
    os.symlink(tmp_path / "secret.txt", folder / "1.txt")
    data = Folder(folder)
    assert data.concepts == ["1"] and "link to somewhere else" in data.problems[0].sentence


SHARED = Path(os.environ.get("MMGAN_DATA", "shared/data")).parent / "cases"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not here; those above are like them")
@pytest.mark.parametrize("name", ["meta-*", "kohya-*", "teachable", "stylegan-json", "plain"])
def test_the_shared_cases(name, tmp_path):
    for case in SHARED.glob(name):
        data = Folder(case / "data", "all")
        left_out = [problem for problem in data.problems if "numbers for labels" not in problem.sentence]
        project = Projects(tmp_path / "projects").create(case.name)
        project.add([case / "data"])
        assert not left_out and data.num_images + data.num_sounds == len({item.name for item in project.items()})
        assert {item.caption for item in project.items()} == set(data.concepts)
