"""What the Train tab asks of the runs: small answers, made once for however many pages ask at the same moment."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable

from ...errors import MmganError, TrainingError
from ...evaluation.report import sheet_grid
from ...language import NOTHING
from ...runs.access import Access, access_of
from ...runs.files import read_strips
from ...runs.manager import Manager
from ...training.forgetting import SHEET
from ..server.sentences import sentence

FRESH_SECONDS = 0.4  # many pages share an answer that is at most this old
LOG_LINES = 12
MAX_COMPARED = 6


class Watcher:
    """Answers about the runs of ``manager``, as JSON values."""

    def __init__(self, manager: Manager):
        self.manager = manager
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, object]] = {}

    def every(self) -> list[tuple[Access, dict]]:
        """Every run as :meth:`~mmgan.runs.manager.Manager.describe` has it, and whose it is, the newest first."""
        return self._once("runs", self._describe_all)

    def poll(self, question: dict, runs: list[dict]) -> dict:
        """What has changed since a page's last question.

        Args:
            runs: those that the visitor sees, of :meth:`every`.
            question: ``version`` of the list that the page has, and of the run it watches the name (``run``), and
                ``cursor`` and ``epoch`` of its metrics, as the last answer had them.
        """
        version = hashlib.sha1(json.dumps([_listed(run) for run in runs]).encode()).hexdigest()[:12]
        answer: dict = {"version": version}
        if question.get("version") != version:
            answer["runs"] = [_listed(run) for run in runs]
        name = question.get("run")
        if name:
            answer["run"] = next((run for run in runs if run["name"] == name), None)
            if answer["run"] and not answer["run"].get("hidden"):
                answer |= self._watched(name, question)
        return answer

    def _watched(self, name: str, question: dict) -> dict:
        try:
            run = self.manager.run(name)
            cursor, epoch = question.get("cursor"), question.get("epoch")
            metrics = self.manager.history(name).since(
                cursor if isinstance(cursor, int) else 0, epoch if isinstance(epoch, str) else ""
            )
            found = {"metrics": metrics, "visits": self._once(f"visits {name}", run.visits)}
            if run.status()["state"] in ("failed", "out_of_memory"):
                found["log"] = run.log_tail(LOG_LINES)
            return found
        except TrainingError:  # deleted just now
            return {"run": None}

    def strip(self, name: str, step: int | None) -> dict:
        """The film strip at ``step``, or its real examples (None), as data URIs: ``pictures`` and ``mels``.

        With the real examples comes what is in the columns: see :mod:`mmgan.training.strips`.
        """
        run, stem = self.manager.run(name), "real" if step is None else f"{step:07d}"
        answer = {"pictures": _uri(run.strips / f"{stem}.png"), "mels": _uri(run.strips / f"{stem}-mel.png")}
        return answer | read_strips(run.strips) if step is None else answer

    def sound(self, name: str, step: int | None) -> dict:
        """The clips of the film strip at ``step``, one after another, as one ``sound`` in a data URI."""
        stem = "real" if step is None else f"{step:07d}"
        return {"sound": _uri(self.manager.run(name).strips / f"{stem}.flac", "audio/flac")}

    def before_after(self, name: str) -> dict:
        """The ``sheet`` of a fine-tuning: the base's samples, the model's of the same codes, and the nearest files.

        ``grid`` says where its samples are (see :func:`~mmgan.evaluation.report.sheet_grid`).
        """
        return {"sheet": _uri(self.manager.run(name).folder / SHEET), "grid": sheet_grid()}

    def compare(self, names: list[str]) -> dict:
        """``curves`` and ``settings`` of several runs by name."""
        names = [str(name) for name in names][:MAX_COMPARED]
        return {
            "curves": {name: self.manager.history(name).since()["curves"] for name in names},
            "settings": {name: self.manager.settings(name) for name in names},
        }

    def forget(self) -> None:
        """Lets the next answer be new, after something was done."""
        with self._lock:
            self._known.clear()

    def _describe_all(self) -> list[tuple[Access, dict]]:
        described = []
        for name in self.manager.names():
            try:
                described.append((access_of(self.manager.folder / name), self.manager.describe(name)))
            except MmganError:  # deleted just now
                continue
        return described

    def _once(self, key: str, make: Callable):
        """The value of ``make``, made by one caller at a time and kept for a moment."""
        with self._lock:
            made, value = self._known.get(key, (0.0, None))
            if time.monotonic() - made > FRESH_SECONDS:
                value = make()
                self._known = {k: v for k, v in self._known.items() if time.monotonic() - v[0] <= FRESH_SECONDS}
                self._known[key] = time.monotonic(), value
            return value


def _listed(run: dict) -> dict:
    """What the list shows, without what changes at every step of a run that is watched in the panel beside it."""
    keys = ("name", "state", "data", "loss", "preset", "started", "checkpoint", "alive", "private", "hidden")
    short = {key: run[key] for key in keys if key in run}
    short["checkpoint"] = run["checkpoint"] is not None
    return short | {"step": run["step"] if run["state"] != "running" else run["step"] // 10 * 10}


def spoken_run(run: dict, language: str) -> dict:
    """A run's description with its messages as sentences in the reader's language; of each verdict on copying its key
    is there too, as ``codes``."""
    run = run | {"reason": sentence(run["reason"] or NOTHING, language)}
    said = run.get("finetune")
    if isinstance(said, dict):
        lines = {name: [sentence(line, language) for line in said.get(name) or []] for name in ("sentences", "notes")}
        gauges = said.get("gauges") or {}
        lines["gauges"] = {kind: sentence(gauge, language) for kind, gauge in gauges.items()}
        lines["codes"] = {kind: gauge.key.rpartition(".")[2] for kind, gauge in gauges.items()}
        run["finetune"] = said | lines
    return run


def _uri(path, kind: str = "image/png") -> str:
    try:
        return f"data:{kind};base64," + base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return ""
