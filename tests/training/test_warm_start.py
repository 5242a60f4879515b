"""A new run that goes on from a model's weights."""

import pytest
import torch
from small import MODEL, Blobs, Encoder, config

from mmgan.config import with_values
from mmgan.errors import TrainingError
from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.runs.run import Run
from mmgan.training import train as module
from mmgan.training.resuming import warm_start
from mmgan.training.trainer import Trainer


@pytest.fixture
def model(tmp_path):
    trained = Trainer(config(seed=5), Blobs(), Encoder())
    trained.step()
    Model(trained.ema, trained.discriminators, {"name": "blobs"}).save_pretrained(tmp_path / "model")
    return tmp_path / "model", trained


def test_weights_are_taken_over(model):
    folder, trained = model
    fresh = Trainer(config(seed=6), Blobs(), Encoder())
    warm_start(fresh, folder)
    for network in ("generator", "ema"):
        for name, value in trained.ema.state_dict().items():
            torch.testing.assert_close(getattr(fresh, network).state_dict()[name], value)
    for name, value in trained.discriminators.state_dict().items():
        torch.testing.assert_close(fresh.discriminators.state_dict()[name], value)
    assert fresh.step_count == 0 and not fresh.optimizer_g.state


def test_a_run_starts_from_the_model_and_says_so(model, tmp_path, monkeypatch):
    folder, trained = model
    monkeypatch.setattr(module, "load_dataset", lambda source: Blobs())
    monkeypatch.setattr(module.TextEncoder, "from_pretrained", lambda *_: Encoder())
    settings = config(steps=1, learning_rate=0.0)
    assert module.train(settings, "blobs", tmp_path / "run", device="cpu", progress=False, start_from=str(folder)) == 0
    run = Run.open(tmp_path / "run")
    assert run.config["start_from"] == str(folder)
    from mmgan.models.checkpoint import Model

    saved = Model.from_pretrained(run.folder).generator.state_dict()
    torch.testing.assert_close(saved, dict(trained.ema.state_dict()))


def test_other_sizes_and_missing_discriminators_are_refused(model, tmp_path):
    folder, trained = model
    small = config(model=with_values(MODEL, {"style_dim": 24}))
    with pytest.raises(TrainingError, match="other sizes"):
        warm_start(Trainer(small, Blobs(), Encoder()), folder)
    channels = config().model.image.channels
    other = config(model=MODEL.with_channels(4 - channels))
    Model(Generator(other.model), Discriminators(other.model), {}).save_pretrained(tmp_path / "other")
    said = "^other makes colour pictures and the data are grey" if channels == 1 else "^other makes grey pictures"
    with pytest.raises(TrainingError, match=said):
        warm_start(Trainer(config(), Blobs(), Encoder()), tmp_path / "other")
    Model(Generator(config().model)).save_pretrained(tmp_path / "half")
    with pytest.raises(TrainingError, match="no discriminators"):
        warm_start(Trainer(config(), Blobs(), Encoder()), tmp_path / "half")
    assert isinstance(trained.discriminators, Discriminators)
