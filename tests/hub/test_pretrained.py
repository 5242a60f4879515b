"""What all folders of config.json and safetensors share: old layouts pass one place, the Hub, the card, no torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small import MODEL

from mmgan.errors import CheckpointError, MmganError
from mmgan.evaluation.judges import Judge, JudgeConfig
from mmgan.models import Generator
from mmgan.models.checkpoint import Model
from mmgan.models.image_features import ImageFeatures, ImageFeaturesConfig
from mmgan.models.model_folder import ModelFolder
from mmgan.models.vocoder import Vocoder, VocoderConfig
from mmgan.text.encoder import TextEncoder

MAKE = {
    "model": lambda: Model(Generator(MODEL)),
    "vocoder": lambda: Vocoder(VocoderConfig(width=16, hidden=16, blocks=1, phase_bins=8, corrections=1)),
    "judge": lambda: Judge(JudgeConfig(widths=(8, 8), features=16)),
    "features": lambda: ImageFeatures(
        ImageFeaturesConfig(channels=(8, 8), repeats=(1, 1), kernels=(3, 3), strides=(1, 2), stem=8, stages=(2,))
    ),
}


def weights(one) -> dict:
    return {f"{name}.{key}": v for name, m in one.modules_by_file().items() for key, v in m.state_dict().items()}


@pytest.mark.parametrize("kind", MAKE)
def test_each_kind_comes_back_and_is_taken_for_no_other(kind, tmp_path):
    torch.manual_seed(0)
    one = MAKE[kind]()
    one.info = {"name": "名"}
    one.save_pretrained(tmp_path / "one")
    back = type(one).from_pretrained(tmp_path / "one")
    assert back.info == {"name": "名"} and back.config == one.config
    assert all(torch.equal(value, weights(back)[key]) for key, value in weights(one).items())
    (tmp_path / "one" / "README.md").write_text("my card")
    one.save_pretrained(tmp_path / "one", half=True)
    assert (tmp_path / "one" / "README.md").read_text() == "my card"
    for other in {Model, Vocoder, Judge, ImageFeatures} - {type(one)}:
        with pytest.raises(CheckpointError, match=f"no {other.noun} of mmgan's"):
            other.from_pretrained(tmp_path / "one")
        with pytest.raises(CheckpointError, match=f"other files and no {other.noun}"):
            MAKE[{Model: "model", Vocoder: "vocoder", Judge: "judge"}.get(other, "features")]().save_pretrained(
                tmp_path / "one"
            )


def test_a_text_encoder_comes_back(tmp_path):
    encoder = TextEncoder.from_pretrained()
    encoder.save_pretrained(tmp_path / "encoder")
    assert torch.equal(TextEncoder.from_pretrained(tmp_path / "encoder").encode("a bell"), encoder.encode("a bell"))
    encoder.save_pretrained(tmp_path / "half", half=True)
    near = TextEncoder.from_pretrained(tmp_path / "half").encode("a bell") @ encoder.encode("a bell").T
    assert float(near) > 0.999 and encoder.model.dtype == torch.float32


def test_earlier_settings_and_names_of_tensors_pass_one_place(tmp_path):
    class Later(Vocoder):
        version, section = 2, "sizes"

        @classmethod
        def migrate_config(cls, values):
            if values.get("version") == 1:
                values = values | {"version": 2, "sizes": values["vocoder"]}
            return values

        @classmethod
        def migrate_tensors(cls, file, tensors):
            assert file in ("model", "raw")
            return tensors

    earlier = MAKE["vocoder"]()
    earlier.save_pretrained(tmp_path / "v", tensors={"raw": {"x": torch.ones(2)}}, state={"step": 1})
    assert Later.read_config(tmp_path / "v")[0] == earlier.config
    later = Later.from_pretrained(tmp_path / "v")
    assert all(torch.equal(value, later.state_dict()[key]) for key, value in earlier.state_dict().items())
    with pytest.raises(CheckpointError, match="another version"):
        Later.load_training_state(tmp_path / "v")


def test_renamed_tensors_are_checked_under_their_new_names(tmp_path):
    class Renamed(Vocoder):
        @classmethod
        def migrate_tensors(cls, file, tensors):
            return {name.removeprefix("old."): value for name, value in tensors.items()}

    class Old(Vocoder):
        def modules_by_file(self):
            return {"model": torch.nn.ModuleDict({"old": self})}

    earlier = Old(MAKE["vocoder"]().config)
    earlier.save_pretrained(tmp_path / "v", tensors={"raw": {"old.x": torch.ones(2)}}, state={"step": 1})
    with pytest.raises(CheckpointError, match="lacks blocks"):
        Vocoder.from_pretrained(tmp_path / "v")
    back = Renamed.from_pretrained(tmp_path / "v").state_dict()
    assert all(torch.equal(value, back[key]) for key, value in earlier.state_dict().items())
    assert list(Renamed.load_training_state(tmp_path / "v")[0]["raw"]) == ["x"]


def test_a_broken_off_download_is_taken_up_again(monkeypatch, tmp_path):
    encoder, asked = TextEncoder.from_pretrained(), []
    encoder.save_pretrained(tmp_path / "whole")
    (tmp_path / "half").mkdir()

    def download(repo_id, allow_patterns, local_files_only=False):
        assert not [pattern for pattern in allow_patterns if "bin" in pattern or pattern == "*"]
        asked.append(local_files_only)
        return str(tmp_path / ("half" if local_files_only else "whole"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    again = TextEncoder.from_pretrained("owner/encoder")
    assert asked == [True, False] and torch.equal(again.encode("x"), encoder.encode("x"))
    (tmp_path / "half").rmdir()
    (tmp_path / "whole").rename(tmp_path / "half")
    asked.clear()
    TextEncoder.from_pretrained("owner/encoder")
    assert asked == [True]  # the network is not asked for what is here


def test_anything_can_be_pushed_with_a_card(monkeypatch):
    pushed = {}

    class Hub:
        def __init__(self, token):
            pushed["token"] = token

        def create_repo(self, repo_id, private, exist_ok):
            return f"https://huggingface.co/{repo_id}"

        def upload_folder(self, folder_path, repo_id, allow_patterns, commit_message):
            pushed["files"] = {path.name: path.stat().st_size for path in Path(folder_path).iterdir()}
            pushed["config"] = json.loads((Path(folder_path) / "config.json").read_text())

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    assert MAKE["judge"]().push_to_hub("ada/judge", "secret") == "https://huggingface.co/ada/judge"
    assert set(pushed["files"]) == {"README.md", "config.json", "model.safetensors"} and pushed["token"] == "secret"
    assert pushed["config"]["format"] == "mmgan-judge"
    with pytest.raises(MmganError, match="owner/name"):
        MAKE["judge"]().push_to_hub("judge")


def test_settings_are_read_without_torch():
    code = (
        "import sys; from mmgan.models.model_folder import ModelFolder; "
        "from mmgan.models.cost import check_model; check_model('shapes'); "
        "config, info = ModelFolder.read_config('digits'); assert config.image.size == 32 and info['examples']; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert ModelFolder.resolve("digits").name == "digits"
