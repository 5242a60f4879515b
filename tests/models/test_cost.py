"""What a sample may cost: known before anything is built, the same wherever a server reads a model."""

import zipfile

import pytest
import torch
from small import MODEL
from torch.utils.flop_counter import FlopCounterMode

from mmgan.audio.griffin_lim import ENOUGH
from mmgan.config import PRESETS, ModelConfig, with_values
from mmgan.errors import CheckpointError, TrainingError
from mmgan.models import Generator, cost
from mmgan.models.checkpoint import Model
from mmgan.models.cost import check_cost, check_model, sample_cost
from mmgan.models.model_folder import ModelFolder
from mmgan.runs.checks import check_settings
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.sharing import zips as sharing
from mmgan.sharing.adoption import adopt
from mmgan.sharing.zips import import_model
from mmgan.ui.collect.model_files import ModelFiles
from mmgan.ui.sample.sampler import MODELS, Sampler

SHIPPED = {name: ModelFolder.read_config(name)[0] for name in MODELS}
LONG = with_values(MODEL, {"audio.num_samples": 16_384 * 16})
HEAVY = {
    "frames and iterations": with_values(
        MODEL, {"audio.sampling_rate": 48_000, "audio.num_samples": 491_520, "audio.hop": 64}
    ),
    "window and bands": with_values(
        MODEL, {"audio.num_samples": 65_536, "audio.hop": 64, "audio.window": 4_096, "audio.bands": 128}
    ),
    "channels": with_values(ModelConfig(), {"image.widths": (1_024,) * 4}),
    "pixels": with_values(ModelConfig(), {"image.size": 256, "image.widths": (256,) * 5, "convolutions": 4}),
    "parameters": with_values(ModelConfig(), {"style_dim": 1_024, "image.size": 256, "image.widths": (1_024,)}),
}


@pytest.mark.parametrize("config", [*PRESETS.values(), *SHIPPED.values()])
def test_what_ships_and_the_presets_are_far_below_the_limits(config):
    for channels in (1, 3):
        config = config.with_channels(channels)
        found = sample_cost(config)
        assert found.multiply_adds < cost.MAX_MULTIPLY_ADDS / 3 and found.numbers < cost.MAX_NUMBERS / 3
        assert found.parameters < cost.MAX_PARAMETERS / 1.5 and found.seconds < cost.MAX_SECONDS / 3
        check_cost(config, "it")
    check_cost(with_values(config, {"audio.num_samples": 163_840}), "ten seconds")


@pytest.mark.parametrize("config", [*PRESETS.values(), HEAVY["channels"], HEAVY["pixels"]])
def test_the_estimate_is_that_of_the_network(config):
    with torch.device("meta"):
        generator = Generator(config)
        with FlopCounterMode(display=False) as counter:
            generator(torch.empty(1, 384), torch.empty(1, config.latent_dim))
    found = sample_cost(config)
    silent = sample_cost(
        with_values(config, {"audio.griffin_lim_iterations": 1, "audio.window": 256, "audio.bands": 64})
    )
    assert found.parameters == pytest.approx(sum(p.numel() for p in generator.parameters()), rel=0.05)
    assert 0.5 < silent.multiply_adds / (counter.get_total_flops() / 2) < 3


def test_the_vocoders_iterations_are_the_vocoders():
    assert cost.ITERATIONS == ENOUGH
    asked = [with_values(MODEL, {"audio": {"griffin_lim_iterations": n}}) for n in (1, 8, 256)]  # 256: of older files
    of = [sample_cost(config).multiply_adds for config in asked]
    assert of[0] < of[1] == of[2]


def test_long_sounds_and_much_computing_are_one_sentence():
    with pytest.raises(
        CheckpointError, match=r"^bells makes 16 s of sound a sample, and up to 10 s are made here; .*\.$"
    ):
        check_cost(LONG, "bells")
    for config in HEAVY.values():
        with pytest.raises(CheckpointError, match=r"^bells asks for more computing than is given .*\.$"):
            check_cost(config, "bells")


@pytest.fixture
def heavy(tmp_path):
    """A model of few weights and long sounds, as a zip and as a run."""
    Model(Generator(LONG), None, {"name": "bells"}).save_pretrained(tmp_path / "model")
    with zipfile.ZipFile(tmp_path / "bells.zip", "w") as archive:
        for path in (tmp_path / "model").iterdir():
            archive.write(path, path.name)
    (tmp_path / "runs").mkdir()
    with Run.create(tmp_path / "runs" / "bells", {"training": {}, "data": ""}) as run:
        (tmp_path / "model").rename(run.checkpoint)
        run.set_status("finished", step=0, reason="", share=1.0)
    return tmp_path


def test_nothing_of_a_costly_zip_is_built(heavy, monkeypatch):
    monkeypatch.setattr(sharing.Model, "from_pretrained", None)
    with pytest.raises(CheckpointError, match=r"bells\.zip cannot be used: the model makes 16 s of sound"):
        import_model(heavy / "bells.zip", heavy / "there")
    with pytest.raises(CheckpointError):
        adopt(heavy / "bells.zip", heavy / "runs" / "imported")
    assert Manager(heavy / "runs").names() == ["bells"]


def test_weights_beyond_the_largest_model_are_not_unpacked(heavy, monkeypatch):
    monkeypatch.setattr(sharing, "WEIGHT_BYTES", 1_000)
    with pytest.raises(CheckpointError, match=r"generator\.safetensors in bells\.zip is too large"):
        import_model(heavy / "bells.zip", heavy / "there")


def test_a_costly_run_is_neither_sampled_from_nor_started_from_nor_sent(heavy):
    manager = Manager(heavy / "runs")
    with pytest.raises(CheckpointError, match="bells makes 16 s"):
        Sampler(device="cpu", runs=manager.models).pipeline("runs/bells")
    with pytest.raises(CheckpointError, match="bells makes 16 s"):
        manager.start("more", "shapes", start_from=str(heavy / "runs" / "bells"))
    with pytest.raises(CheckpointError, match="bells makes 16 s"):
        manager.finetune("more", str(heavy), str(heavy / "runs" / "bells"))
    with pytest.raises(CheckpointError, match="bells makes 16 s"):
        ModelFiles._make(str(heavy / "runs" / "bells"), heavy / "sent.zip")
    with pytest.raises(CheckpointError, match="bells makes 16 s"):
        ModelFiles._publish(str(heavy / "runs" / "bells"), "a/b", "token", False)
    assert manager.names() == ["bells"]
    for name in MODELS:
        check_model(name)


def test_no_training_of_what_could_not_be_sampled_from_is_started():
    with pytest.raises(TrainingError, match=r"^The model makes 66 s of sound a sample"):
        check_settings("tiny", {"model.audio.num_samples": 1_048_576})
    assert check_settings("large", {"batch_size": 64}).optimization.batch_size == 64


@pytest.mark.parametrize("settings", [{"beta1": "0" * 300}, {f"x{i}": 1 for i in range(200)}, {"x" * 500: 1}])
def test_settings_are_few_and_short(settings):
    with pytest.raises(TrainingError, match="Give at most 80 settings"):
        check_settings("tiny", settings)
