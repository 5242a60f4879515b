"""What a run shows of files that are gone."""

import pytest
from PIL import Image
from small import Blobs, Encoder, config

from mmgan.evaluation.report import PAPER, sheet_grid
from mmgan.runs.files import read_strips
from mmgan.runs.run import Run
from mmgan.training.callbacks import FilmStrip
from mmgan.training.forgetting import SHEET, forget_data, forget_examples
from mmgan.training.session import Session
from mmgan.training.trainer import Trainer


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", {"data": str(tmp_path / "mine")}) as run:
        FilmStrip(trainer := Trainer(config(), Blobs(), Encoder())).begin(Session(trainer, run, 0.0, ()))
        yield run


def test_the_strip_has_no_examples_any_more_and_keeps_what_was_made(run):
    before = read_strips(run.strips)
    assert any(before["has_image"]) and any(before["has_sound"]) and list(run.strips.glob("real*"))
    forget_examples(run)
    after = read_strips(run.strips)
    assert not any(after["has_image"] + after["has_sound"]) and not list(run.strips.glob("real*"))
    assert after["prompts"] == before["prompts"] and run.visits() == [0]


def test_the_nearest_files_go_from_the_sheet_and_the_samples_stay(run):
    grid = sheet_grid()
    sheet, height = run.folder / SHEET, grid["top"] + 3 * 2 * grid["down"]
    sheet.parent.mkdir(exist_ok=True)
    Image.new("RGB", (200, height), "red").save(sheet)
    forget_examples(run)
    left = Image.open(sheet)
    nearest = grid["top"] + 2 * 2 * grid["down"]  # below samples before and samples after
    assert left.size == (200, height)
    assert left.getpixel((0, nearest - 1)) == (255, 0, 0) and left.getpixel((0, 0)) == (255, 0, 0)
    paper = Image.new("RGB", (1, 1), PAPER).getpixel((0, 0))
    assert {left.getpixel(at) for at in ((0, nearest), (199, height - 1))} == {paper}


@pytest.mark.parametrize(("gone", "forgotten"), [("mine", True), ("other", False)])
def test_only_runs_that_learned_from_the_folder_forget_it(run, tmp_path, gone, forgotten):
    forget_data([run], tmp_path / gone)
    assert (run.strips / "real.png").exists() is not forgotten


def test_damaged_files_are_forgotten_whole(run):
    (run.strips / "strips.json").write_bytes(b"{")
    (run.folder / SHEET).parent.mkdir(exist_ok=True)
    (run.folder / SHEET).write_bytes(b"damaged")
    forget_examples(run)
    assert not (run.strips / "strips.json").exists() and not (run.folder / SHEET).exists()
    assert not list(run.strips.glob("real*"))
