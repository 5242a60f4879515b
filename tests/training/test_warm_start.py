"""A new run that goes on from a model's weights."""

import pytest
import torch
from PIL import Image
from small import MODEL, Blobs, Encoder, config

from mmgan.config import ModelConfig, with_values
from mmgan.errors import TrainingError
from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.runs.run import Run
from mmgan.training import train as module
from mmgan.training.resuming import warm_start
from mmgan.training.trainer import Trainer
from mmgan.training.warm_start import base_modules, fit, load_base, start_from, with_image_critic


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


def test_early_layers_of_a_bases_critics_do_not_learn_and_the_others_do(model):
    folder, _ = model
    fresh = Trainer(config(seed=6, learning_rate=1e-2), Blobs(), Encoder())
    start_from(fresh, fit(Model.from_pretrained(folder, with_discriminators=True), 1))
    before = {name: value.detach().clone() for name, value in fresh.discriminators.named_parameters()}
    fresh.step()
    same = {name for name, value in fresh.discriminators.named_parameters() if torch.equal(value, before[name])}
    assert {f"{side}.{layer}.weight" for side in ("image", "audio") for layer in ("stem", "stages.0.convs.0")} <= same
    assert "joint.out.weight" not in same and len(same) < len(before) / 2


class Sized(Blobs):
    """Pictures so many pixels wide and high."""

    def __init__(self, side):
        super().__init__()
        self.side = side

    def image(self, index):
        return super().image(index).resize((self.side, self.side + 40), Image.Resampling.NEAREST)


class Silent(Blobs):
    num_sounds = 0


class Blind(Blobs):
    num_images = 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (Sized(23), []),
        (Sized(24), ["finetune.base_size"]),  # half as much again as the base's 16
        (Silent(), ["finetune.no_audio"]),
        (Blind(), ["finetune.no_image"]),
    ],
)
def test_what_data_lack_or_have_too_much_of_is_said(model, data, said):
    folder, _ = model
    assert [note.key for note in load_base(str(folder), data).notes] == said


def test_a_base_without_pictures_says_nothing_of_their_size(tmp_path):
    config = ModelConfig({"audio": MODEL.audio}, latent_shared=4, style_dim=16, critic_features=16)
    Model(Generator(config), Discriminators(config), {}).save_pretrained(tmp_path / "sounds")
    assert not load_base(str(tmp_path / "sounds"), Sized(64)).notes


def test_another_image_critic_is_new_and_the_rest_stays(model):
    base = fit(Model.from_pretrained(model[0], with_discriminators=True), None)
    changed = with_image_critic(base, "projected")
    assert changed.config.image.critic == "projected" and base.config.image.critic == "learned"
    _, critics = base_modules(changed)
    assert type(critics.image).__name__ == "ProjectedMapCritic"
    for name, value in critics.state_dict().items():
        if not name.startswith("image."):
            assert torch.equal(value, base.critics[name]), name
    assert changed.generator is base.generator
    assert with_image_critic(base, "learned") is base
