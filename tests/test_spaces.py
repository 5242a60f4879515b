"""The repository deploys to Hugging Face Spaces as it is."""

from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]


def header():
    _, block, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return dict(line.split(": ", 1) for line in block.splitlines())


def test_header():
    values = header()
    assert values["sdk"] == "gradio" and (ROOT / values["app_file"]).is_file()
    assert values["license"] == "mit" and (ROOT / "LICENSE").is_file()
    assert values["sdk_version"].split(".")[0] == version("gradio").split(".")[0]


def test_requirements_are_the_dependencies():
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == dependencies


@pytest.mark.parametrize("space, host", [("someone/mmgan", "0.0.0.0"), (None, "127.0.0.1")])
def test_listens_to_the_outside_only_on_spaces(monkeypatch, space, host):
    from mmgan.ui import app

    asked = []
    monkeypatch.delenv("SPACE_ID", raising=False)
    if space:
        monkeypatch.setenv("SPACE_ID", space)
    monkeypatch.setattr(app, "check_port", lambda *address: None)
    monkeypatch.setattr(app, "build", lambda sampler, settings: SimpleNamespace(block_thread=lambda: None))
    monkeypatch.setattr(app, "_warm_up", lambda sampler: None)
    monkeypatch.setattr(app, "serve", lambda demo, settings: asked.append((settings.host, settings.port)))
    app.main()
    assert asked == [(host, 7860)]
