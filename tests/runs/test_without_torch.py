"""Whoever lists, watches and directs runs loads neither the networks' libraries nor the page's."""

import pkgutil
import subprocess
import sys

import mmgan.runs

HEAVY = {"torch", "torchaudio", "gradio", "transformers", "accelerate"}


def test_runs_need_neither_torch_nor_gradio():
    modules = [f"mmgan.runs.{module.name}" for module in pkgutil.iter_modules(mmgan.runs.__path__)]
    assert len(modules) > 8
    code = f"import sys; [__import__(name) for name in {modules}]; print(*{HEAVY} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_a_run_is_started_watched_and_deleted_without_them(tmp_path):
    code = f"""
import sys
from mmgan.runs.manager import Manager
manager = Manager({str(tmp_path / "runs")!r}, ("true",))
manager.start("one", "shapes", settings={{"learning_rate": 0.001}})
manager._started["one"].wait()
assert manager.names() == ["one"] and manager.describe("one")["state"] == "failed"
assert manager.history("one").since()["curves"] == {{}}
manager.delete("one")
print(*{HEAVY} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
