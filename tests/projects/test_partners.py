"""One file that belongs to several: each pair is kept, in the table and in the dataset."""

import csv

import numpy as np
import pytest
from test_projects import codes, png, wave

from mmgan.data.folder.dataset import Folder
from mmgan.projects.items import rows
from mmgan.projects.projects import Projects

BELL, GONG = wave(440.0), wave(220.0)


@pytest.fixture
def project(tmp_path):
    return Projects(tmp_path / "projects").create("Bells")


def named(project):
    """(picture, sound) of each row of the dataset, by their files."""
    with open(project.folder / "metadata.csv", encoding="utf-8-sig", newline="") as file:
        found = [{kind_of(value): value for value in row.values()} for row in csv.DictReader(file)]
    return [(row.get("originals/png", ""), row.get("originals/wav", "")) for row in found]


def kind_of(value):
    return f"originals/{value.rpartition('.')[2]}"


def test_one_sound_may_belong_to_many_pictures(project):
    files = {"1.png": png("red"), "1.wav": BELL, "2.png": png("blue"), "2.wav": BELL, "3.wav": BELL}
    project.add_recordings(files, "a bell")
    assert codes(project) == {"1.png": "", "1.wav": "", "2.png": "", "2.wav": "", "3.wav": "duplicate"}
    assert project.summary().pairs == 2
    pictures, sounds = zip(*named(project), strict=True)
    assert len(set(pictures)) == 2 and len(set(sounds)) == 1 and "" not in pictures + sounds
    project.delete_items([item.id for item in project.items() if item.name == "1.wav"])
    assert all((project.folder / item.file).is_file() for item in project.items())  # the other pair needs it


def test_each_pair_under_its_own_caption_is_learned(project):
    table = b"file_name,audio_file_name,text\n1.png,1.wav,a red bell\n2.png,2.wav,a blue bell\n"
    files = {"metadata.csv": table, "1.png": png("red"), "1.wav": BELL, "2.png": png("blue"), "2.wav": BELL}
    project.add_recordings(files)
    assert set(codes(project).values()) == {""}
    dataset = Folder(project.folder, "all")
    drawn = dataset.rows(np.random.default_rng(0), 40)
    assert {row.text for row in drawn} == {"a red bell", "a blue bell"}
    assert dataset.num_images == 2 and dataset.num_sounds == 1
    assert all(row.image is not None and row.sound is not None for row in drawn)


def test_a_sound_that_a_table_names_with_several_pictures(project):
    table = b"file_name,audio_file_name,text\n1.png,s.wav,a bell\n2.png,s.wav,a bell\n"
    project.add_recordings({"metadata.csv": table, "1.png": png("red"), "2.png": png("blue"), "s.wav": BELL})
    assert set(codes(project).values()) == {""} and project.summary().pairs == 2


def test_the_same_pair_twice_is_once_too_many(project):
    project.add_recordings({"1.png": png(), "1.wav": BELL, "2.png": png(), "2.wav": BELL}, "a bell")
    assert codes(project) == {"1.png": "", "1.wav": "", "2.png": "duplicate", "2.wav": "duplicate"}
    assert project.summary().pairs == 1


def test_the_same_file_without_a_partner_gives_way_to_the_pair(project):
    project.add_recordings({"0.png": png(), "1.png": png(), "1.wav": BELL}, "a bell")
    assert codes(project) == {"0.png": "duplicate", "1.png": "", "1.wav": ""}


def test_a_picture_of_many_sounds_keeps_each_pair(project):
    table = b"file_name,audio_file_name,text\n1.png,1.wav,a bell\n1.png,2.wav,a bell\n"
    project.add_recordings({"metadata.csv": table, "1.png": png(), "1.wav": BELL, "2.wav": GONG})
    assert project.summary().pairs == 2 and all(picture and sound for _, picture, sound in rows(project.items()))
    assert len(named(project)) == 2 and all(map(all, named(project)))
    one, two = [item for item in project.items() if item.kind == "sound"]
    (picture,) = [item for item in project.items() if item.kind == "image"]
    project.pair(picture.id, two.id)  # from now on it belongs to this one
    assert project.summary().pairs == 1
    assert next(item for item in project.items() if item.id == one.id).partner is None
    project.unpair(picture.id)
    assert project.summary().pairs == 0
