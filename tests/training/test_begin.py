"""What happens before the first step: what is said of it, and that a stop ends it at once."""

import sys
import threading

import pytest
import small

from mmgan.runs.run import Run
from mmgan.training import begin, train

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of a thread that ends


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", {}) as run:
        yield run


@pytest.fixture
def ended(monkeypatch):
    """Set once the process would have ended; its thread ends in its place."""
    over = threading.Event()
    monkeypatch.setattr(begin.os, "_exit", lambda code: (over.set(), sys.exit(code)))
    return over


def test_a_stop_ends_what_is_being_prepared_and_says_so(run, ended):
    with begin.stoppable(run) as ready:
        assert not ended.wait(3 * begin.STOP_SECONDS)
        run.request("stop")
        assert ended.wait(60) and not ready.is_set()
        assert run.status()["state"] == "stopped" and run.status()["reason"].key == begin.STOPPED_EARLY.key
        assert run.log_tail().rstrip().endswith(f"stopped: {begin.STOPPED_EARLY}")


def test_a_stop_once_the_steps_begin_is_left_to_them(run, ended):
    with begin.stoppable(run) as ready:
        ready.set()
        run.request("stop")
        assert not ended.wait(5 * begin.STOP_SECONDS)
    assert run.status()["state"] != "stopped"


def test_an_interrupt_while_it_is_prepared_stops_it(run):
    run.set_status("starting", stage="data")
    with pytest.raises(KeyboardInterrupt), begin.stoppable(run):
        raise KeyboardInterrupt
    assert run.status()["state"] == "stopped"


def test_it_is_said_what_is_being_prepared(tmp_path, monkeypatch, capsys):
    stages = {}

    def noting(name, made):
        def load(*_, **__):
            status = Run.open(tmp_path / "run").status()
            stages[name] = status["state"], status["stage"]
            return made()

        return load

    monkeypatch.setattr(train, "load_dataset", noting("data", small.Blobs))
    monkeypatch.setattr(train.TextEncoder, "from_pretrained", noting("encoder", small.Encoder))
    settings = small.config(steps=1)
    assert train.train(settings, "blobs", tmp_path / "run", device="cpu", progress=False, encoding="utf-8") == 0
    assert stages == {"data": ("starting", "data"), "encoder": ("starting", "model")}
    run = Run.open(tmp_path / "run")
    assert run.config["encoding"] == "utf-8" and run.config["start_from"] is None
    said = capsys.readouterr().err.splitlines()
    assert f"finished: {run.status()['reason']} {run.folder}" in said  # where whoever started it looks
