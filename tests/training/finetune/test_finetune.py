"""Fine-tuning on small networks and real files: from base to run, resumed, said in words."""

import io
import json
import os
import sys
import wave
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from small import MODEL, Encoder

from mmgan.cli import main
from mmgan.errors import CheckpointError, DataError
from mmgan.evaluation import report
from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.projects.projects import Projects
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.sampling.pipeline import Pipeline
from mmgan.text.encoder import TextEncoder
from mmgan.training import forgetting, start
from mmgan.training.finetune import command as finetune
from mmgan.training.finetune.held_out import HeldOut


@pytest.fixture(autouse=True)
def encoder(monkeypatch):
    monkeypatch.setattr(TextEncoder, "from_pretrained", lambda *_: Encoder())
    monkeypatch.setattr("mmgan.training.trainer.spread_captions", lambda texts, _: sorted(set(texts)))


@pytest.fixture
def base(tmp_path):
    torch.manual_seed(0)
    Model(Generator(MODEL), Discriminators(MODEL), {"name": "small", "examples": ["a"]}).save_pretrained(
        tmp_path / "base"
    )
    return tmp_path / "base"


def tone(pitch: float, samples: int = 5_000) -> bytes:
    data, file = (9_000 * np.sin(np.arange(samples) * pitch)).astype("<i2").tobytes(), io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1), sound.setsampwidth(2), sound.setframerate(16_000)
        sound.writeframes(data)
    return file.getvalue()


def picture(i: int, grey: bool = False) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(i).integers(0, 99, (20, 20) if grey else (20, 20, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def project(tmp_path, pictures=24, sounds=24, grey=False):
    made = Projects(tmp_path / "projects").create("Bells and gongs")
    for caption, first in (("bell", 0), ("gong", 1)):
        files = {f"{i}.png": picture(i, grey) for i in range(first, pictures, 2)}
        files |= {f"{i}.wav": tone(0.05 + i / 100) for i in range(first, sounds, 2)}
        made.add_recordings(files, caption)
    return made


def tune(data, out, base, **settings) -> int:
    return finetune.finetune(
        data, out, str(base), {"steps": 3, "batch_size": 8, **settings}, progress=False, device="cpu"
    )


def test_a_project_becomes_a_run_that_can_be_sampled(tmp_path, base):
    mine = project(tmp_path)
    assert tune(mine.folder, tmp_path / "run", base) == 0
    run = Run.open(tmp_path / "run")
    status = run.status()
    assert status["state"] == "finished" and status["step"] == 3
    said = status["finetune"]
    assert set(said["gauges"]) == {"image", "audio"} and all(
        str(s).endswith(".") for s in said["sentences"] + said["notes"]
    )
    assert any("in colour" in str(note) for note in said["notes"])  # the base is grey
    rows = [row for row in run.metrics()[0] if "image_copies" in row]
    assert rows[0]["step"] == 0 and rows[-1]["step"] == 3
    assert {"image_to_held_out", "audio_to_held_out", "image_to_training", "image_diversity", "image_caption_match",
            "image_real_caption_match", "overfitting_image"} <= set(rows[-1])  # fmt: skip
    sheet = Image.open(run.folder / "samples" / "before-after.png")
    assert sheet.width > 500 and (run.folder / "samples" / "strips" / "0000000.png").exists()
    model = Model.from_pretrained(run.folder)
    assert model.config.image.channels == 3 and model.info["name"] == "Bells and gongs"
    assert model.info["finetune"]["base"] == base.name and model.info["finetune"]["sentences"]
    assert Pipeline.from_pretrained(run.folder, device="cpu").config.image.channels == 3


def shows_no_files(run) -> bool:
    """Whether its film strip has no real examples and its sheet no nearest files."""
    described = json.loads((run.strips / "strips.json").read_text())
    return (
        bool(described["prompts"])
        and not any(described["has_image"] + described["has_sound"])
        and not list(run.strips.glob("real*"))
        and (np.asarray(Image.open(run.folder / forgetting.SHEET))[-150:] == report.PAPER).all()
    )


def test_deleted_files_are_forgotten_by_the_run(tmp_path, base):
    mine, run = project(tmp_path), Run(tmp_path / "run")
    tune(mine.folder, run.folder, base)
    before = np.asarray(Image.open(run.folder / forgetting.SHEET))
    assert (run.strips / "real.png").exists() and not shows_no_files(run)
    forgetting.forget_data([run], mine.folder)
    after, third = np.asarray(Image.open(run.folder / forgetting.SHEET)), before.shape[0] // 3
    assert shows_no_files(run) and (after[: 2 * third] == before[: 2 * third]).all()
    assert (after[2 * third + 24 :] == report.PAPER).all() and before[2 * third + 24 :].std() > 10
    (run.folder / forgetting.SHEET).write_bytes(b"damaged")
    forgetting.forget_data([run], mine.folder)
    assert not (run.folder / forgetting.SHEET).exists()


def test_files_deleted_while_a_run_learns_from_them_are_forgotten(tmp_path, base, monkeypatch):
    mine, load_own = project(tmp_path), finetune.load_own

    def load(*given, **how):
        loaded = load_own(*given, **how)
        Projects(tmp_path / "projects").delete(mine.key)
        return loaded

    monkeypatch.setattr(finetune, "load_own", load)
    tune(mine.folder, tmp_path / "run", base)
    assert shows_no_files(Run(tmp_path / "run"))


def test_runs_of_other_data_keep_their_examples(tmp_path, base):
    tune(project(tmp_path).folder, tmp_path / "run", base)
    forgetting.forget_data([Run(tmp_path / "run")], tmp_path / "projects" / "000000000000")
    assert (Run(tmp_path / "run").strips / "real.png").exists()


def test_a_held_out_tenth_is_never_learned_from(tmp_path):
    mine = project(tmp_path)
    learned, held = finetune.load_own(str(mine.folder))

    def pictures(data):
        return {np.asarray(data.image(i)).tobytes() for i in range(data.num_images)}

    assert not pictures(learned) & pictures(held) and len(pictures(learned) | pictures(held)) == 24
    assert held.num_images >= 2


@pytest.mark.parametrize(
    ("pictures", "sounds", "kept"), [(24, 0, {"image"}), (0, 24, {"audio"}), (24, 6, {"image", "audio"})]
)
def test_what_is_missing_is_said_and_the_rest_learned(tmp_path, base, pictures, sounds, kept):
    mine = project(tmp_path, pictures, sounds, grey=True)
    assert tune(mine.folder, tmp_path / "run", base) == 0
    said = Run.open(tmp_path / "run").status()["finetune"]
    assert set(said["gauges"]) == kept
    if len(kept) == 1:
        assert any(str(note).startswith("There are no") for note in said["notes"])


def test_few_files_are_said_to_be_few(tmp_path, base):
    mine = project(tmp_path, 6, 0)
    assert tune(mine.folder, tmp_path / "run", base) == 0
    status = Run.open(tmp_path / "run").status()
    assert status["state"] == "finished" and any("too few files" in str(note) for note in status["finetune"]["notes"])
    with pytest.raises(DataError, match="no picture or sound"):
        tune(Projects(tmp_path / "p").create("empty").folder, tmp_path / "empty", base)
    assert Run.open(tmp_path / "empty").status()["state"] == "failed"
    with pytest.raises(CheckpointError, match="no model"):
        tune(mine.folder, tmp_path / "other", "nothing-of-this-name")


def test_one_infinite_sample_and_a_name_of_another_encoding_end_no_training(tmp_path, base):
    folder = tmp_path / "own"
    folder.mkdir()
    for i in range(6):
        (folder / f"bell {i}.png").write_bytes(picture(i))
    samples = np.sin(np.arange(5_000) / 9).astype(np.float32)
    samples[77] = np.inf
    soundfile.write(folder / "bell 0.wav", samples, 16_000, subtype="FLOAT")
    if sys.platform == "linux":
        (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(picture(9))
    assert tune(folder, tmp_path / "run", base) == 0
    run = Run.open(tmp_path / "run")
    assert any("Mended: 1 (" in str(note) for note in run.status()["finetune"]["notes"])
    assert "bell 0.wav has samples that are infinite" in run.log_tail(50)
    learned = Pipeline.from_pretrained(run.folder, device="cpu").generator
    assert all(torch.isfinite(weight).all() for weight in learned.parameters())


def test_what_is_left_out_is_listed(tmp_path, base):
    mine = project(tmp_path, 24, 0)
    mine.add_recordings({"broken.png": b"x"}, "bell")
    assert tune(mine.folder, tmp_path / "run", base) == 0
    run = Run.open(tmp_path / "run")
    assert any("Left out: 1 (" in str(note) for note in run.status()["finetune"]["notes"])
    assert "broken.png is left out: the picture cannot be read" in run.log_tail(50)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "film.avi").write_bytes(b"x")
    (tmp_path / "folder" / "dog.png").write_bytes(picture(1))
    assert tune(tmp_path / "folder", tmp_path / "other", base) == 0
    assert "film.avi is of a kind" in Run.open(tmp_path / "other").log_tail(50)


def test_stopped_and_resumed_without_its_base(tmp_path, base, monkeypatch):
    mine = project(tmp_path)
    steps = HeldOut.after_step

    def stop_at_two(self, session, terms):
        steps(self, session, terms)
        if self.trainer.step_count == 2:
            self.run_folder.request("stop")

    monkeypatch.setattr(HeldOut, "after_step", stop_at_two)
    assert tune(mine.folder, tmp_path / "run", base, steps=5) == 0
    assert Run.open(tmp_path / "run").status()["state"] == "stopped"
    monkeypatch.setattr(HeldOut, "after_step", steps)
    for path in base.iterdir():
        path.unlink()
    options = SimpleNamespace(out=str(tmp_path / "run"), resume=True, device="cpu", text_encoder=None, nice=0)
    assert start.main(options) == 0
    run = Run.open(tmp_path / "run")
    assert run.status()["state"] == "finished" and run.checkpoint_step() == 5
    rows = [row["step"] for row in run.metrics()[0] if "image_copies" in row]
    assert rows[0] == 0 and rows[-1] == 5


def test_the_best_visit_comes_back_at_the_end(tmp_path, base, monkeypatch):
    seen = iter([5.0, 1.0] + [9.0] * 38)  # the base's, step 1, ...
    original = HeldOut._measured

    def measured(self, rows):
        from dataclasses import replace

        value = next(seen)
        return {
            kind: replace(m, to_held_out=value, nearer=0.6, held_out=10.0) for kind, m in original(self, rows).items()
        }

    monkeypatch.setattr(HeldOut, "_measured", measured)
    monkeypatch.setattr(HeldOut, "interval", lambda self, session: 0.0)
    monkeypatch.setattr("mmgan.training.finetune.stopping.PATIENCE", 2)
    assert tune(project(tmp_path, 24, 0).folder, tmp_path / "run", base, steps=40) == 0
    run = Run.open(tmp_path / "run")
    status = run.status()
    assert status["state"] == "finished" and status["step"] < 40 and "never saw" in str(status["reason"])
    assert "at step 1 " in str(status["reason"]) and Model.from_pretrained(run.folder / "best").info["step"] == 1
    best, final = Model.from_pretrained(run.folder / "best").generator, Model.from_pretrained(run.folder).generator
    assert all(torch.equal(a, b) for a, b in zip(best.parameters(), final.parameters(), strict=True))


def test_from_the_command_and_the_manager(tmp_path, base, monkeypatch, capsys):
    from mmgan.cli import main

    mine = project(tmp_path, 24, 0)
    run = str(tmp_path / "run")
    assert (
        main(["finetune", str(mine.folder), "--base", str(base), "--out", run, "--steps", "2", "--batch-size", "8"])
        == 0
    )
    config = Run.open(run).config
    assert (
        config["finetune"] == {"base": str(base), "pieces": False}
        and config["training"]["augmentation"]["augment_target"] > 0
    )
    assert main(["finetune", str(mine.folder), "--base", "none", "--out", run]) == 2
    assert main(["finetune", "--out", run, "--resume"]) == 0  # it had ended, so there is nothing left to do
    assert main(["finetune", "--out", run]) == 2 and main(["finetune", "--out", f"{run} none", "--resume"]) == 2
    assert capsys.readouterr().err.count("mmgan: Say what to learn from: a folder or a zip") == 1
    for pitch in (0.1, 0.2, 0.3):
        (tmp_path / "long").mkdir(exist_ok=True)
        (tmp_path / "long" / f"bell {pitch}.wav").write_bytes(tone(pitch, 50_000))
    loaded, load = [], finetune.load_own
    monkeypatch.setattr(finetune, "load_own", lambda *given, **how: loaded.append(load(*given, **how)) or loaded[-1])
    flags = ["--base", str(base), "--out", f"{run} 2", "--steps", "1", "--batch-size", "8", "--long-sounds", "pieces"]
    assert main(["finetune", str(tmp_path / "long"), *flags]) == 0
    assert loaded[0][0].num_sounds == 9 and Run.open(f"{run} 2").config["finetune"]["pieces"] is True
    assert finetune.resume(f"{run} 2", device="cpu", progress=False) == 0 and loaded[1][0].num_sounds == 9
    flags[flags.index(f"{run} 2")] = f"{run} 3"  # a project says it in its table
    assert main(["finetune", str(mine.folder), *flags]) == 2 and not (tmp_path / "run 3").exists()
    manager, spawned = Manager(tmp_path / "runs"), []
    monkeypatch.setattr(manager, "_spawn", lambda run, arguments, command="train": spawned.append((command, arguments)))
    manager.finetune("mine", str(mine.folder), str(base), 5)
    assert spawned[0][0] == "finetune" and spawned[0][1][:3] == [str(mine.folder), f"--base={base}", "--minutes=5"]
    with pytest.raises(CheckpointError):
        manager.finetune("other", str(mine.folder), "none")
    finished = Manager(tmp_path)  # whoever reads the page learns the project's name, not where it is
    assert finished.settings("run")["data"] == finished.describe("run")["data"] == "Bells and gongs"


def test_best_weights_survive_a_kill_just_before_they_are_written(tmp_path, base, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(held_out, step):
        if step > 0:
            raise Killed

    data, run = project(tmp_path).folder, tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(HeldOut, "_write_best", kill)
        with pytest.raises(Killed):
            tune(data, run, base, steps=4, sample_seconds=0.0)
    saved = json.loads((run / "checkpoint" / "config.json").read_text())["info"]["steps"]
    assert finetune.resume(run, "cpu", progress=False) == 0 and saved > 0
    assert Model.from_pretrained(run / "best").info["step"] >= saved


def test_the_json_of_a_run_holds_no_infinity(tmp_path, base):
    assert tune(project(tmp_path, 2, 0).folder, tmp_path / "run", base) == 0  # two files only
    for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(name))


def test_captions_in_an_old_encoding_are_said_or_read_as_asked(tmp_path, base, capsys):
    data = tmp_path / "set"
    data.mkdir()
    rows = ["file_name,text"]
    for i, text in enumerate(("красное яблоко", "синее небо", "собака лает", "жёлтый банан")):
        (data / f"{i}.png").write_bytes(picture(i))
        rows.append(f"{i}.png,{text}")
    (data / "metadata.csv").write_bytes("\n".join(rows).encode("cp1251"))
    assert tune(data, tmp_path / "guessed", base) == 0
    notes = Run.open(tmp_path / "guessed").status()["finetune"]["notes"]
    assert any("metadata.csv was read as cp1251, such as “красное яблоко”" in str(note) for note in notes)
    options = ["finetune", str(data), "--base", str(base), "--steps", "1", "--batch-size", "8", "--device", "cpu"]
    options.append("--out")
    assert main([*options, str(tmp_path / "asked"), "--encoding", "KOI8-R"]) == 0
    asked = Run.open(tmp_path / "asked")
    assert asked.config["finetune"]["encoding"] == "koi8-r"
    assert not any("was read as" in str(note) for note in asked.status()["finetune"]["notes"])
    for command in (options, ["train", "--data", str(data), "--out"]):
        assert main([*command, str(tmp_path / "none"), "--encoding", "klingon"]) == 2
        assert "There is no encoding 'klingon'" in capsys.readouterr().err and not (tmp_path / "none").exists()
