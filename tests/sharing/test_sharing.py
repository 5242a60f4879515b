"""Model zips: there and back, and those that strangers made; the Hub behind a stand-in."""

import io
import json
import struct
import zipfile
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import HfHubHTTPError
from PIL import Image
from small import MODEL

from mmgan.cli import main
from mmgan.errors import CheckpointError, MmganError
from mmgan.models import Discriminators, Generator
from mmgan.models.card import card_text
from mmgan.models.checkpoint import Model
from mmgan.sampling.pipeline import Pipeline
from mmgan.sharing.hub import push_to_hub
from mmgan.sharing.zips import MODEL_FILES, export_model, import_model


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    info = {"name": "bells", "steps": 7, "examples": ["a bell", "a gong"], "finetune": {"base": "shapes"}}
    Model(Generator(MODEL), Discriminators(MODEL), info).save_pretrained(
        tmp_path / "model", tensors={"optimizer-generator": {"x": torch.zeros(2)}}, state={"step": 7}
    )
    return tmp_path / "model"


@pytest.fixture
def exported(model, tmp_path):
    return export_model(model, tmp_path / "out" / "bells.zip")


def contents(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, members: dict):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def refused(path, folder) -> str:
    with pytest.raises(CheckpointError) as error:
        import_model(path, folder)
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and "/tmp" not in text and not folder.exists()
    return text


def test_a_model_travels_as_a_zip_and_samples_there(model, exported, tmp_path):
    members = contents(exported)
    assert set(members) == MODEL_FILES  # and nothing of the training's state
    assert Image.open(io.BytesIO(members["samples.png"])).width > 200
    card = members["README.md"].decode()
    assert (
        card.startswith("---\n") and "# bells" in card and "Fine-tuned from shapes." in card and "samples.png" in card
    )
    folder = import_model(exported, tmp_path / "there")
    one, two = (
        Model.from_pretrained(model, with_discriminators=True),
        Model.from_pretrained(folder, with_discriminators=True),
    )
    for a, b in ((one.generator, two.generator), (one.discriminators, two.discriminators)):
        assert all(torch.equal(x.half(), y.half()) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert Pipeline.from_pretrained(folder, device="cpu")("a bell", seed=3).images[0].size == (16, 16)
    with pytest.raises(CheckpointError, match="already holds files"):
        import_model(exported, tmp_path / "there")


def test_a_zip_with_a_folder_around_it(exported, tmp_path):
    wrapped = written(tmp_path / "w.zip", {f"bells/{name}": data for name, data in contents(exported).items()})
    assert Model.from_pretrained(import_model(wrapped, tmp_path / "there")).info["name"] == "bells"


@pytest.mark.parametrize("extra", ["model.pkl", "run.py", "pytorch_model.bin", "a/config.json", "README.md.exe"])
def test_files_that_no_model_has(exported, tmp_path, extra):
    assert "no model of mmgan's does" in refused(
        written(tmp_path / "x.zip", contents(exported) | {extra: b"x"}), tmp_path / "there"
    )


@pytest.mark.parametrize("missing", ["config.json", "generator.safetensors"])
def test_files_that_a_model_must_have(exported, tmp_path, missing):
    members = {name: data for name, data in contents(exported).items() if name != missing}
    assert missing in refused(written(tmp_path / "x.zip", members), tmp_path / "there")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"}, {"version": 99}, {"model": {"image_size": 10**9}}, {"model": {"style_dim": "big"}},
        {"model": {"unknown": 1}}, {"model": None}, [],
    ],
)  # fmt: skip
def test_settings_are_checked(exported, tmp_path, change):
    members = contents(exported)
    values = json.loads(members["config.json"])
    if isinstance(change, dict) and isinstance(change.get("model"), dict):
        change = {"model": values["model"] | change["model"]}
    members["config.json"] = json.dumps(values | change if isinstance(change, dict) else change).encode()
    refused(written(tmp_path / "x.zip", members), tmp_path / "there")


def test_tensors_are_checked(exported, tmp_path):
    members = contents(exported)
    good = members["generator.safetensors"]
    (length,) = struct.unpack_from("<Q", good)
    header = json.loads(good[8 : 8 + length])
    first = next(key for key in header if key != "__metadata__")

    def with_header(changed: dict, body: bytes = good[8 + length :]) -> bytes:
        data = json.dumps(changed).encode()
        return struct.pack("<Q", len(data)) + data + body

    broken = {
        "empty": b"", "short": good[:100], "cut": good[:-2], "more": good + b"xx", "pickle": b"\x80\x04" + bytes(200),
        "length": struct.pack("<Q", 2**60) + good[8:],
        "type": with_header(header | {first: header[first] | {"dtype": "I64"}}),
        "shape": with_header(header | {first: header[first] | {"shape": [1]}}),
        "name": with_header({("x" if key == first else key): value for key, value in header.items()}),
        "overlap": with_header(header | {first: header[first] | {"data_offsets": [0, 10**9]}}),
        "infinite": good[: 8 + length] + b"\x00\x7c" * ((len(good) - 8 - length) // 2),
    }  # fmt: skip
    for kind, data in broken.items():
        path = written(tmp_path / f"{kind}.zip", members | {"generator.safetensors": data})
        refused(path, tmp_path / "there")


def test_bombs_and_paths_and_pictures_that_are_none(exported, tmp_path):
    members = contents(exported)
    refused(written(tmp_path / "bomb.zip", members | {"README.md": bytes(64 << 20)}), tmp_path / "there")
    refused(written(tmp_path / "path.zip", members | {"../config.json": b"{}"}), tmp_path / "there")
    refused(written(tmp_path / "picture.zip", members | {"samples.png": b"<svg/>"}), tmp_path / "there")
    (tmp_path / "no.zip").write_bytes(b"PK")
    refused(tmp_path / "no.zip", tmp_path / "there")
    refused(tmp_path / "absent.zip", tmp_path / "there")


def test_what_is_hidden_in_a_picture_does_not_come_along(exported, tmp_path):
    members = contents(exported)
    path = written(tmp_path / "x.zip", members | {"samples.png": members["samples.png"] + b"<script>"})
    folder = import_model(path, tmp_path / "there")
    assert b"<script>" not in (folder / "samples.png").read_bytes()


def test_a_card_holds_no_markup_of_others():
    text = card_text(
        {"name": "x](http://evil)\n# <script>", "finetune": {"base": "*b*", "sentences": ["1 | 2"]}}, ["!p"]
    )
    assert "\n# <script>" not in text and "](http" not in text.replace("\\](", "") and r"\*b\*" in text


def test_from_the_command_line(model, tmp_path, capsys, monkeypatch):
    zipped = str(tmp_path / "m.zip")
    assert main(["export", str(model), "-o", zipped]) == 0 and capsys.readouterr().out.strip() == zipped
    assert main(["import", zipped, str(tmp_path / "there")]) == 0
    assert main(["import", zipped, str(tmp_path / "there")]) == 2 and "already holds" in capsys.readouterr().err
    FakeHub.uploads, FakeHub.status = [], 0
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    assert main(["push", str(model), "ada/bells", "--public"]) == 0
    assert FakeHub.uploads[0] == ("ada/bells", False, None) and "huggingface.co/ada/bells" in capsys.readouterr().out


class FakeHub:
    """huggingface_hub.HfApi, as far as it is used; keeps what was uploaded."""

    uploads = None
    status = 0

    def __init__(self, token=None):
        self.token = token

    def create_repo(self, repo_id, private, exist_ok):
        if self.status:
            raise HfHubHTTPError(f"refused {self.token}", response=SimpleNamespace(
                status_code=self.status, headers={}, request=None, text="", url="", json=dict
            ))  # fmt: skip
        self.uploads.append((repo_id, private, self.token))
        return f"https://huggingface.co/{repo_id}"

    def upload_folder(self, folder_path, repo_id, allow_patterns, commit_message):
        from pathlib import Path

        self.uploads.append({path.name: path.stat().st_size for path in Path(folder_path).iterdir()})
        Model.from_pretrained(folder_path, with_discriminators=True)


def test_pushing_to_the_hub(model, monkeypatch):
    FakeHub.uploads, FakeHub.status = [], 0
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    assert push_to_hub(model, "ada/bells", token="hf_secret") == "https://huggingface.co/ada/bells"
    assert FakeHub.uploads[0] == ("ada/bells", True, "hf_secret") and set(FakeHub.uploads[1]) == MODEL_FILES
    for status, words in ((401, "does not let this token"), (403, "does not let this token"), (500, "refused")):
        FakeHub.status = status
        with pytest.raises(MmganError, match=words) as error:
            push_to_hub(model, "ada/bells", token="hf_secret")
        assert "hf_secret" not in str(error.value) and error.value.__cause__ is None
    with pytest.raises(MmganError, match="owner/name"):
        push_to_hub(model, "bells", token="x")
    for error in (OSError("no network"), Exception("the network library's own")):
        monkeypatch.setattr(FakeHub, "create_repo", lambda *a, error=error, **k: (_ for _ in ()).throw(error))
        with pytest.raises(MmganError, match="cannot be reached"):
            push_to_hub(model, "ada/bells", token="x")
