"""Captions of a project whose encoding was guessed: shown, kept as they came, and read in another one if need be."""

import json
import os

import pytest
from own_files import picture
from test_projects import by_name, files, png, zipped

from mmgan.errors import DataError
from mmgan.projects.projects import Project, Projects

TABLE = "file_name,text\n1.png,café\n2.png,naïve\n3.png,plain\nmüde.png,tired\n"


@pytest.fixture
def project(tmp_path) -> Project:
    return Projects(tmp_path / "projects").create("Mine")


@pytest.fixture
def added(project, tmp_path):
    names = ("1.png", "2.png", "3.png", "müde.png", "4.png")
    contents = {name: png(("red", "green", "blue", "white", "black")[i]) for i, name in enumerate(names)}
    return project.add([zipped(tmp_path / "a.zip", {"metadata.csv": TABLE.encode("cp1252"), **contents})])


def captions(project):
    return {name: item.caption for name, item in by_name(project).items()}


RIGHT = {"1.png": "café", "2.png": "naïve", "3.png": "plain", "4.png": "", "müde.png": "tired"}


def test_a_guess_is_said_kept_and_can_be_changed_and_changed_back(project, added):
    (kept,) = added.guessed
    assert captions(project) == RIGHT and kept.encoding == "cp1252" and project.readings() == [kept]
    assert added.sentence.endswith("captions of metadata.csv were read as cp1252.")
    assert project.read_again(kept.id, "windows-1251") == 3
    other = RIGHT | {"1.png": "cafй", "2.png": "naпve", "müde.png": ""}  # whose name the table no longer says
    assert captions(project) == other and project.readings()[0].encoding == "cp1251"
    assert any("'mьde.png'" in problem.sentence for problem in project.left_out())
    assert project.read_again(kept.id, "cp1252") == 3 and captions(project) == RIGHT and not project.left_out()
    assert Project(project.folder).readings()[0].encoding == "cp1252"  # after a restart


def test_what_the_person_wrote_meanwhile_stays(project, added):
    item = by_name(project)["2.png"]
    project.set_caption([item.id], "mine")
    assert project.read_again(added.guessed[0].id, "cp1251") == 2 and captions(project)["2.png"] == "mine"
    assert project.read_again(added.guessed[0].id, "cp1252") == 2 and captions(project) == RIGHT | {"2.png": "mine"}


def test_only_this_uploads_files_change(project, added, tmp_path):
    more = {
        "metadata.csv": "file_name,text\n1.png,été\n2.png,forêt\n".encode("cp1252"),
        "1.png": png("pink"),
        "2.png": png("gold"),
    }
    project.add([zipped(tmp_path / "b.zip", more)])
    _, second = project.readings()
    project.read_again(second.id, "cp1251")
    assert [item.caption for item in project.items() if item.name == "1.png"] == ["café", "йtй"]


def test_text_files_beside_are_kept_too(project, tmp_path):
    paths = files(tmp_path / "set", {"1.png": png(), "1.txt": "café au lait".encode("cp1252"),
                                     "2.png": png("blue"), "2.txt": "déjà vu".encode("cp1252")})  # fmt: skip
    (kept,) = project.add(paths).guessed
    assert captions(project) == {"1.png": "café au lait", "2.png": "déjà vu"}
    assert project.read_again(kept.id, "cp1251") == 2 and captions(project)["1.png"] == "cafй au lait"


def test_it_is_kept_until_it_is_right_or_all_of_it_is_gone(project, added, tmp_path):
    folder = project.folder / ".tables"
    assert len(list(folder.iterdir())) == 1
    project.forget_reading(added.guessed[0].id)
    assert not list(folder.iterdir()) and not project.readings() and captions(project) == RIGHT
    with pytest.raises(DataError, match="no longer kept"):
        project.read_again(added.guessed[0].id, "cp1251")
    project.add([zipped(tmp_path / "c.zip", {"metadata.csv": TABLE.encode("cp1252"), "1.png": png("pink")})])
    assert len(list(folder.iterdir())) == 1
    project.delete_items([item.id for item in project.items()])
    assert not list(folder.iterdir()) and not project.readings()


def test_unicode_or_a_stated_encoding_is_no_guess(project, tmp_path):
    picture(tmp_path / "set" / "1.png")
    (tmp_path / "set" / "metadata.csv").write_bytes(TABLE.encode())
    assert not project.add([tmp_path / "set"]).guessed
    (tmp_path / "set" / "metadata.csv").write_bytes(TABLE.encode("cp1252"))
    assert not project.add([tmp_path / "set"], encoding="cp1251").guessed
    assert [item.caption for item in project.items()] == ["café", "cafй"] and not project.readings()
    assert not project.add([tmp_path / "set"], caption="all the same").guessed
    with pytest.raises(DataError, match="no encoding 'klingon'"):
        project.add([tmp_path / "set"], encoding="klingon")


@pytest.mark.parametrize("gone", ["file", "damaged", "id", "encoding"])
def test_what_cannot_be_read_again_is_said(project, added, gone):
    kept = added.guessed[0]
    path = project.folder / kept.file
    if gone == "file":
        path.unlink()
    elif gone == "damaged":
        path.write_bytes(b"PK")
    with pytest.raises(DataError, match=r"\.$"):
        project.read_again(kept.id if gone != "id" else 99, "cp1251" if gone != "encoding" else "rot13")
    assert captions(project) == RIGHT


@pytest.mark.parametrize("spoiled", [
    {"file": "../../etc/passwd"}, {"file": ".tables/../x.zip"}, {"encoding": "rot13"}, {"items": ["1"]}, {"id": True},
    {"items": 3}, {"name": None},
])  # fmt: skip
def test_a_table_that_names_something_else_is_damaged(project, added, spoiled):
    path = project.folder / "project.json"
    state = json.loads(path.read_bytes())
    state["readings"][0] |= spoiled
    path.write_text(json.dumps(state))
    os.utime(path, (1, 1))
    with pytest.raises(DataError, match="table is damaged"):
        Project(project.folder).readings()


def test_a_project_of_before_has_none(project):
    path = project.folder / "project.json"
    state = json.loads(path.read_bytes())
    del state["readings"]
    path.write_text(json.dumps(state))
    assert Project(project.folder).readings() == []
