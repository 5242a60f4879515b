"""What processes that are gone left behind goes; what living ones are writing, and what is nobody's, stays."""

import os
import subprocess
import sys

from mmgan.system import files


def test_only_what_the_dead_left_goes(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [f".run.new-{dead.pid}", f".x.json.new-{dead.pid}-7", f".run.deleted-{dead.pid}", f"mmgan-p{dead.pid}-zip"]
    alive = [f".run.new-{os.getppid()}", f"{files.own_prefix()}zip", ".run.new-mine", f"run.new-{dead.pid}", "run"]
    for name in (*left[:2], *alive):
        (tmp_path / name).write_text("")
    for name in left[2:]:
        (tmp_path / name / "within").mkdir(parents=True)
    files.remove_left(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(alive)
    files.remove_left(tmp_path / "nowhere")
