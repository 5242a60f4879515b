"""Model folders: what is saved comes back, nothing is lost on the way, and nothing foreign gets in."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmgan.config import AudioModelConfig, ImageModelConfig, ModelConfig
from mmgan.errors import CheckpointError, MmganError
from mmgan.hub import pretrained
from mmgan.models import Discriminators, Generator, checkpoint
from mmgan.models import folder as folder_module
from mmgan.models.checkpoint import Model
from mmgan.models.model_folder import ModelFolder
from mmgan.system import files

ROOT = Path(checkpoint.__file__).parents[2]
SMALL = ModelConfig(
    {
        "image": ImageModelConfig(size=16, latent=3, patch=2, widths=(8, 8)),
        "audio": AudioModelConfig(num_samples=4_096, latent=3, patch=4, widths=(8, 8)),
    },
    latent_shared=2, style_dim=16, critic_features=16,
)  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    folder = tmp_path / "model"
    Model(Generator(SMALL), Discriminators(SMALL), {"name": "small", "examples": ["a seven"]}).save_pretrained(folder)
    return folder


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def one_sentence(info) -> str:
    text = str(info.value)
    assert "\n" not in text and text.endswith(".") and "Traceback" not in text
    return text


class TestRoundTrip:
    def test_weights_config_and_info_come_back(self, tmp_path):
        generator, discriminators = Generator(SMALL), Discriminators(SMALL)
        Model(generator, discriminators, {"name": "名"}).save_pretrained(tmp_path / "m")
        model = Model.from_pretrained(tmp_path / "m", with_discriminators=True)
        assert model.config == SMALL and model.info == {"name": "名"} and model.folder == tmp_path / "m"
        assert equal(model.generator.state_dict(), generator.state_dict())
        assert equal(model.discriminators.state_dict(), discriminators.state_dict())
        assert not model.generator.training
        assert all(p.requires_grad for p in model.discriminators.parameters())

    def test_discriminators_only_where_asked_for(self, saved, tmp_path):
        assert Model.from_pretrained(saved).discriminators is None
        Model(Generator(SMALL)).save_pretrained(tmp_path / "alone")
        assert Model.from_pretrained(tmp_path / "alone", with_discriminators=True).discriminators is None

    def test_everything_is_moved_to_the_device_that_was_asked_for(self, saved):
        model = Model.from_pretrained(saved, device="meta", with_discriminators=True)
        for module in (model.generator, model.discriminators):
            assert {parameter.device.type for parameter in module.parameters()} == {"meta"}

    def test_half_is_half_the_size_and_loads_as_float32(self, saved, tmp_path):
        model = Model.from_pretrained(saved)
        Model(model.generator).save_pretrained(tmp_path / "half", half=True)
        small, large = (f / "generator.safetensors" for f in (tmp_path / "half", saved))
        assert small.stat().st_size < 0.6 * large.stat().st_size
        loaded = Model.from_pretrained(tmp_path / "half").generator.state_dict()
        for key, value in model.generator.state_dict().items():
            assert loaded[key].dtype == torch.float32
            assert torch.equal(loaded[key], value.half().float())

    def test_loading_leaves_the_random_state_alone(self, saved):
        before = torch.get_rng_state()
        Model.from_pretrained(saved, with_discriminators=True)
        assert torch.equal(before, torch.get_rng_state())

    def test_loading_does_not_import_the_compiler(self, saved):
        """Which takes a second, and is what torch does to draw random numbers for tensors without memory."""
        code = f"""
import sys
from mmgan.models.checkpoint import Model
before = set(sys.modules)
Model.from_pretrained({str(saved)!r}, with_discriminators=True)
assert not {{m for m in set(sys.modules) - before if m.startswith(("torch._inductor", "torch._dynamo", "sympy"))}}
"""
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

    def test_channels_last_weights_are_saved_as_they_are(self, tmp_path):
        generator = Generator(SMALL)
        plain = {key: value.clone() for key, value in generator.state_dict().items()}
        Model(generator.to(memory_format=torch.channels_last)).save_pretrained(tmp_path / "m")
        assert equal(Model.from_pretrained(tmp_path / "m").generator.state_dict(), plain)

    def test_the_card_survives_a_new_save_and_an_old_training_state_does_not(self, saved):
        (saved / "README.md").write_text("a card")
        Model(Generator(SMALL)).save_pretrained(saved, tensors={"average": {"w": torch.ones(2)}}, state={"step": 1})
        assert (saved / "average.safetensors").exists() and not (saved / "discriminator.safetensors").exists()
        Model(Generator(SMALL)).save_pretrained(saved)
        assert (saved / "README.md").read_text() == "a card"
        assert {entry.name for entry in saved.iterdir()} == {"README.md", "config.json", "generator.safetensors"}

    def test_nothing_is_left_beside_the_folder(self, saved):
        assert [entry.name for entry in saved.parent.iterdir()] == ["model"]


class TestTrainingState:
    def test_comes_back_bit_for_bit(self, tmp_path):
        tensors = {
            "generator_now": {"w": torch.randn(3, 4), "b": torch.tensor(float("nan"))},
            "random": {"torch": torch.get_rng_state()},
            "optimizer-g": {"w/step": torch.tensor(7.0), "w/exp_avg": torch.randn(3, 4).double()},
            "empty": {},
        }
        state = {"step": 20, "numpy": {"state": 2**127 + 1}, "strength": 0.1 + 0.2}
        Model(Generator(SMALL)).save_pretrained(tmp_path / "m", tensors=tensors, state=state)
        loaded, loaded_state = Model.load_training_state(tmp_path / "m")
        assert loaded_state == state and loaded.keys() == tensors.keys()
        for name, group in tensors.items():
            assert group.keys() == loaded[name].keys()
            for key, value in group.items():
                assert loaded[name][key].dtype == value.dtype
                assert torch.equal(loaded[name][key].nan_to_num(9), value.nan_to_num(9))

    def test_absent_or_broken(self, saved):
        with pytest.raises(CheckpointError, match="no training state") as info:
            Model.load_training_state(saved)
        one_sentence(info)
        for text in ("[]", "{", '{"version": 1, "tensors": ["../x"], "state": {}}', '{"version": 9}'):
            (saved / "training.json").write_text(text)
            with pytest.raises(CheckpointError) as info:
                Model.load_training_state(saved)
            one_sentence(info)

    def test_names_cannot_hide_the_model(self, tmp_path):
        for name in ("generator", "discriminator", "../x", ""):
            with pytest.raises(ValueError):
                Model(Generator(SMALL)).save_pretrained(tmp_path / "m", tensors={name: {}})
        assert not (tmp_path / "m").exists()

    @pytest.mark.parametrize("kind", ["adam", "adamw", "sgd", "momentum"])
    def test_the_optimiser_goes_on_exactly(self, kind):
        make = {
            "adam": lambda p: torch.optim.Adam(p, 1e-2, betas=(0.0, 0.99)),
            "adamw": lambda p: torch.optim.AdamW(p, 1e-2),
            "sgd": lambda p: torch.optim.SGD(p, 1e-2),
            "momentum": lambda p: torch.optim.SGD(p, 1e-2, momentum=0.9),
        }[kind]

        def steps(model, optimizer, seeds):
            for seed in seeds:
                x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        def fresh():
            torch.manual_seed(0)
            layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(144, 2))
            return layers.to(memory_format=torch.channels_last)

        whole = fresh()
        steps(whole, make(whole.parameters()), range(6))
        first = fresh()
        optimizer = make(first.parameters())
        steps(first, optimizer, range(3))
        tensors = checkpoint.optimizer_tensors(optimizer, first.named_parameters())
        second = fresh()
        second.load_state_dict(first.state_dict())
        optimizer = make(second.parameters())
        checkpoint.restore_optimizer(optimizer, second.named_parameters(), {k: v.clone() for k, v in tensors.items()})
        steps(second, optimizer, range(3, 6))
        assert equal(whole.state_dict(), second.state_dict())

    def test_state_of_another_model_is_refused(self):
        layer = torch.nn.Linear(2, 3)
        optimizer = torch.optim.Adam(layer.parameters())
        for tensors in ({"other/exp_avg": torch.ones(3, 2)}, {"weight/exp_avg": torch.ones(2, 2)}):
            with pytest.raises(CheckpointError) as info:
                checkpoint.restore_optimizer(optimizer, layer.named_parameters(), tensors)
            one_sentence(info)


def edit(folder: Path, change) -> None:
    values = json.loads((folder / "config.json").read_text())
    change(values)
    (folder / "config.json").write_text(json.dumps(values))


def edit_tensors(folder: Path, change) -> None:
    tensors = load_file(folder / "generator.safetensors")
    change(tensors)
    save_file(tensors, folder / "generator.safetensors")


def cut(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


KEY = "mapping.text.out.weight"
BROKEN = {
    "no config": (lambda f: (f / "config.json").unlink(), "no config.json"),
    "no weights": (lambda f: (f / "generator.safetensors").unlink(), "no generator.safetensors"),
    "not ours": (lambda f: (f / "config.json").write_text('{"model_type": "bert"}'), "no model of mmgan"),
    "not an object": (lambda f: (f / "config.json").write_text("[1]"), "one JSON object"),
    "not JSON": (lambda f: (f / "config.json").write_bytes(b"\x80\x04pickle"), "cannot be read"),
    "deep": (lambda f: (f / "config.json").write_text('{"a":' + "[" * 100_000), "cannot be read"),
    "oversized": (lambda f: (f / "config.json").write_text('{"format": "mmgan"' + " " * 2**20 + "}"), "1 MiB"),
    "a folder as config": (lambda f: ((f / "config.json").unlink(), (f / "config.json").mkdir()), "cannot be read"),
    "newer": (lambda f: edit(f, lambda v: v.update(version=2)), "update mmgan"),
    "unknown setting": (lambda f: edit(f, lambda v: v["model"].update(depth=3)), "'depth'"),
    "no model": (lambda f: edit(f, lambda v: v.pop("model")), "settings"),
    "huge size": (lambda f: edit(f, lambda v: v["model"].update(style_dim=10**9)), "outside"),
    "infinite": (lambda f: edit(f, lambda v: v["model"]["audio"].update(f_min=float("inf"))), "outside"),
    "beyond floats": (lambda f: edit(f, lambda v: v["model"]["audio"].update(f_min=10**400)), "outside|cannot be read"),
    "sizes that do not fit": (lambda f: edit(f, lambda v: v["model"]["image"].update(size=17)), "do not fit"),
    "larger than its file": (lambda f: edit(f, lambda v: v["model"].update(style_dim=1_024)), "config.json asks for"),
    "empty weights": (lambda f: cut(f / "generator.safetensors", 0), "damaged or cut short"),
    "cut in the header": (lambda f: cut(f / "generator.safetensors", 0.01), "damaged or cut short"),
    "cut in the weights": (lambda f: cut(f / "generator.safetensors", 0.9), "damaged or cut short"),
    "a pickle": (lambda f: (f / "generator.safetensors").write_bytes(b"PK\x03\x04" * 100), "damaged or cut short"),
    "missing tensor": (lambda f: edit_tensors(f, lambda t: t.pop(KEY)), "lacks"),
    "another tensor": (lambda f: edit_tensors(f, lambda t: t.update(extra=torch.ones(1))), "in addition"),
    "wrong shape": (lambda f: edit_tensors(f, lambda t: t.update({KEY: torch.ones(2, 2)})), "asks for"),
    "wrong type": (lambda f: edit_tensors(f, lambda t: t.update({KEY: t[KEY].int()})), "type"),
    "NaN": (lambda f: edit_tensors(f, lambda t: t[KEY].view(-1)[3].fill_(float("nan"))), "not finite"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_gives_one_sentence(saved, name):
    damage, words = BROKEN[name]
    damage(saved)
    with pytest.raises(CheckpointError, match=words) as info:
        Model.from_pretrained(saved)
    one_sentence(info)


def test_info_of_a_wrong_type_is_dropped(saved):
    edit(saved, lambda v: v.update(info=["x"]))
    assert Model.from_pretrained(saved).info == {}


class TestResolve:
    def test_a_name_under_pretrained_before_a_folder_here(self, saved, tmp_path, monkeypatch):
        monkeypatch.setattr(pretrained, "PRETRAINED", saved.parent)
        (tmp_path / "here" / "model").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "here")
        assert ModelFolder.resolve("model") == saved

    def test_a_run_means_its_checkpoint(self, tmp_path):
        Model(Generator(SMALL)).save_pretrained(tmp_path / "run" / "checkpoint")
        assert ModelFolder.resolve(tmp_path / "run") == tmp_path / "run" / "checkpoint"
        assert Model.from_pretrained(str(tmp_path / "run")).config == SMALL

    @pytest.mark.parametrize("source", ["nothing-of-that-name", "", "../..//x/y/z", "a/b/c", "~nobody/x", "digits\n"])
    def test_nothing_there(self, source, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(CheckpointError) as info:
            Model.from_pretrained(source)
        one_sentence(info)

    def test_a_file(self, tmp_path):
        (tmp_path / "x.ckpt").write_text("")
        with pytest.raises(CheckpointError, match="is a file"):
            ModelFolder.resolve(tmp_path / "x.ckpt")

    def test_a_hub_id_is_asked_for_json_and_safetensors_only(self, saved, monkeypatch):
        asked = {}

        def download(hub_id, allow_patterns):
            asked[hub_id] = allow_patterns
            return str(saved)

        monkeypatch.setattr("huggingface_hub.snapshot_download", download)
        assert Model.from_pretrained("owner/name").config == SMALL
        assert list(asked) == ["owner/name"] and not [p for p in asked["owner/name"] if "bin" in p or p == "*"]

    def test_the_hub_out_of_reach(self, tmp_path, monkeypatch):
        def download(*_, **__):
            raise ConnectionError("no route\nto host")

        monkeypatch.setattr("huggingface_hub.snapshot_download", download)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(CheckpointError, match="owner/name") as info:
            ModelFolder.resolve("owner/name")
        one_sentence(info)


class TestSavingFails:
    def test_a_full_disk_keeps_the_old_checkpoint(self, saved, monkeypatch):
        before = Model.from_pretrained(saved).generator.state_dict()
        real = files.write_file

        def full(path, data):
            real(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(folder_module, "write_file", full)
        with pytest.raises(MmganError, match="disk is full") as info:
            Model(Generator(SMALL)).save_pretrained(saved)
        one_sentence(info)
        assert [entry.name for entry in saved.parent.iterdir()] == ["model"]
        assert equal(Model.from_pretrained(saved).generator.state_dict(), before)

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
    def test_the_second_rename_fails(self, saved, monkeypatch, number):
        real, before = os.rename, Model.from_pretrained(saved).generator.state_dict()

        def rename(source, target):
            if ".new-" in str(source):
                raise OSError(number, os.strerror(number))
            real(source, target)

        monkeypatch.setattr(os, "rename", rename)
        with pytest.raises(MmganError) as info:
            Model(Generator(SMALL)).save_pretrained(saved)
        one_sentence(info)
        assert equal(Model.from_pretrained(saved).generator.state_dict(), before)
        assert [entry.name for entry in saved.parent.iterdir()] == ["model"]

    def test_other_peoples_files_are_not_replaced(self, tmp_path):
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "cat.jpg").write_text("meow")
        with pytest.raises(CheckpointError, match="other files"):
            Model(Generator(SMALL)).save_pretrained(tmp_path / "photos")
        (tmp_path / "file").write_text("x")
        for target in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(MmganError, match="in its way") as info:
                Model(Generator(SMALL)).save_pretrained(target)
            one_sentence(info)
        assert (tmp_path / "photos" / "cat.jpg").read_text() == "meow"
        assert (tmp_path / "file").read_text() == "x"

    def test_a_kill_between_the_two_renames(self, saved):
        before = Model.from_pretrained(saved).generator.state_dict()
        saved.rename(saved.with_name(".model.old"))
        assert equal(Model.from_pretrained(saved).generator.state_dict(), before)
        after = Generator(SMALL)
        Model(after).save_pretrained(saved)
        assert equal(Model.from_pretrained(saved).generator.state_dict(), after.state_dict())
        assert [entry.name for entry in saved.parent.iterdir()] == ["model"]
