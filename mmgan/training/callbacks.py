"""What every training does beside its steps: metrics, a progress bar, the film strip, the judge, checkpoints."""

from __future__ import annotations

import sys
import time

import torch
from torch import Tensor
from tqdm import tqdm

from ..data import Prompt
from ..data.registry import live_judge
from ..evaluation.report import sample_sheet
from . import strips
from .session import Callback, Session
from .trainer import Trainer

SHEET_COLUMNS, SHEET_ROWS = 8, 2
JUDGED = 64  # samples that the live judge looks at: shapes cost about 30 ms each
JUDGED_AT_ONCE = 16  # after each part a stop request is looked for
SHOWN = {"generator": "G", "discriminator": "D"}  # losses in the progress bar
LOOK_SHARE = 0.04  # share of the training's time that each kind of look may take
FIRST_SHARE, FIRST_SECONDS = 0.15, 60.0  # the same in the first minute, when most changes
LEAST_SECONDS = 5.0  # between two looks, at least
ROW_SECONDS = 2.0  # a row of metrics at least this often, however few the steps
STATUS_SECONDS = 0.5  # between two heartbeats


def callbacks(trainer: Trainer, elapsed: float, progress: bool) -> list[Callback]:
    """Those of a training."""
    judge = LiveJudge(trainer)
    return [Metrics(trainer, elapsed, progress, judge), FilmStrip(trainer), Checkpoints(), judge]


class Metrics(Callback):
    """Rows of the run's metrics, its heartbeat and the progress bar."""

    def __init__(self, trainer: Trainer, elapsed: float, progress: bool, judge: LiveJudge | None = None):
        schedule, self.judge = trainer.config.schedule, judge
        self.bar = tqdm(
            total=round(schedule.minutes * 60) if schedule.minutes else schedule.steps,
            initial=round(elapsed) if schedule.minutes else trainer.step_count,
            unit="s" if schedule.minutes else "step",
            bar_format="{percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}",
            dynamic_ncols=True, disable=not progress, file=sys.stderr,
        )  # fmt: skip
        self.counted_at = self.told_at = time.monotonic()
        self.counted_step, self.looking = trainer.step_count, 0.0
        self.sums: dict[str, tuple[float, int]] = {}

    def after_step(self, session: Session, terms: dict[str, float]) -> None:
        step, now = session.trainer.step_count, time.monotonic()
        for name, value in terms.items():
            total, times = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, times + 1  # some terms are computed only at some steps
        count, seconds = step - self.counted_step, now - self.counted_at - (session.looking - self.looking)
        if count >= session.schedule.metric_steps or seconds >= ROW_SECONDS:
            means = {name: total / times for name, (total, times) in self.sums.items()}
            speed = count * session.config.optimization.batch_size / seconds
            session.run_folder.log_metrics(
                {"step": step, "seconds": session.elapsed, "pairs_per_second": speed, **means}
            )
            self.sums, self.counted_step, self.counted_at, self.looking = {}, step, now, session.looking
            self._show(session, means, speed)
        if now - self.told_at >= STATUS_SECONDS:
            self.told_at = now
            session.tell()

    def _show(self, session: Session, means: dict[str, float], speed: float) -> None:
        step = session.trainer.step_count
        self.bar.n = min(self.bar.total, int(session.elapsed) if session.schedule.minutes else step)
        losses = " ".join(f"{short} {means[name]:.2f}" for name, short in SHOWN.items())
        accuracy = self.judge.accuracy if self.judge else {}
        judged = " ".join(f"{name.removesuffix('_accuracy')} {value:.0%}" for name, value in accuracy.items())
        self.bar.set_postfix_str(f"step {step} {losses} {speed:.0f} pairs/s {judged}", refresh=True)

    def after_pause(self, seconds: float) -> None:
        self.counted_at += seconds

    def close(self) -> None:
        self.bar.close()


class Look(Callback):
    """Something looked at now and then: often enough to see it grow, rarely enough not to slow the training."""

    def __init__(self):
        self.at, self.cost = time.monotonic(), 0.0

    def look(self, session: Session) -> None:
        """One look; :meth:`see` does it."""
        start = time.monotonic()
        self.see(session)
        self.at = time.monotonic()
        self.cost = self.at - start
        session.looking += self.cost

    def see(self, session: Session) -> None:
        raise NotImplementedError

    def interval(self, session: Session) -> float:
        """Seconds to the next look."""
        share = FIRST_SHARE if session.elapsed < FIRST_SECONDS else LOOK_SHARE
        return min(max(LEAST_SECONDS, self.cost / share), session.schedule.sample_seconds)

    def after_step(self, session: Session, terms: dict[str, float]) -> None:
        if time.monotonic() - self.at >= self.interval(session):
            self.look(session)

    def after_pause(self, seconds: float) -> None:
        self.at += seconds

    def finish(self, session: Session) -> None:
        self.look(session)


class FilmStrip(Look):
    """The same latent codes and prompts at every look."""

    def __init__(self, trainer: Trainer):
        super().__init__()
        self.columns = strips.choose_columns(trainer.dataset, trainer.dataset.prompts() or [])
        codes = torch.Generator().manual_seed(trainer.config.schedule.seed + 1)
        self.latents = torch.randn(len(self.columns), trainer.config.model.latent_dim, generator=codes)

    def begin(self, session: Session) -> None:
        strips.cut(session.run_folder, session.trainer.step_count)
        if self.columns:
            strips.write_real(session.run_folder, self.columns, session.trainer.loader)
        self.look(session)

    def see(self, session: Session) -> None:
        if self.columns:
            rows = session.trainer.sample([column.prompt for column in self.columns], self.latents)
            strips.write_visit(session.run_folder, session.trainer.step_count, rows, session.config.model)

    def answer(self, session: Session, request: str) -> None:
        if request == "sample":
            self.look(session)


class LiveJudge(Look):
    """A sheet of more samples, and what the dataset's live judge says of them."""

    def __init__(self, trainer: Trainer):
        super().__init__()
        self.judge = live_judge(trainer.dataset.name)
        self.prompts, self.latents = judged(trainer)
        self.accuracy: dict[str, float] = {}

    def see(self, session: Session) -> None:
        if not self.prompts or session.stopping():
            return
        step, rows = session.trainer.step_count, session.trainer.sample([p.text for p in self.prompts], self.latents)
        shown = list(range(0, JUDGED, JUDGED // (SHEET_COLUMNS * SHEET_ROWS)))[: SHEET_COLUMNS * SHEET_ROWS]
        captions = [self.prompts[i].text for i in shown]
        if {"image", "audio"} <= set(rows):
            path = session.run_folder.sample_path(step)
            sample_sheet(rows["image"][shown], rows["audio"][shown], captions, path, SHEET_COLUMNS)
        self._ask(session, rows)

    def _ask(self, session: Session, rows: dict[str, Tensor]) -> None:
        """In parts, so that a stop request need not wait for it."""
        if self.judge is None:
            return
        totals: dict[str, float] = {}
        asked = 0
        for first in range(0, len(self.prompts), JUDGED_AT_ONCE):
            if session.stopping():
                return
            part = slice(first, first + JUDGED_AT_ONCE)
            concepts = [prompt.concept for prompt in self.prompts[part]]
            for name, value in self.judge(rows["image"][part], rows["audio"][part], concepts).items():
                totals[name] = totals.get(name, 0.0) + value * len(concepts)
            asked += len(concepts)
        if asked:
            self.accuracy = {name: value / asked for name, value in totals.items()}
            step = session.trainer.step_count
            session.run_folder.log_metrics({"step": step, "seconds": session.elapsed, **self.accuracy})


def judged(trainer: Trainer) -> tuple[list[Prompt], Tensor]:
    """The prompts, spread over the dataset's, and the latents [JUDGED, L] by which a model is judged at each look."""
    prompts = trainer.dataset.prompts() or []
    prompts = [prompts[i * len(prompts) // JUDGED] for i in range(JUDGED)] if prompts else []
    draw = torch.Generator().manual_seed(trainer.config.schedule.seed)
    return prompts, torch.randn(JUDGED, trainer.config.model.latent_dim, generator=draw)


class Checkpoints(Callback):
    """Saves now and then, and before the first step, so that no run is ever lost."""

    def begin(self, session: Session) -> None:
        if not (session.run_folder.checkpoint_step() or 0):
            session.save()
        session.tell()

    def after_step(self, session: Session, terms: dict[str, float]) -> None:
        if time.monotonic() - session.saved_at >= session.schedule.checkpoint_seconds:
            session.save()

    def answer(self, session: Session, request: str) -> None:
        if request == "save":
            session.save()
