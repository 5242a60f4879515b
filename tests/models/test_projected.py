"""A critic through frozen eyes: what it learns with, what stays as it is, and that it is a critic like the others."""

import pytest
import torch
from small import Blobs, Encoder, config

from mmgan.config import ImageModelConfig, ModelConfig, with_values
from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.models.image_features import LEARNED_WITH, shipped
from mmgan.models.projected import ProjectedMapCritic
from mmgan.training.trainer import Trainer


def critic(size=32, channels=1):
    image = ImageModelConfig(size=size, channels=channels, critic="projected")
    torch.manual_seed(0)
    return ProjectedMapCritic(ModelConfig({"image": image}, critic_features=24), image)


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (32, 3), (64, 3), (96, 3), (128, 1)])
def test_pictures_of_any_size_are_described(size, channels):
    described = critic(size, channels).features(torch.randn(3, channels, size, size))
    assert described.shape == (3, 24) and torch.isfinite(described).all()
    assert described.std(0).min() > 0  # not one description for all


def test_the_eyes_neither_learn_nor_are_saved():
    one = critic()
    assert not [name for name in one.state_dict() if "groups" in name or "stem" in name]
    x = torch.randn(2, 1, 32, 32, requires_grad=True)
    one.features(x).sum().backward()
    assert x.grad.abs().sum() > 0 and all(p.grad is not None for p in one.heads.parameters())
    assert all(p.grad is None for p in shipped(LEARNED_WITH, torch.device("cpu")).parameters())


def test_the_projections_are_the_same_in_every_model_and_keep_the_variance():
    first, second = critic(), critic()
    projections = [name for name, _ in first.named_buffers() if "project" in name]
    assert len(projections) == 3 and not any(p.requires_grad for _, p in first.named_buffers())
    torch.manual_seed(1)
    for name in projections:
        weight = first.get_buffer(name)[:, :, 0, 0]
        assert torch.equal(weight, second.get_buffer(name)[:, :, 0, 0])
        x = torch.randn(4_000, weight.shape[1])
        assert (x @ weight.T).var() == pytest.approx(1, rel=0.1)


def test_it_trains_is_saved_and_comes_back(tmp_path):
    model = with_values(config().model, {"image.critic": "projected"})
    trainer = Trainer(config(model=model, batch_size=8), Blobs(), Encoder())
    before = {name: value.clone() for name, value in trainer.discriminators.image.state_dict().items()}
    trainer.step()
    changed = {
        name for name, value in trainer.discriminators.image.state_dict().items() if not value.equal(before[name])
    }
    assert any("heads" in name for name in changed) and not any("project" in name or "mix" in name for name in changed)
    Model(Generator(model), trainer.discriminators).save_pretrained(tmp_path / "model")
    back = Model.from_pretrained(tmp_path / "model", with_discriminators=True)
    assert isinstance(back.discriminators, Discriminators) and back.config == model
    rows = torch.randn(2, 1, 16, 16)
    assert torch.equal(back.discriminators.image.features(rows), trainer.discriminators.eval().image.features(rows))
