"""What ships reaches whoever installs it: a wheel in an environment of its own, used from / by somebody without a home.

Nothing is downloaded: the build tools and the dependencies are those of the environment that runs the tests.
"""

import os
import re
import shutil
import site
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import httpx
import pytest

from mmgan.errors import CheckpointError, MmganError
from mmgan.evaluation import judges
from mmgan.hub import pretrained
from mmgan.models.model_folder import ModelFolder
from mmgan.runs.run import Run
from mmgan.system.resources import shipped
from mmgan.text.encoder import TextEncoder
from mmgan.ui.server import assets

ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
NOBODY = 54_321  # a user whom no list of users names, as in containers
BOUND = 240  # seconds of one command on a busy machine
START = 120.0  # seconds within which a page has begun

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="a wheel is built from a checkout")


def run(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=BOUND, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder):
    """An empty virtual environment that sees the dependencies of this one, and no mmgan."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    (packages,) = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").split()
    # As a plain line of a .pth file: .pth files in there, such as that of an editable mmgan, are not followed.
    (Path(packages) / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return python, Path(packages)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the sdist, which was built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    run(*PIP, "wheel", sdist, "--no-deps", "--no-index", "--no-build-isolation", "-w", folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """(command that runs a program as a stranger without a home, the environment's python, a folder to write to)."""
    folder = tmp_path_factory.mktemp("installed")
    python, packages = environment(folder / "venv")
    run(*PIP, "--python", python, "install", "--no-deps", "--no-index", "--no-compile", wheel)
    for parent, _, _ in os.walk(packages):
        os.chmod(parent, 0o555)  # also where the tests have no other user at hand, nothing is written there
    writable = folder / "writable"
    (writable / "tmp").mkdir(parents=True)
    stranger = []
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("setpriv"):
        # Reads everything, such as a Python in root's home, and writes only what is its own.
        rights = ["--inh-caps", "-all,+dac_read_search", "--ambient-caps", "+dac_read_search"]
        chosen = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", *rights]
        if subprocess.run([*chosen, "true"], capture_output=True).returncode == 0:
            stranger = chosen
            for path in (writable, writable / "tmp"):
                os.chown(path, NOBODY, NOBODY)
    return stranger, python, writable


def bare(writable):
    """As little of an environment as a service has."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "OMP_NUM_THREADS") if name in os.environ}
    return kept | {
        "HOME": "/nonexistent", "TMPDIR": str(writable / "tmp"), "HF_HUB_OFFLINE": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
    }  # fmt: skip


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_wheel_holds_what_ships_and_no_more(wheel, tmp_path):
    assert wheel.stat().st_size < 60 << 20
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("pretrained", "assets"):
        there = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert there and {f"mmgan/{name}" for name in there} == {n for n in names if n.startswith(f"mmgan/{folder}/")}
    assert {name.split("/")[0] for name in names} == {
        "mmgan",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    # The same as straight from the checkout, which is what `pip install .` and a git URL build.
    run(*PIP, "wheel", ROOT, "--no-deps", "--no-index", "--no-build-isolation", "-w", tmp_path)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        assert set(archive.namelist()) == names


def test_installed_it_samples_trains_and_opens_its_page_for_somebody_without_a_home(installed):
    stranger, python, writable = installed
    mmgan = python.with_name("mmgan")
    asked = {"cwd": "/", "env": bare(writable)}
    port, out = free_port(), writable / "out"
    with open(writable.parent / "page.log", "w") as log:
        page = subprocess.Popen([*stranger, mmgan, "app", "--port", str(port)], stdout=log, stderr=log, **asked)
    try:
        where = run(*stranger, python, "-c", "import mmgan; print(mmgan.__file__)", **asked)
        assert Path(where.strip()).is_relative_to(python.parents[1])
        assert "2 pictures and their sounds" in run(
            *stranger, mmgan, "sample", "a thin three", "-n", 2, "-o", out, **asked
        )
        run(*stranger, mmgan, "train", "--data", out, "--out", writable / "run", "--steps", 2, **asked)
        assert (Run(writable / "run").status()["state"], Run(writable / "run").checkpoint_step()) == ("finished", 2)
        answer, deadline = None, time.monotonic() + START
        while answer is None and time.monotonic() < deadline and page.poll() is None:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/", timeout=30)
            except httpx.TransportError:
                time.sleep(0.2)
        assert answer is not None, (writable.parent / "page.log").read_text()
    finally:
        page.terminate()
        page.wait(30)
    assert answer.status_code == 200
    for script in (ROOT / "assets").glob("*/*.js"):
        assert f"/{script.parent.name}/{script.name}" in answer.text or script.name in assets.CLASSIC, script
    # From / nothing can be written; one sentence says so.
    done = subprocess.run([*stranger, mmgan, "sample", "a"], capture_output=True, text=True, timeout=BOUND, **asked)
    assert not stranger or (
        done.returncode == 2 and "cannot be written" in done.stderr and done.stderr.count("\n") == 1
    )


def test_an_editable_install_finds_the_folders_of_the_repository(tmp_path):
    python, _ = environment(tmp_path / "venv")
    options = ["--no-deps", "--no-index", "--no-build-isolation"]
    before = {path.name for path in ROOT.iterdir()}
    run(*PIP, "--python", python, "install", *options, "-e", ROOT)
    told = "from mmgan.system.resources import ASSETS, PRETRAINED; print(ASSETS, PRETRAINED, sep='\\n')"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    assert run(python, "-c", told, cwd="/", env=clean).split("\n")[:2] == [
        str(ROOT / "assets"),
        str(ROOT / "pretrained"),
    ]
    assert {path.name for path in ROOT.iterdir()} == before


def test_other_peoples_folders_beside_the_package_are_not_taken_for_what_ships(tmp_path):
    package = tmp_path / "mmgan"
    (tmp_path / "assets").mkdir()
    package.mkdir()
    assert shipped("assets", package) == package / "assets"  # which is missing, and is said to be
    (tmp_path / "pyproject.toml").touch()
    assert shipped("assets", package) == tmp_path / "assets"
    (package / "assets").mkdir()
    assert shipped("assets", package) == package / "assets"


@pytest.mark.parametrize(
    "use, missing",
    [
        (lambda: ModelFolder.resolve("digits"), "pretrained/digits"),
        (lambda: ModelFolder.resolve("shapes"), "pretrained/shapes"),
        (TextEncoder.from_pretrained, "pretrained/text-encoder"),
        (lambda: judges.Judge.from_pretrained("judge-digits-image"), "pretrained/judge-digits-image"),
        (lambda: assets.asset("page/page.js"), "assets/page/page.js"),
    ],
)
def test_an_incomplete_installation_is_called_that(use, missing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pretrained, "PRETRAINED", tmp_path / "pretrained")
    monkeypatch.setattr(assets, "ASSETS", tmp_path / "assets")
    with pytest.raises(MmganError, match=r"installation of mmgan is incomplete.*pip install") as info:
        use()
    assert f"({missing} is missing)" in str(info.value) and str(tmp_path) not in str(info.value)
    with pytest.raises(CheckpointError, match="There is no model 'seven'"):  # which nobody said would be there
        ModelFolder.resolve("seven")


def test_the_readme_says_how_to_install():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r"pip install \.", readme) and "pip install git+" in readme and "wheel" in readme
