"""What the README shows works as it stands there: its Python, and the formats that it says things are in."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from safetensors import safe_open

from mmgan.runs.run import Run
from mmgan.system import resources
from mmgan.training.finetune import command as finetune

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(part):
    """The one block of Python that holds ``part``."""
    (found,) = [code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if part in code]
    return found


def test_the_python_example_makes_pictures_and_sounds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block("Pipeline.from_pretrained"), names)
    assert Image.open("seven.png").size == (32, 32) and names["out"].sampling_rate == 16_000
    audio = names["out"].audio
    assert audio.dtype == np.float32 and audio.ndim == 2 and 0.05 < np.abs(audio).max() <= 1


def test_the_http_example_talks_to_a_page(url):
    names = {}
    exec(block('api_name="/sample"').replace("http://127.0.0.1:7860", str(url)), names)
    assert len(names["samples"]) == 4 and len(names["way"]) == 13
    assert {kind: len(samples) for kind, samples in names["ways"].items()} == {"shared": 9, "image": 9, "audio": 9}


def test_the_project_example_ends_in_a_model(tmp_path, monkeypatch, capsys):
    import zipfile

    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number in range(3):
        Image.new("RGB", (32, 32), (90 * number, 0, 0)).save(f"in/IMG_{number}.png")
        soundfile.write(f"in/bell {number}.wav", 0.3 * np.sin(np.arange(9_000) * (0.1 + 0.1 * number)), 16_000)
    with zipfile.ZipFile("bells.zip", "w") as archive:
        for path in Path("in").iterdir():
            archive.write(path, path.name)
    soundfile.write("gong.wav", 0.3 * np.sin(np.arange(9_000) * 0.05), 16_000)
    code = block("Projects(")
    assert '{"minutes": 8}' in code
    monkeypatch.setitem(finetune.DEFAULTS, "batch_size", 8)
    exec(code.replace('{"minutes": 8}', '{"steps": 1}'), {})
    assert Run.open("runs/bells").checkpoint_step() == 1
    assert "IMG_0.png" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["digits", "shapes", "text-encoder", "judge-digits-audio", "judge-digits-image"])
def test_what_ships_is_json_safetensors_and_a_card(name):
    folder = resources.PRETRAINED / name
    assert {path.suffix for path in folder.iterdir()} == {".json", ".md", ".safetensors"}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="np") as file:
            assert len(list(file.keys())) > 1
