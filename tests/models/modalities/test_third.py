"""A third modality, a vector of four numbers, in this file alone: trained with the others, resumed exactly, sampled."""

import dataclasses

import pytest
import torch
from PIL import Image
from small import MODEL, Blobs, Encoder

from mmgan.config import MODALITY_CONFIGS, ModalityConfig, ModelConfig, TrainingConfig, from_dict, to_dict, with_values
from mmgan.data.base import Row
from mmgan.models import modalities
from mmgan.models.checkpoint import Model
from mmgan.models.critic import Critic
from mmgan.models.layers import MLP, activate
from mmgan.models.modalities import Modality
from mmgan.runs.run import Run
from mmgan.training import train as module
from mmgan.training.trainer import Trainer


@dataclasses.dataclass(frozen=True)
class VectorConfig(ModalityConfig):
    length: int = 4


class VectorCritic(Critic):
    def __init__(self, model, section):
        super().__init__()
        self.body = MLP(section.length, 16, model.critic_features)
        self.add_heads(model, section)

    def features(self, x):
        return activate(self.body(x))


@dataclasses.dataclass(frozen=True)
class VectorRow(Row):
    vector: int | None = None


class Vector(Modality):
    name, config = "vector", VectorConfig

    def shape(self, section):
        return (section.length,)

    def synthesis(self, model, section):
        return MLP(model.style_dim, 16, section.length)

    def critic(self, model, section):
        return VectorCritic(model, section)

    def count(self, dataset):
        return getattr(dataset, "num_vectors", 0)

    def place(self, row):
        return getattr(row, "vector", None)

    def concept(self, dataset, index):
        return dataset.image_concept(index)

    def load(self, dataset, indices, section):
        return torch.stack([dataset.vector(i) for i in indices])

    def preview(self, row):
        return Image.fromarray(((row[None] + 1) * 127).clamp(0, 255).byte().numpy())


class Three(Blobs):
    """Blobs with a vector each, which says whether the square is bright; every fourth row has none."""

    name, num_vectors = "three", 8

    def vector(self, index):
        return torch.full((4,), 0.8 if index < 4 else -0.8) + 0.02 * index

    def rows(self, rng, count):
        rows = [vars(row) for row in super().rows(rng, count)]
        return [VectorRow(**row, vector=None if k % 4 == 3 else row["image"]) for k, row in enumerate(rows)]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(modalities, "MODALITIES", modalities.MODALITIES)
    modalities.register(Vector())
    yield
    del modalities.MODALITIES["vector"], MODALITY_CONFIGS["vector"]


def config(**changes) -> TrainingConfig:
    model = dataclasses.replace(MODEL, modalities={**MODEL.modalities, "vector": VectorConfig(latent=4)})
    return with_values(TrainingConfig(model=model), {"batch_size": 16, "metric_steps": 1, **changes})


def test_its_section_is_written_and_read():
    values = to_dict(config().model)
    assert values["vector"] == {"latent": 4, "length": 4}
    assert from_dict(ModelConfig, values) == config().model and config().model.latent_dim == 16


def test_it_is_learned_with_the_others():
    torch.manual_seed(0)
    t = Trainer(config(steps=150), Three(), Encoder())
    for _ in range(150):
        terms = t.step()
    assert "sign_vector" in terms and t.game.present == ("image", "audio", "vector")
    made = t.sample(["a bright square", "a dark square"], torch.randn(2, 16))
    assert made["image"].shape == (2, 1, 16, 16) and made["audio"].shape == (2, 64, 16)
    bright, dark = made["vector"].mean(1)
    assert made["vector"].shape == (2, 4) and bright - dark > 0.5


def test_it_is_resumed_exactly_sampled_and_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "load_dataset", lambda source: Three())
    monkeypatch.setattr(module.TextEncoder, "from_pretrained", lambda *_: Encoder())

    def train(out, resume=False):
        assert module.train(config(steps=6), "three", tmp_path / out, resume, device="cpu", progress=False) == 0
        return Run.open(tmp_path / out)

    step = Trainer.step

    def stopped_at_three(trainer):
        if trainer.step_count == 2:
            Run(tmp_path / "parts").request("stop")
        return step(trainer)

    whole = train("whole")
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stopped_at_three)
        assert train("parts").checkpoint_step() == 3
    parts = train("parts", resume=True)
    pair = [Model.from_pretrained(run.folder, with_discriminators=True) for run in (whole, parts)]
    for network in ("generator", "discriminators"):
        first, second = (getattr(model, network).state_dict() for model in pair)
        assert any("vector" in name for name in first)
        for name, value in first.items():
            assert torch.equal(value, second[name]), name
    embedding, latents = Encoder().encode(["a bright square"]), torch.randn(1, 16)
    assert pair[0].generator(embedding, latents)["vector"].shape == (1, 4)
    assert (whole.strips / "0000006-vector.png").exists() and (whole.strips / "real-vector.png").exists()
