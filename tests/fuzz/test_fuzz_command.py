"""What may be typed at the terminal: odd values for every argument end in a result, or in a sentence and status 2."""

from __future__ import annotations

import contextlib
import io
import json
import random
import zipfile

import pytest
from fakes import FakePipeline

from mmgan import cli
from mmgan.data import load_dataset
from mmgan.errors import MmganError
from mmgan.evaluation import evaluate
from mmgan.hub import remote
from mmgan.models.model_folder import ModelFolder
from mmgan.sampling import arguments, pipeline
from mmgan.sharing import hub as hub_of_models
from mmgan.sharing import zips
from mmgan.training import train
from mmgan.training.finetune import command as finetune
from mmgan.ui import app

ODD = (
    "", " ", "-", "--", "-1", "0", "1", "1e400", "nan", "inf", "9" * 400, "1.5", "٣", "\0", "a\0b", "\ud800", "\udcff",
    "😀" * 80, "a" * 5_000, "/dev/null", "/proc/self/mem", "/proc/none/x", "nothing/here", "con", "C:\\x", "a\nb",
    "--out", "=", "x=", "=x", "model.image_size=3", "learning_rate=yes", "{}", "%s", "digits", "shapes", "data.zip",
    "model.zip", "empty", "picture.png", "picture.png/x", "ada/bells",
)  # fmt: skip
COMMANDS = (
    ["sample", "a seven", "--overwrite", "-n", "1", "--seed", "0", "-o", "out", "--model", "digits", "--truncation=1"],
    ["train", "--data", "shapes", "--preset", "tiny", "--out", "run", "--minutes", "1", "--set", "seed=1"],
    ["train", "--resume", "--out", "run"],
    ["finetune", "data.zip", "--base", "shapes", "--out", "tuned", "--minutes", "1", "--set", "seed=1"],
    ["export", "digits", "-o", "digits.zip"],
    ["import", "model.zip", "imported"],
    ["push", "digits", "ada/bells"],
    ["evaluate", "digits", "--data", "data.zip", "--json", "figures.json", "--samples", "1", "--seed", "0"],
    ["app", "--host", "127.0.0.1", "--port", "7860", "--max-upload", "5", "--limit", "files=5", "--runs", "runs"],
)  # fmt: skip


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to stand in, with something of each kind in it; and nothing that takes long, or asks the network."""
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("bell/1.png", b"\x89PNG and nothing more")
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("config.json", json.dumps({"format": "mmgan", "version": 1}))
        archive.writestr("generator.safetensors", b"\2\0\0\0\0\0\0\0{}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    real = pipeline.Pipeline.from_pretrained

    def load(source="digits", *others, **more):
        if source not in ("digits", "shapes"):
            return real(source, *others, **more)
        fake = FakePipeline()
        return lambda prompt, **asked: arguments.checked_prompts(prompt) and fake(prompt, **asked)

    monkeypatch.setattr(pipeline.Pipeline, "from_pretrained", load)
    monkeypatch.setattr(remote, "download", enough)
    for module in (zips, hub_of_models):
        monkeypatch.setattr(module, "write_shareable", lambda source, *_: ModelFolder.resolve(source) and enough())
    monkeypatch.setattr(evaluate, "evaluate", lambda pipe, data, *_: load_dataset(data) and enough())
    monkeypatch.setattr(train, "begin", lambda *_, **__: 0)
    monkeypatch.setattr(finetune, "load_base", enough)
    monkeypatch.setattr(app, "main", lambda settings: app.check_port(settings.host, settings.port))
    return tmp_path


def enough(*_, **__):
    raise MmganError("What comes after this is not tried here.")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_the_command_line(place, command, count, tally):
    for seed in range(count):
        draw = random.Random(seed)
        arguments = list(command)
        for _ in range(draw.choice((1, 1, 1, 2))):
            arguments[draw.randrange(1, len(arguments))] = draw.choice(ODD)
        if draw.randrange(8) == 0:
            del arguments[draw.randrange(1, len(arguments))]
        said, status = typed(arguments)
        assert status in (0, 2), (arguments, said)
        assert "Traceback" not in said and "Error(" not in said, (arguments, said)
        if status == 2:
            assert any(line.startswith("mmgan") for line in said.splitlines()), (arguments, said)
        tally["result" if status == 0 else "sentence"] += 1


def typed(arguments: list[str]) -> tuple[str, int]:
    """What the command says on stderr, and its status."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = cli.main(arguments)
        except SystemExit as left:  # argparse, of what it cannot read
            status = left.code
    return said.getvalue(), status
