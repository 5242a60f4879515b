"""A process that was killed as it began a run leaves a file without a name; it blocks nothing."""

import subprocess
import sys

import pytest

from mmgan.errors import TrainingError
from mmgan.runs.run import Run


@pytest.mark.parametrize("name", ["status.json", "config.json", "access.json"])
def test_half_a_file_of_the_dead_is_in_nobodys_way(tmp_path, name):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / "run" / f".{name}.new-{dead.pid}-7"
    left.parent.mkdir()
    left.write_text("{")
    with Run.create(tmp_path / "run", {}) as run:
        assert run.exists() and not left.exists()


@pytest.mark.parametrize("name", [".notes.new-1-1", "photo.png", "config.json"])
def test_files_of_others_are(tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("mine")
    with pytest.raises(TrainingError, match="not empty"):
        Run.create(tmp_path / "run", {})
    assert (tmp_path / "run" / name).read_text() == "mine"
