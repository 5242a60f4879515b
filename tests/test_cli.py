import csv
import errno
import subprocess
import sys
import types
import zipfile

import numpy as np
import pytest
import soundfile
from fakes import RATE, FakePipeline
from PIL import Image

from mmgan import __version__, cli
from mmgan.cli import evaluation
from mmgan.errors import MmganError


@pytest.fixture
def pipe(monkeypatch):
    """The fake pipeline in the place of the real one."""
    fake = FakePipeline()
    module = types.ModuleType("mmgan.sampling.pipeline")
    module.Pipeline = types.SimpleNamespace(from_pretrained=lambda name, device="auto": fake)
    monkeypatch.setitem(sys.modules, "mmgan.sampling.pipeline", module)
    return fake


def rows(folder):
    with open(folder / "metadata.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def one_sentence(capsys):
    error = capsys.readouterr().err
    assert error.startswith("mmgan: ") and error.count("\n") == 1 and "Traceback" not in error
    return error


def test_sample_writes_numbered_pairs_and_a_dataset(pipe, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert cli.main(["sample", "a handwritten seven", "零, 一", "-n", "2", "--seed", "3", "-o", str(out)]) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {f"{i:03d}.{kind}" for i in range(4) for kind in ("png", "wav")} | {"metadata.csv"}
    assert [row["text"] for row in rows(out)] == ["a handwritten seven"] * 2 + ["零, 一"] * 2
    assert [call[2] for call in pipe.calls] == [3, 3]
    for row in rows(out):
        assert Image.open(out / row["file_name"]).size == (28, 28)
        waveform, rate = soundfile.read(out / row["audio_file"])
        assert rate == RATE and np.abs(waveform).max() > 0.1
    assert str(out) in capsys.readouterr().out


def test_what_sample_writes_loads_as_a_dataset(pipe, tmp_path):
    from mmgan.data import load_dataset

    assert cli.main(["sample", "a thick zero", "-n", "3", "-o", str(tmp_path)]) == 0
    dataset = load_dataset(str(tmp_path))
    assert (dataset.num_images, dataset.num_sounds) == (3, 3)
    assert dataset.rows(np.random.default_rng(0), 1)[0].text == "a thick zero"


def test_sample_keeps_earlier_samples_unless_told(pipe, tmp_path, capsys):
    assert cli.main(["sample", "a", "-n", "2", "-o", str(tmp_path)]) == 0
    before = (tmp_path / "000.png").read_bytes()
    (tmp_path / "notes.txt").write_text("mine")
    capsys.readouterr()
    assert cli.main(["sample", "b", "-n", "1", "-o", str(tmp_path)]) == 2
    assert "--overwrite" in one_sentence(capsys)
    assert (tmp_path / "000.png").read_bytes() == before
    assert cli.main(["sample", "b", "-n", "1", "-o", str(tmp_path), "--overwrite"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"000.png", "000.wav", "metadata.csv", "notes.txt"}


@pytest.mark.parametrize("prompt", ["", "   ", "\u202e", "x" * 10_000])
def test_bad_prompt_is_one_sentence_and_writes_nothing(pipe, tmp_path, capsys, prompt):
    assert cli.main(["sample", "a good one", prompt, "-o", str(tmp_path / "out")]) == 2
    one_sentence(capsys)
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_one_sentence(pipe, tmp_path, capsys):
    (tmp_path / "out").write_text("")
    assert cli.main(["sample", "a", "-o", str(tmp_path / "out")]) == 2
    assert "another name" in one_sentence(capsys)


def test_full_disk_is_one_sentence_and_leaves_no_half_file(pipe, tmp_path, capsys, monkeypatch):
    from mmgan.system import files

    def full(path, *_):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_file", full)
    assert cli.main(["sample", "a", "-o", str(tmp_path)]) == 2
    assert "disk is full" in one_sentence(capsys)
    assert list(tmp_path.iterdir()) == []


def raising(monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr(evaluation, "data", fail)
    return cli.main(["data", "digits"])


def test_errors_for_people_exit_2(monkeypatch, capsys):
    assert raising(monkeypatch, MmganError("Do this instead.")) == 2
    assert one_sentence(capsys) == "mmgan: Do this instead.\n"


def test_interrupt_exits_130(monkeypatch, capsys):
    assert raising(monkeypatch, KeyboardInterrupt()) == 130
    one_sentence(capsys)


def test_full_disk_anywhere_exits_2(monkeypatch, capsys):
    assert raising(monkeypatch, OSError(errno.ENOSPC, "No space left on device")) == 2
    assert "disk is full" in one_sentence(capsys)


def test_unexpected_errors_say_where_the_traceback_is(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path))
    assert raising(monkeypatch, ZeroDivisionError("secret")) == 1
    (log,) = tmp_path.iterdir()
    assert str(log) in one_sentence(capsys)
    assert "ZeroDivisionError: secret" in log.read_text()


def test_debug_shows_the_traceback(monkeypatch, capsys):
    def fail(_):
        raise ZeroDivisionError

    monkeypatch.setattr(evaluation, "data", fail)
    assert cli.main(["data", "digits", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_train_without_data_says_what_to_add(capsys, tmp_path):
    assert cli.main(["train", "--out", str(tmp_path / "run")]) == 2
    assert "--data" in one_sentence(capsys)


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"mmgan {__version__}\n"


def test_a_closed_pipe_is_no_error():
    code = (
        "import sys; from mmgan import cli; cli.evaluation.data = lambda _: print('x' * 1_000_000); "
        "sys.exit(cli.main(['data', 'digits']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 1


def test_what_sample_writes_opens_elsewhere_and_keeps_its_prompts(pipe, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="the library is of the test extra")
    prompts = ["a thin three", "=1+1", "'=a", "零, 一"]
    assert cli.main(["sample", *prompts, "-n", "1", "-o", str(tmp_path / "out")]) == 0
    data = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["image"].size for row in data] == [(28, 28)] * 4 and list(data["text"])[::3] == prompts[::3]
    assert all(soundfile.info(tmp_path / "out" / name).samplerate == RATE for name in data["audio_file"])
    assert not [text for text in data["text"] if text.startswith("=")]  # no spreadsheet computes one
    from mmgan.data import load_dataset

    assert {prompt.text for prompt in load_dataset(str(tmp_path / "out")).prompts()} == set(prompts)


def test_a_model_and_data_are_told_apart(tmp_path, capsys):
    data, model = tmp_path / "data.zip", tmp_path / "model.zip"
    for path, names in ((data, ["bell/1.png", "bell/1.wav"]), (model, ["config.json", "generator.safetensors"])):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"{}")
    assert cli.main(["import", str(data), str(tmp_path / "new")]) == 2
    assert "data.zip holds pictures and sounds to learn from, not a model" in one_sentence(capsys)
    for command in ("finetune", "train"):
        arguments = [command, str(model)] if command == "finetune" else [command, "--data", str(model)]
        assert cli.main([*arguments, "--out", str(tmp_path / command)]) == 2
        said = capsys.readouterr().err
        assert "model.zip is a model, not pictures and sounds" in said and "--base" in said, said


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5_000, "😀" * 80])
def test_a_name_that_no_disk_takes_is_one_sentence(pipe, tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for arguments in (["sample", "a seven", "-o", name], ["import", name], ["import", "x.zip", name], ["export", name]):
        assert cli.main(arguments) == 2, arguments
        one_sentence(capsys)
