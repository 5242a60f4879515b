"""Sections of the config: written, read, named briefly, and read from files of releases that had none."""

import json

import pytest

from mmgan.config import (
    PRESETS,
    SETTINGS,
    ModelConfig,
    TrainingConfig,
    flat,
    from_dict,
    put,
    sections,
    to_dict,
    with_values,
)
from mmgan.errors import CheckpointError
from mmgan.system.resources import MODELS, PRETRAINED

# As 0.1 wrote a training of its "base" preset on digits.
OLD_MODEL = {
    "image_size": 64, "image_channels": 1, "embedding_dim": 384, "latent_shared": 16, "latent_image": 32,
    "latent_audio": 32, "style_dim": 256, "image_patch": 2, "audio_patch": 2, "image_widths": [192, 128, 96, 64],
    "audio_widths": [128, 96, 64, 32], "convolutions": 2, "critic_features": 256,
    "audio": {
        "sampling_rate": 16_000, "num_samples": 16_384, "window": 1_024, "hop": 256, "bands": 64, "f_min": 30.0,
        "f_max": 8_000.0, "floor_db": -70.0, "griffin_lim_iterations": 32,
    },
}  # fmt: skip
OLD = {
    "model": OLD_MODEL, "loss": "hinge", "optimizer": "adamw", "weight_decay": 0.0, "gamma": 3.0, "steps": 70,
    "augment_image": 0.3, "augment_audio": -1.0, "augment_target": 0.5, "seed": 4,
}  # fmt: skip


@pytest.mark.parametrize("config", [*PRESETS.values(), TrainingConfig(model=PRESETS["large"])])
def test_what_is_written_is_read(config):
    assert from_dict(type(config), json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize("name", MODELS)
def test_models_that_ship_are_read_with_their_sizes(name):
    values = json.loads((PRETRAINED / name / "config.json").read_text())["model"]
    config = from_dict(ModelConfig, values)
    assert list(config.modalities) == ["image", "audio"]
    assert config.latent_sizes == (values["latent_shared"], values["latent_image"], values["latent_audio"])
    assert (config.image.size, config.image.channels) == (values["image_size"], values["image_channels"])
    assert config.image.widths == tuple(values["image_widths"]) and config.audio.patch == values["audio_patch"]


def test_a_training_of_an_earlier_release_is_read():
    config = from_dict(TrainingConfig, OLD)
    assert config.model == PRESETS["base"] and config.losses.loss == "hinge" and config.losses.gamma == 3.0
    assert config.optimization.optimizer == "adam" and config.schedule.steps == 70 and config.schedule.seed == 4
    assert config.augmentation.probability == {"image": 0.3, "audio": -1.0}
    assert config.augmentation.augment_target == 0.5
    assert from_dict(TrainingConfig, sections(OLD)) == config == from_dict(TrainingConfig, sections(sections(OLD)))
    assert OLD["model"]["image_size"] == 64 and OLD_MODEL["audio"]["griffin_lim_iterations"] == 32  # left as they were


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"weight_decay": 0.1}, "weight_decay"),  # it decayed then, and would not now
        ({"model": OLD_MODEL | {"embedding_dim": 12}}, "embedding_dim"),
        ({"model": OLD_MODEL | {"image_size": 8}}, "size in image in model"),
        ({"model": {"image": {"size": 32}, "smell": {}}}, "smell"),
        ({"losses": {"gamma": "much"}}, "gamma in x should be"),
        ({"augmentation": {"probability": {"smell": 0.5}}}, "a number for each modality"),
        ({"augmentation": {"probability": {"image": 2.0}}}, "image in probability"),
        ({"losses": 3}, "object of settings"),
    ],
)
def test_what_cannot_be_read_is_named(values, named):
    with pytest.raises(CheckpointError, match=named):
        from_dict(TrainingConfig, values, "x")


def test_settings_are_put_in_by_their_own_names_and_by_those_they_once_had():
    config = TrainingConfig()
    config = with_values(config, {"gamma": 2, "model.image_size": 64, "augment_audio": 0.25, "model.audio.latent": 8})
    assert config.losses.gamma == 2.0 and config.model.image.size == 64 and config.model.audio.latent == 8
    assert config.augmentation.probability == {"audio": 0.25}
    named = flat(to_dict(config))
    assert named["gamma"] == 2.0 and named["model.image.size"] == 64 and named["augment_audio"] == 0.25
    for place in ("nothing.at.all", "model.image.size.more", "gamma."):
        assert not put(to_dict(config), place, 1)


def test_no_two_sections_have_a_setting_of_one_name():
    names = [name for name, (place, _) in SETTINGS.items() if "probability." not in place]
    fields = sum(len(values) for name, values in to_dict(TrainingConfig()).items() if name != "model")
    assert len(names) == fields and len(set(names)) == fields
