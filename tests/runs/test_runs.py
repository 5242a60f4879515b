"""A run folder tells the truth about its run, whatever happened to the process that wrote it."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mmgan.errors import MmganError, TrainingError
from mmgan.runs import run as runs
from mmgan.runs.run import Run

ROOT = Path(runs.__file__).parent.parent.parent


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", {"preset": "tiny"}) as run:
        yield run


def save_checkpoint(run: Run, step: int) -> None:
    run.checkpoint.mkdir(exist_ok=True)
    (run.checkpoint / "training.json").write_text(json.dumps({"version": 1, "tensors": [], "state": {"step": step}}))


def start(code: str, folder: Path) -> subprocess.Popen:
    """A process that runs ``code`` with the folder as ``folder``, once it has said a line."""
    code = "import sys, time\nfrom mmgan.runs.run import Run\nfolder = sys.argv[1]\n" + code
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, cwd=ROOT)
    process.stdout.readline()
    return process


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_needs_no_torch():
    code = "import sys; from mmgan.runs import run; assert not {'torch', 'gradio'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


class TestFolder:
    def test_create_then_open(self, run):
        other = Run.open(run.folder)
        assert other.config == {"preset": "tiny"}
        assert other.status()["state"] == "starting" and other.status()["step"] == 0
        assert other.checkpoint == run.folder / "checkpoint" and other.checkpoint_step() is None
        assert {e.name for e in run.folder.iterdir()} == {"config.json", "status.json", "samples", ".lock"}

    def test_what_the_starter_captured_may_be_there_already(self, tmp_path):
        (tmp_path / "log.txt").write_text("warming up\n")
        Run.create(tmp_path, {}).close()

    def test_other_files_are_left_alone(self, tmp_path):
        (tmp_path / "thesis.docx").write_text("x")
        with pytest.raises(TrainingError, match="not empty"):
            Run.create(tmp_path, {})
        assert [e.name for e in tmp_path.iterdir()] == ["thesis.docx"]
        with pytest.raises(MmganError, match="in its way"):
            Run.create(tmp_path / "thesis.docx", {})

    def test_a_run_is_not_begun_twice(self, run):
        with pytest.raises(TrainingError, match="resume"):
            Run.create(run.folder, {})

    @pytest.mark.parametrize("content", [None, "{}", "[", '{"format": "mmgan"}', "[" * 100_000])
    def test_open_what_is_no_run(self, tmp_path, content):
        if content is not None:
            (tmp_path / "config.json").write_text(content)
        with pytest.raises(TrainingError, match="no training run"):
            Run.open(tmp_path)

    def test_samples_in_order(self, run):
        for step in (1_000, 20):
            run.sample_path(step).write_bytes(b"")
        assert run.samples() == [run.sample_path(20), run.sample_path(1_000)]

    def test_log(self, run):
        run.log("one")
        for number in range(100):
            run.log(f"line {number} ü")
        assert run.log_tail(2).splitlines()[1].endswith("line 99 ü") and len(run.log_tail(2).splitlines()) == 2
        assert Run(run.folder / "nowhere").log_tail() == ""


class TestMetrics:
    def test_rows_and_offsets(self, run):
        assert run.metrics() == ([], 0)
        run.log_metrics({"step": 1, "loss": 0.5})
        rows, offset = run.metrics()
        assert rows == [{"step": 1, "loss": 0.5}]
        assert run.metrics(offset) == ([], offset)
        run.log_metrics({"step": 2, "note": "快"})
        assert run.metrics(offset)[0] == [{"step": 2, "note": "快"}]

    def test_numbers_of_numpy_and_what_is_not_finite(self, run):
        run.log_metrics({"step": np.int64(1), "a": np.float32(0.5), "b": float("nan"), "c": [float("inf"), 1]})
        text = (run.folder / "metrics.jsonl").read_text()
        assert "NaN" not in text and run.metrics()[0] == [{"step": 1, "a": 0.5, "b": None, "c": [None, 1]}]

    def test_a_torn_line_is_not_read_and_is_mended_before_writing(self, run):
        run.log_metrics({"step": 1})
        with open(run.folder / "metrics.jsonl", "ab") as file:
            file.write(b'{"step": 2, "lo')
        rows, offset = run.metrics()
        assert rows == [{"step": 1}]
        run.close()
        again = Run(run.folder)
        again.log_metrics({"step": 2})
        assert again.metrics() == ([{"step": 1}, {"step": 2}], 2 * offset)
        assert again.metrics(offset)[0] == [{"step": 2}]
        again.close()

    def test_a_damaged_line_is_skipped(self, run):
        (run.folder / "metrics.jsonl").write_bytes(b'{"step": 1}\n\x00\xff\n[3]\n{"step": 2}\n')
        assert run.metrics()[0] == [{"step": 1}, {"step": 2}]

    def test_resume_cuts_what_the_checkpoint_does_not_know(self, run):
        for step in range(10, 60, 10):
            run.log_metrics({"step": step})
        seen = run.metrics()[1]
        save_checkpoint(run, 30)
        run.close()
        with Run.resume(run.folder) as resumed:
            assert [row["step"] for row in resumed.metrics()[0]] == [10, 20, 30]
            assert resumed.status()["step"] == 30
            # A reader from before the cut is told everything again, even where the new lines end at its place.
            for step in range(40, 100, 10):
                resumed.log_metrics({"step": step, "new": step > 30})
                assert resumed.metrics(seen) == resumed.metrics()
            place = resumed.metrics()[1]
            assert place > seen and resumed.metrics(place) == ([], place)

    def test_a_full_disk(self, run, monkeypatch):
        run.log_metrics({"step": 1})

        class Full:
            """Takes half of a line, as a disk with a few bytes left does."""

            def write(self, data):
                with open(run.folder / "metrics.jsonl", "ab") as file:
                    return file.write(data[: len(data) // 2])

            def close(self):
                pass

        monkeypatch.setattr(run, "_metrics", Full())
        with pytest.raises(MmganError, match="disk is full"):
            run.log_metrics({"step": 2})
        assert run.metrics()[0] == [{"step": 1}]
        run.log_metrics({"step": 3})  # there is room again
        assert run.metrics()[0] == [{"step": 1}, {"step": 3}]


class TestStatus:
    def test_what_is_not_given_stays(self, run):
        started = run.status()["started"]
        run.set_status("running", step=5)
        run.set_status("out_of_memory", reason="Too large.", batch_size=16)
        status = Run.open(run.folder).status()
        assert (status["state"], status["step"], str(status["reason"]), status["batch_size"]) == (
            "out_of_memory", 5, "Too large.", 16,
        )  # fmt: skip
        assert status["started"] == started <= status["updated"]
        with pytest.raises(ValueError):
            run.set_status("done")

    def test_ends_last_though_the_process_is_gone(self, run):
        for state in ("finished", "stopped", "failed", "out_of_memory"):
            run.set_status(state, reason="So.")
            run.close()
            assert Run.open(run.folder).status()["state"] == state

    def test_no_status(self, run):
        (run.folder / "status.json").unlink()
        assert run.status()["state"] == "failed"
        (run.folder / "status.json").write_text("{torn")
        assert run.status()["state"] == "failed"

    def test_a_full_disk_still_says_how_it_ended(self, run, monkeypatch):
        def full(path, data, flush):
            raise OSError(errno.ENOSPC, "No space left on device")

        run.set_status("running", step=7)
        monkeypatch.setattr(runs, "replace_file", full)
        run.set_status("failed", reason="The disk is full.")
        assert str(run.status()["reason"]) == "The disk is full." and run.status()["step"] == 7

    def test_another_machines_run_lives_by_its_heartbeat(self, run):
        run.set_status("running", step=5)
        path = run.folder / "status.json"
        values = json.loads(path.read_text()) | {"host": "elsewhere", "pid": 2**22 + 1}
        path.write_text(json.dumps(values))
        assert run.status()["state"] == "running"
        path.write_text(json.dumps(values | {"updated": time.time() - 2 * runs.STALE_SECONDS}))
        assert run.status()["state"] == "failed"

    def test_a_number_that_another_process_has_now(self, run):
        run.set_status("running", step=5)  # by this very process, which then lets go of the run
        run.close()
        assert run.status()["state"] == "failed"

    def test_a_killed_process(self, tmp_path):
        folder = tmp_path / "run"
        process = start(
            "run = Run.create(folder, {})\nrun.set_status('running', step=12)\nprint(1, flush=True)\ntime.sleep(60)",
            folder,
        )
        run = Run.open(folder)
        try:
            assert run.status()["state"] == "running"
            with pytest.raises(TrainingError, match="no checkpoint"):
                Run.resume(folder)
            save_checkpoint(run, 10)
            with pytest.raises(TrainingError, match="Another process"):
                Run.resume(folder)
        finally:
            kill(process)
        status = run.status()
        assert status["state"] == "failed" and status["step"] == 12
        assert str(status["reason"]) == "The process ended without saying why; resume it from step 10."
        with Run.resume(folder) as resumed:
            assert resumed.status()["state"] == "starting" and str(resumed.status()["reason"]) == ""

    def test_killed_before_the_first_checkpoint(self, run):
        run.set_status("running", step=3)
        run.close()
        assert "from the beginning" in str(run.status()["reason"])

    def test_kills_while_writing(self, tmp_path):
        """Whatever the moment, the status can be read, and the metrics are whole lines in order."""
        code = """
run = Run.resume(folder)
print(1, flush=True)
step = run.metrics()[0][-1]["step"] if run.metrics()[0] else 0
while True:
    step += 1
    run.log_metrics({"step": step, "pad": "x" * 2000})
    run.set_status("running", step=step)
"""
        run = Run.create(tmp_path / "run", {})
        save_checkpoint(run, 10**9)
        run.close()
        for delay in (0.0, 0.01, 0.02, 0.03, 0.05):
            process = start(code, run.folder)
            time.sleep(delay)
            kill(process)
            status, (rows, _) = run.status(), run.metrics()
            assert status["state"] == "failed" and status["pid"] == process.pid
            assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))


class TestStop:
    def test_anyone_may_ask(self, run):
        assert not run.requested("stop")
        Run.open(run.folder).request("stop")
        assert run.requested("stop")

    def test_a_resumed_run_forgets_the_wish(self, run):
        save_checkpoint(run, 1)
        run.request("stop")
        run.close()
        with Run.resume(run.folder) as resumed:
            assert not resumed.requested("stop")


class TestLock:
    def test_one_writer(self, run):
        save_checkpoint(run, 1)
        with pytest.raises(TrainingError, match="Another process"):
            Run.resume(run.folder)
        run.close()
        Run.resume(run.folder).close()

    def test_readers_do_not_get_in_the_way(self, run):
        save_checkpoint(run, 1)
        run.set_status("running", step=1)
        run.close()
        reader = "run = Run.open(folder)\nprint(1, flush=True)\nwhile True:\n    run.status()"
        processes = [start(reader, run.folder) for _ in range(2)]
        try:
            for _ in range(20):
                Run.resume(run.folder).close()
        finally:
            for process in processes:
                kill(process)

    def test_the_host_is_named(self, run):
        assert run.status()["host"] == socket.gethostname() and run.status()["pid"] == os.getpid()
