"""The film strip: which codes are on it, what is written, and that it never fills a disk."""

import io
import itertools

import pytest
import soundfile
import torch
from PIL import Image
from small import MODEL, Blobs

from mmgan.data import Prompt
from mmgan.data.loader import Loader
from mmgan.runs.run import Run
from mmgan.training import strips


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", {}) as run:
        yield run


def test_columns_are_of_all_concepts_and_have_real_examples():
    columns = strips.choose_columns(Blobs(), Blobs().prompts())
    assert [column.prompt for column in columns] == ["a bright square", "a dark square"] * 4
    assert [column.places["image"] for column in columns] == [0, 4, 1, 5, 2, 6, 3, 7]  # each another one
    assert strips.choose_columns(Blobs(), []) == []
    unseen = [*Blobs().prompts(), Prompt("a square of no colour", "none")]
    assert "a square of no colour" not in {column.prompt for column in strips.choose_columns(Blobs(), unseen)}


def test_what_is_written_can_be_seen_and_heard(run):
    loader = Loader(Blobs(), MODEL, 16)
    columns = strips.choose_columns(Blobs(), Blobs().prompts())
    strips.write_real(run, columns, loader)
    image = torch.stack([torch.full((1, 16, 16), value) for value in torch.linspace(-1, 1, 8)])
    mel = torch.full((8, MODEL.audio.bands, MODEL.audio.frames), -1.0)
    mel[3, 20] = 0.5  # only the fourth clip is to be heard
    strips.write_visit(run, 7, {"image": image, "audio": mel}, MODEL)
    assert run.visits() == [7]
    picture = Image.open(run.strips / "0000007.png")
    assert picture.size == (8 * 16, 16) and [picture.getpixel((16 * k + 8, 8)) for k in (0, 7)] == [0, 255]
    assert Image.open(run.strips / "0000007-mel.png").size == (8 * MODEL.audio.frames, MODEL.audio.bands)
    sound, rate = soundfile.read(io.BytesIO((run.strips / "0000007.flac").read_bytes()))
    clips = abs(sound.reshape(8, -1)).max(1)
    assert rate == 16_000 and clips.argmax() == 3 and clips[3] > 10 * max(clips[:3].max(), clips[4:].max())
    real = Image.open(run.strips / "real.png")
    assert real.getpixel((8, 8)) == 230 and real.getpixel((24, 8)) == 40  # bright, dark


def test_old_visits_are_thinned_out(run):
    run.strips.mkdir()
    for step in range(0, 3_000, 10):
        for ending in (".png", "-mel.png", ".flac"):
            (run.strips / f"{step:07d}{ending}").write_bytes(b"x")
        run.sample_path(step).write_bytes(b"x")
        strips.thin(run, 20)
    visits = run.visits()
    assert len(visits) == 20 and (visits[0], visits[-1]) == (0, 2_990)
    assert len(list(run.strips.iterdir())) == 60 and len(run.samples()) == 20
    gaps = [b - a for a, b in itertools.pairwise(visits)]
    assert max(gaps) < 1_000 and gaps[0] < gaps[-2]  # closest where most changes


def test_a_resumed_run_forgets_the_visits_that_it_will_make_anew(run):
    run.strips.mkdir()
    for step in (0, 10, 20):
        (run.strips / f"{step:07d}.png").write_bytes(b"x")
    strips.cut(run, 10)
    assert run.visits() == [0, 10]
