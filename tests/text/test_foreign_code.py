"""A text encoder's folder may bring code of its own, which transformers would run if it were told to."""

import json
import shutil

import pytest

from mmgan.errors import CheckpointError
from mmgan.system.resources import PRETRAINED
from mmgan.text.encoder import TextEncoder

CODE = """
from pathlib import Path
Path({mark!r}).write_text("ran")
from transformers import ElectraConfig, ElectraModel, PreTrainedTokenizerFast
class Config(ElectraConfig):
    model_type = {kind!r}
class Model(ElectraModel):
    config_class = Config
class Tokenizer(PreTrainedTokenizerFast):
    pass
"""


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A function that gives a folder with code in it, for a model of that type, and the file that the code writes."""
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # whoever is asked says yes

    def make(kind):
        folder, mark = shutil.copytree(PRETRAINED / "text-encoder", tmp_path / "encoder"), tmp_path / "mark"
        (folder / "theirs.py").write_text(CODE.format(mark=str(mark), kind=kind))
        classes = {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}
        for name, changes in (
            ("config.json", {"model_type": kind, "auto_map": classes}),
            ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": [None, "theirs.Tokenizer"]}}),
        ):
            values = json.loads((folder / name).read_text()) | changes
            (folder / name).write_text(json.dumps(values))
        return folder, mark

    return make


def test_code_of_an_unknown_kind_of_model_is_not_run(foreign):
    folder, mark = foreign("theirs")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        TextEncoder.from_pretrained(folder)
    assert not mark.exists()


def test_code_beside_a_known_kind_of_model_is_not_run(foreign):
    folder, mark = foreign("electra")
    assert TextEncoder.from_pretrained(folder).encode("a seven").shape == (1, 384)
    assert not mark.exists()
