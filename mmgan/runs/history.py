"""The metrics of a run as columns that grow with its file, handed out in small answers however long they are."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left

import numpy as np

from .run import Run

BUCKETS = 300  # points of a curve at most, about as many as a chart has pixels
MOST = 200  # metrics of a run; a training has about twenty


class Column:
    """One metric: its steps, its values, and in which row of the file each stood."""

    def __init__(self) -> None:
        self.rows, self.steps, self.values = array("q"), array("d"), array("d")


class History:
    """Metrics of ``run``, read on at every look; may be asked from several threads."""

    def __init__(self, run: Run):
        self.run = run
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self.columns: dict[str, Column] = {}
        self.count = self.place = 0
        self.epoch = ""

    def since(self, cursor: int = 0, epoch: str = "", buckets: int = BUCKETS) -> dict:
        """What came after ``cursor``, and the cursor to ask with next.

        Returns:
            ``cursor``; ``epoch``, which a resume changes; ``reset``: whether earlier points are void, as after one;
            ``curves``: for each metric ``x`` (steps), ``y`` (values) and, where points had to be put together, ``low``
            and ``high``.
        """
        with self._lock:
            self._read()
            reset = epoch != self.epoch or not 0 <= cursor <= self.count
            first = 0 if reset else cursor
            curves = {}
            for name, column in self.columns.items():
                start = bisect_left(column.rows, first)
                if start < len(column.rows):
                    curves[name] = _curve(column, start, buckets)
            return {"cursor": self.count, "epoch": self.epoch, "reset": reset, "curves": curves}

    def last(self) -> dict[str, float]:
        """The newest value of each metric."""
        with self._lock:
            self._read()
            return {name: _short(column.values[-1]) for name, column in self.columns.items()}

    def _read(self) -> None:
        rows, place = self.run.metrics(self.place)
        status = self.run.status()
        epoch = f"{status['started']:.3f}-{status.get('resumes', 0)}"  # after the rows: a resume cuts, then counts
        if epoch != self.epoch:
            if self.epoch:  # rows were cut off, or another run has the name now
                self._clear()
                rows, place = self.run.metrics()
            self.epoch = epoch
        self.place = place
        for row in rows:
            step = row.get("step")
            if not isinstance(step, (int, float)):
                continue
            for name, value in row.items():
                known = name in self.columns or len(self.columns) < MOST
                if name != "step" and known and isinstance(value, (int, float)):
                    column = self.columns.setdefault(name, Column())
                    column.rows.append(self.count)
                    column.steps.append(step)
                    column.values.append(value)
            self.count += 1


def _curve(column: Column, start: int, buckets: int) -> dict[str, list]:
    """The points from ``start``, as they are or as the mean, least and most of each of ``buckets`` groups."""
    steps, values = np.frombuffer(column.steps)[start:].copy(), np.frombuffer(column.values)[start:].copy()
    if len(values) <= buckets:
        return {"x": [int(s) for s in steps], "y": [_short(v) for v in values]}
    edges = np.linspace(0, len(values), buckets + 1).astype(int)[:-1]
    sizes = np.diff(np.append(edges, len(values)))
    return {
        "x": [int(s) for s in np.maximum.reduceat(steps, edges)],
        "y": [_short(v) for v in np.add.reduceat(values, edges) / sizes],
        "low": [_short(v) for v in np.minimum.reduceat(values, edges)],
        "high": [_short(v) for v in np.maximum.reduceat(values, edges)],
    }


def _short(value: float) -> float:
    """Rounded to four digits: more than a chart shows, in a third of the bytes."""
    return float(f"{value:.4g}")
