"""Metrics are handed out in small answers, in pieces that add up, and anew after a resume."""

import json

import pytest

from mmgan.runs.history import BUCKETS, History
from mmgan.runs.run import Run


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", {}) as run:
        yield run


def test_pieces_add_up_to_the_whole(run):
    history = History(run)
    seen = history.since()
    assert seen["curves"] == {} and seen["reset"]
    steps, values = [], []
    for step in range(1, 8):
        run.log_metrics({"step": step, "loss": step / 3, "note": "ü", "gone": float("nan")})
        seen = history.since(seen["cursor"], seen["epoch"])
        assert not seen["reset"] and set(seen["curves"]) == {"loss"}
        steps += seen["curves"]["loss"]["x"]
        values += seen["curves"]["loss"]["y"]
    assert steps == list(range(1, 8)) and values[2] == 1.0 and values[0] == 0.3333
    assert History(run).since()["curves"]["loss"] == {"x": steps, "y": values}
    assert history.since(seen["cursor"], seen["epoch"])["curves"] == {}
    assert history.last() == {"loss": 2.333}


def test_a_hundred_thousand_rows_come_as_a_few_hundred_points(run):
    with open(run.folder / "metrics.jsonl", "w") as file:
        for step in range(1, 100_001):
            file.write(f'{{"step": {step}, "loss": {9.0 if step == 50_000 else step % 10}}}\n')
    answer = History(run).since()
    curve = answer["curves"]["loss"]
    assert {len(points) for points in curve.values()} == {BUCKETS} and len(json.dumps(answer)) < 20_000
    assert curve["x"][-1] == 100_000 and curve["x"] == sorted(curve["x"])
    assert min(curve["low"]) == 0 and max(curve["high"]) == 9  # no spike is lost
    assert abs(sum(curve["y"]) / BUCKETS - 4.5) < 0.01


def test_a_resume_makes_earlier_points_void(run):
    for step in range(1, 6):
        run.log_metrics({"step": step, "loss": 1.0})
    history = History(run)
    seen = history.since()
    run.checkpoint.mkdir()
    (run.checkpoint / "training.json").write_text(json.dumps({"state": {"step": 3}}))
    run.close()
    with Run.resume(run.folder) as resumed:
        resumed.log_metrics({"step": 4, "loss": 2.0})
        for reader in (history, History(resumed)):  # one that saw the past, and that of a server started anew
            answer = reader.since(seen["cursor"], seen["epoch"])
            assert answer["reset"] and answer["curves"]["loss"] == {"x": [1, 2, 3, 4], "y": [1.0, 1.0, 1.0, 2.0]}


def test_another_server_goes_on_where_the_first_one_was(run):
    run.log_metrics({"step": 1, "loss": 1.0})
    seen = History(run).since()
    run.log_metrics({"step": 2, "loss": 2.0})
    answer = History(run).since(seen["cursor"], seen["epoch"])
    assert not answer["reset"] and answer["curves"]["loss"]["x"] == [2]


def test_a_cursor_from_nowhere_gets_everything(run):
    run.log_metrics({"step": 1, "loss": 1.0})
    history = History(run)
    for cursor in (-5, 10**9):
        assert history.since(cursor, history.since()["epoch"])["reset"]
