"""Runs, models, samples, sheets and projects of mmgan's that lie among a person's files are not learned from."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from own_files import picture, sound, write_metadata
from PIL import Image

from mmgan.data.folder.dataset import Folder
from mmgan.errors import DataError
from mmgan.evaluation.report import sample_sheet
from mmgan.projects.projects import Projects
from mmgan.runs.run import Run

SAMPLES = "file_name,audio_file_name,text,model,seed,truncation\n000.png,000.wav,a zero,digits,0,1\n"


def run(folder):
    with Run.create(folder, {"training": {}, "data": "."}) as made:
        picture(made.sample_path(2), "blue")
        picture(made.strips / "0000002.png", "blue")
        sound(made.strips / "0000002.flac")
        made.log_metrics({"step": 2})
        made.log("one line")


def model(folder):
    picture(folder / "samples.png", "blue")
    (folder / "config.json").write_text(json.dumps({"format": "mmgan", "version": 1, "model": {}}))


def samples(folder, table=SAMPLES):
    picture(folder / "000.png", "blue")
    sound(folder / "000.wav")
    write_metadata(folder, table)


def project(folder):
    made = Projects(folder.parent).create("Somebody's")
    picture(folder.parent / "a.png", "blue")
    made.add([folder.parent / "a.png"], "a blue square")
    (folder.parent / "a.png").unlink()
    shutil.move(made.folder, folder)


def only_begun(folder):
    run(folder)
    (folder / "config.json").unlink()
    (folder / "metrics.jsonl").unlink()


def without_config(folder):
    run(folder)
    (folder / "config.json").write_text("{")
    (folder / "status.json").write_text("[]")


KINDS = {
    "run": (run, "training run"), "begun": (only_begun, "training run"), "damaged": (without_config, "training run"),
    "model": (model, "is a model"), "project": (project, "project of its own"),
    "samples": (samples, "samples that mmgan made"),
}  # fmt: skip


@pytest.fixture
def mine(tmp_path):
    for name in ("red", "green"):
        picture(tmp_path / "mine" / f"{name}.png", name)
        sound(tmp_path / "mine" / f"{name}.wav")
    return tmp_path / "mine"


def zipped(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                archive.write(file, file.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("where", ["own", "runs/a b"])
@pytest.mark.parametrize("kind", KINDS)
def test_own_output_below_a_dataset_is_left_out_and_said(mine, kind, where, packed):
    make, part = KINDS[kind]
    make(mine / where)
    data = Folder(zipped(mine) if packed else mine)
    assert data.concepts == ["green", "red"] and (data.num_images, data.num_sounds) == (2, 2)
    ((file, sentence),) = [(p.file, p.sentence) for p in data.problems]
    assert file == where and part in sentence


def test_a_dataset_of_folders_keeps_its_captions_beside_own_output(tmp_path):
    picture(tmp_path / "d" / "dog" / "1.png")
    picture(tmp_path / "d" / "cat" / "1.png")
    run(tmp_path / "d" / "runs" / "mine")
    assert Folder(tmp_path / "d").concepts == ["cat", "dog"]


def test_runs_of_many_files_do_not_count_against_the_limit(mine):
    from mmgan.data.folder.archive import FolderFiles
    from mmgan.data.limits import Limits

    run(mine / "runs" / "one")
    assert len(FolderFiles(mine, Limits(files=4)).names) == 4


def test_samples_and_projects_are_datasets_where_they_are_named(tmp_path):
    samples(tmp_path / "out")
    assert Folder(tmp_path / "out").concepts == ["a zero"]
    assert Folder(zipped(tmp_path / "out")).concepts == ["a zero"]
    with zipfile.ZipFile(tmp_path / "wrapped.zip", "w") as archive:  # as a computer packs a folder
        for file in (tmp_path / "out").iterdir():
            archive.write(file, f"out/{file.name}")
    assert Folder(tmp_path / "wrapped.zip").concepts == ["a zero"]
    project(tmp_path / "projects" / "one")
    assert Folder(tmp_path / "projects" / "one").concepts == ["a blue square"]


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize(("make", "part"), [(run, "is a training run"), (model, "is a model")])
def test_a_run_or_model_is_refused_as_a_dataset(tmp_path, make, part, packed):
    make(tmp_path / "it")
    with pytest.raises(DataError, match=f"{part} and no dataset; name the folder"):
        Folder(zipped(tmp_path / "it") if packed else tmp_path / "it")


def test_a_sheet_is_known_wherever_it_was_saved(mine):
    pixels = [Image.new("RGB", (16, 16), "blue")] * 2
    sample_sheet(pixels, np.zeros((2, 64, 64)), ["a", "b"], mine / "digits.png")
    shutil.copy(mine / "digits.png", mine / "copy.png")
    data = Folder(mine)
    assert data.concepts == ["green", "red"]
    assert [p.file for p in data.problems] == ["copy.png", "digits.png"]
    assert all("sheet of samples that mmgan drew" in p.sentence for p in data.problems)


@pytest.mark.parametrize("config", ["", "[]", "{", '{"format": ["mmgan-run"]}', '{"format": "vit"}', "[" * 9_000, "\0"])
def test_a_persons_own_folder_stays_theirs_whatever_its_config_says(tmp_path, config):
    picture(tmp_path / "d" / "dog" / "1.png")
    picture(tmp_path / "d" / "cat" / "1.png")
    for name in ("config.json", "status.json", "project.json"):
        (tmp_path / "d" / "dog" / name).write_text(config)
    assert Folder(tmp_path / "d").concepts == ["cat", "dog"]
