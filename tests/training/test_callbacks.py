"""What a training does between its steps: rows of metrics, heartbeats, looks at their time, checkpoints, requests."""

import os
import threading
import time

import pytest
from small import Blobs, Encoder, config

from mmgan.runs.run import Run
from mmgan.training import callbacks
from mmgan.training.callbacks import Checkpoints, FilmStrip, Look, Metrics
from mmgan.training.session import Callback, Session
from mmgan.training.trainer import Trainer


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", {}) as run:
        run.strips.mkdir(parents=True)
        yield run


def session(run, *beside, **changes) -> Session:
    return Session(Trainer(config(**changes), Blobs(), Encoder()), run, 0.0, beside)


def test_a_row_has_the_means_of_its_steps_and_the_speed_without_looks(run):
    made = session(run, metric_steps=3)
    metrics = Metrics(made.trainer, 0.0, progress=False)
    for value in (1.0, 2.0, 6.0):
        assert not run.metrics()[0]
        made.trainer.step_count += 1
        metrics.counted_at = time.monotonic() - 1.0  # so long ago, a half of which was a look
        made.looking = metrics.looking + 0.5
        metrics.after_step(
            made, {"generator": value, "discriminator": -value} | ({"penalty": 4.0} if value == 2 else {})
        )
    (row,) = run.metrics()[0]
    assert (row["step"], row["generator"], row["discriminator"]) == (3, 3.0, -3.0)
    assert row["penalty"] == 4.0  # of the steps that have one
    assert row["pairs_per_second"] == pytest.approx(3 * 16 / 0.5, rel=0.05)
    made.trainer.step_count += 1
    metrics.counted_at -= callbacks.ROW_SECONDS + 0.1  # a slow step is a row of its own, counted from the last
    metrics.after_step(made, {"generator": 8.0, "discriminator": 0.0})
    assert run.metrics()[0][-1]["generator"] == 8.0 and run.metrics()[0][-1]["step"] == 4


BARS = [({"steps": 40}, 5, 40), ({"minutes": 2.0}, 7, 120)]


@pytest.mark.parametrize(("changes", "at", "total"), BARS)
def test_the_bar_begins_where_the_training_is(run, changes, at, total):
    trainer = session(run, **changes).trainer
    trainer.step_count = 5
    bar = Metrics(trainer, 7.0, progress=True).bar
    assert (bar.n, bar.total) == (at, total)
    bar.close()
    assert Metrics(trainer, 7.0, progress=False).bar.disable


def test_the_bar_is_as_wide_as_the_terminal_is_now(run, monkeypatch, tmp_path):
    with (tmp_path / "terminal").open("w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        bar = Metrics(session(run).trainer, 0.0, progress=True).bar
        for columns in (120, 60):
            monkeypatch.setattr(os, "get_terminal_size", lambda *_, columns=columns: os.terminal_size((columns, 30)))
            assert columns - 2 <= bar.format_dict["ncols"] <= columns
        bar.close()


def test_looks_come_soon_at_first_and_then_as_their_cost_allows(run):
    made, look = session(run, sample_seconds=50.0), Look()
    assert look.interval(made) == callbacks.LEAST_SECONDS
    look.cost = 3.0
    assert look.interval(made) == pytest.approx(3.0 / callbacks.FIRST_SHARE)
    made.elapsed = callbacks.FIRST_SECONDS
    assert look.interval(made) == 50.0 < 3.0 / callbacks.LOOK_SHARE
    seen = []
    look.see = lambda session: seen.append(time.sleep(0.05))
    look.after_step(made, {})
    assert not seen  # it looked just now
    look.after_pause(-60.0)
    look.after_step(made, {})
    assert len(seen) == 1 and look.cost >= 0.05 and made.looking == look.cost


def test_checkpoints_come_before_the_first_step_then_at_their_time_and_when_asked(run):
    made = session(run, checkpoint_seconds=30.0)
    beside = Checkpoints()
    assert run.checkpoint_step() is None
    beside.begin(made)
    assert run.checkpoint_step() == 0 and run.status()["state"] == "running"
    made.trainer.step()
    beside.after_step(made, {})
    assert run.checkpoint_step() == 0
    made.saved_at -= 30.0
    beside.after_step(made, {})
    assert run.checkpoint_step() == 1
    made.trainer.step()
    beside.answer(made, "sample")
    assert run.checkpoint_step() == 1
    beside.answer(made, "save")
    assert run.checkpoint_step() == 2


def test_a_strip_is_looked_at_when_asked_and_not_when_something_else_is(run):
    made = session(run)
    strip = FilmStrip(made.trainer)
    strip.answer(made, "save")
    assert not run.visits()
    strip.answer(made, "sample")
    assert run.visits() == [0]


def test_a_pause_saves_waits_moves_the_clocks_and_says_that_it_is_over(run):
    moved = []

    class Clock(Callback):
        def after_pause(self, seconds):
            moved.append(seconds)

    made = session(run, Clock())
    run.request("pause")
    started = made.started
    threading.Timer(0.4, lambda: run.withdraw("pause")).start()
    made._answer_requests()
    assert run.checkpoint_step() == 0 and moved[0] >= 0.3
    assert made.started - started == pytest.approx(moved[0])
    status = run.status()
    assert status["state"] == "running" and not status["reason"] and status["elapsed"] == made.elapsed


def test_a_session_ends_when_a_callback_has_enough_and_says_why_in_its_order(run):
    told = []

    class Enough(Callback):
        def enough(self, session):
            return session.trainer.step_count == 2

        def conclude(self, session):
            told.append(("conclude", session.trainer.step_count))

        def finish(self, session):
            told.append(("finish", session.trainer.step_count))

        def close(self):
            told.append("close")

    assert session(run, Enough(), steps=9).run() == 0
    assert told == [("conclude", 2), ("finish", 2), "close"] and run.checkpoint_step() == 2
    assert run.status()["state"] == "finished" and str(run.status()["reason"]) == "Saved at step 2."
