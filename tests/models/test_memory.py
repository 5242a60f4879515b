"""The memory of named things: what a caption finds there, and what happens without it."""

import pytest
import torch

from mmgan.config import ImageModelConfig, MemoryConfig, ModelConfig, from_dict, to_dict
from mmgan.models import Generator
from mmgan.models.layers import standard, unit
from mmgan.models.memory import Memory

THINGS, HEADS = 5, 2
CONFIG = MemoryConfig(THINGS, names=2, key=16, code=8, heads=HEADS)


def embeddings(count, seed=0):
    return unit(torch.randn(count, 384, generator=torch.Generator().manual_seed(seed)))


@pytest.fixture
def memory():
    """Whose keys are what its heads ask for when they hear the names [THINGS, 2, 384]."""
    torch.manual_seed(0)
    memory = Memory(CONFIG)
    names = embeddings(THINGS * 2).unflatten(0, (THINGS, 2))
    with torch.no_grad():
        first, second = memory.query.weight.chunk(HEADS)
        second.copy_(first)
        memory.keys.copy_(standard(names) @ first.T)
    return memory, names


def test_either_name_finds_its_thing(memory):
    memory, names = memory
    for which in range(2):
        found = memory.scores(names[:, which]).argmax(2)  # [things, heads]
        assert found.tolist() == [[thing] * HEADS for thing in range(THINGS)]


def test_what_is_read_is_the_things_code_in_the_limit(memory):
    memory, names = memory
    with torch.no_grad():
        memory.log_sharpness.fill_(8.0)
        read = memory(names[:, 0]).unflatten(1, (HEADS, -1))
    assert torch.allclose(read, memory.codes[:, None].expand_as(read), atol=1e-4)


def test_a_hidden_thing_is_not_read(memory):
    memory, names = memory
    hidden = torch.eye(THINGS, dtype=torch.bool)
    weights = memory.scores(names[:, 0], hidden).softmax(2)
    assert weights[torch.arange(THINGS), :, torch.arange(THINGS)].max() < 1e-6
    assert torch.allclose(weights.sum(2), torch.ones(THINGS, HEADS))


def model(things):
    image = ImageModelConfig(size=16, channels=3, widths=(8, 8))
    memory = MemoryConfig(things, key=16, code=8)
    return ModelConfig({"image": image}, latent_shared=4, style_dim=16, critic_features=16, memory=memory)


def test_the_generator_reads_its_memory():
    torch.manual_seed(0)
    generator, caption = Generator(model(THINGS)), embeddings(3)
    latents = torch.randn(3, generator.config.latent_dim)
    before = generator(caption, latents)["image"]
    generator(caption, latents)["image"].sum().backward()
    assert generator.mapping.memory.codes.grad.abs().sum() > 0
    assert generator.mapping.memory.query.weight.grad.abs().sum() > 0
    with torch.no_grad():
        generator.mapping.memory.codes.neg_()
        generator.mapping.image.out.bias.add_(0)  # nothing else changed
    styles = generator.mapping(caption, latents)["image"]
    assert before.shape == (3, 3, 16, 16) and torch.isfinite(styles).all()


def test_without_things_there_is_no_memory():
    names = Generator(model(0)).state_dict()
    assert not [name for name in names if "memory" in name or "recall" in name]


def test_its_sizes_are_checked_like_all_others():
    config = model(THINGS)
    assert from_dict(ModelConfig, to_dict(config)) == config
    with pytest.raises(Exception, match="memory"):
        from_dict(ModelConfig, {**to_dict(config), "memory": {"things": -1}})
