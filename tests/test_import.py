"""Importing mmgan asks for nothing: no gradio, no network, no GPU."""

import subprocess
import sys

GUARD = """
import socket, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "gradio":
            raise ImportError(f"{name} is blocked")

def refuse(*_, **__):
    raise OSError("the network is blocked")

sys.meta_path.insert(0, Blocked())
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


def run(code):
    done = subprocess.run([sys.executable, "-c", GUARD + code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_loads_nothing_heavy():
    heavy = run("import mmgan, sys; print(sorted({'torch', 'transformers', 'gradio', 'numpy'} & set(sys.modules)))")
    assert heavy.strip() == "[]"


def test_public_names_need_no_gradio_no_network_and_no_gpu():
    out = run(
        "import mmgan, torch; mmgan.Pipeline; mmgan.TextEncoder; "
        "from mmgan import data, evaluation, models, training; print(torch.cuda.is_initialized())"
    )
    assert out.strip() == "False"


def test_unknown_names_are_unknown():
    assert "no attribute" in run("import mmgan\ntry:\n    mmgan.nothing\nexcept AttributeError as e:\n    print(e)")


def test_help_loads_nothing_heavy():
    code = """
import sys
from mmgan.cli import main
try:
    main(["--help"])
except SystemExit:
    print("torch" in sys.modules)
"""
    assert run(code).splitlines()[-1] == "False"
