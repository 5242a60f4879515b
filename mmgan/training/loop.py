"""Steps until the end, and what happens between steps: metrics, visits, checkpoints, and answers to requests."""

from __future__ import annotations

import signal
import sys
import time
import traceback

import torch
from accelerate.utils import broadcast
from tqdm import tqdm

from ..errors import MmganError, lacks_memory
from ..evaluation.live import live_judge
from ..evaluation.report import sample_sheet
from . import strips
from .resuming import save
from .runs import Run
from .trainer import Trainer

SHEET_COLUMNS, SHEET_ROWS = 8, 2
JUDGED = 64  # samples that the live judge looks at: shapes cost about 30 ms each
JUDGED_AT_ONCE = 16  # between which a stop request is looked for
SHOWN = {"generator": "G", "discriminator": "D"}  # losses in the progress bar
VISIT_SHARE = 0.04  # of the training's time that the film strip may take, and as much again the judge
FIRST_SHARE, FIRST_SECONDS = 0.15, 60.0  # the same in the first minute, in which most changes
FIRST_VISITS = 5.0  # seconds between two visits at least
ROW_SECONDS = 2.0  # a row of metrics after so long, however few steps that were
STATUS_SECONDS = 0.5  # between two heartbeats
IDLE_SECONDS = 600.0  # a pause longer than this gives the memory back; it can be resumed as well then
PAUSE_POLL = 0.1  # seconds between two looks whether a pause is over


class Loop:
    """Trains until the end. ``run`` is None on all processes but the first; ``elapsed`` are seconds trained before."""

    def __init__(self, trainer: Trainer, run: Run | None, elapsed: float, progress: bool):
        self.trainer, self.run_folder, self.elapsed = trainer, run, elapsed
        self.config = trainer.config
        self.started = time.monotonic() - elapsed
        self.bar = tqdm(
            total=round(self.config.minutes * 60) if self.config.minutes else self.config.steps,
            initial=round(elapsed) if self.config.minutes else trainer.step_count,
            unit="s" if self.config.minutes else "step",
            bar_format="{percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}",
            dynamic_ncols=True, disable=not progress or run is None, file=sys.stderr,
        )  # fmt: skip
        self.judge = live_judge(trainer.dataset.name) if run else None
        prompts = trainer.dataset.prompts() or []
        self.prompts = [prompts[i * len(prompts) // JUDGED] for i in range(JUDGED)] if prompts else []
        self.latents = torch.randn(
            JUDGED, self.config.model.latent_dim, generator=torch.Generator().manual_seed(self.config.seed)
        )
        self.columns = strips.choose_columns(trainer.dataset, prompts) if run else []
        self.interrupted = self.left = False
        self.saved_at = self.visited_at = self.judged_at = self.counted_at = self.told_at = self.started + elapsed
        self.visit_cost = self.judge_cost = 0.0  # seconds, by which the time to the next one is chosen
        self.counted_step = trainer.step_count
        self.sums: dict[str, tuple[float, int]] = {}
        self.accuracy: dict[str, float] = {}

    def run(self) -> int:
        """Returns the exit status; the run's status says how it ended, whatever happens."""
        previous = self._catch_signals()
        try:
            return self._steps()
        except MmganError as error:
            return self._end("failed", str(error))
        except Exception as error:
            if is_out_of_memory(error):
                state, reason, more = out_of_memory(self.config.batch_size)
                return self._end(state, reason, **more)
            if self.run_folder:
                self.run_folder.log(traceback.format_exc())
            return self._end(
                "failed", f"Training failed at step {self.trainer.step_count} ({error}); the log has the details."
            )
        finally:
            self.bar.close()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _steps(self) -> int:
        if self.run_folder:
            self._begin()
        while True:
            done, self.trainer.progress = self._agree(*self._state())
            if done:
                break
            terms = self.trainer.step()
            self.elapsed = time.monotonic() - self.started
            if self.run_folder:
                self._after_step(terms)
        if not self.run_folder:
            return 0
        if self.left:
            return self._end("paused", f"Saved at step {self.trainer.step_count}.")
        stopped = self._stopping()
        if not stopped:
            self._visit()
            self._judge()
        self._save()
        return self._end("stopped" if stopped else "finished", f"Saved at step {self.trainer.step_count}.")

    def _begin(self) -> None:
        """What can be seen before the first step: real examples, and what the first weights make of the codes."""
        run, step = self.run_folder, self.trainer.step_count
        run.set_status("starting", stage="samples")
        strips.cut(run, step)
        if self.columns:
            strips.write_real(run, self.columns, self.trainer.loader)
        self._visit()
        if not (run.checkpoint_step() or 0):
            self._save()  # so that from here on nothing can cost the run itself
        self._tell()

    def _state(self) -> tuple[bool, float]:
        """Whether to end now, and the share that is done; requests are answered first."""
        if not self.run_folder:
            return False, 0.0
        self._answer()
        return self._stopping() or self.left or self._share() >= 1, self._share()

    def _share(self) -> float:
        return self._share_at(self.trainer.step_count, self.elapsed)

    def _share_at(self, step: int, seconds: float) -> float:
        """How much was done at that step, after so many seconds, of what is asked for now."""
        c = self.config
        return seconds / (60 * c.minutes) if c.minutes else step / c.steps

    def _stopping(self) -> bool:
        return self.interrupted or self.run_folder.requested("stop")

    def _agree(self, done: bool, share: float) -> tuple[bool, float]:
        """What the first process says, on every process."""
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1:
            return done, share
        values = broadcast(torch.tensor([float(done), share], dtype=torch.float64, device=accelerator.device))
        return bool(values[0]), float(values[1])

    # Requests -----------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        run = self.run_folder
        if run.requested("save"):
            self._save()
            self._answered("save")
        if run.requested("sample"):
            self._visit()
            self._answered("sample")
        if run.requested("pause") and not self._stopping():
            self._pause()

    def _answered(self, what: str) -> None:
        run = self.run_folder
        answers = run.status().get("answered", {}) | {what: {"step": self.trainer.step_count, "time": time.time()}}
        run.set_status("running", step=self.trainer.step_count, answered=answers)
        run.withdraw(what)

    def _pause(self) -> None:
        """Saves and waits, with no step and next to no work; after ``IDLE_SECONDS`` the process may as well leave."""
        run, since = self.run_folder, time.monotonic()
        self._save()
        run.set_status("paused", step=self.trainer.step_count, reason=f"Saved at step {self.trainer.step_count}.")
        while run.requested("pause") and not self._stopping():
            if time.monotonic() - since > IDLE_SECONDS:
                self.left = True
                return
            time.sleep(PAUSE_POLL)
        self._leave_out(time.monotonic() - since)
        self._tell()

    def _leave_out(self, seconds: float) -> None:
        """Moves every clock on, as if the seconds had not been."""
        for clock in ("started", "saved_at", "visited_at", "judged_at", "counted_at"):
            setattr(self, clock, getattr(self, clock) + seconds)

    # After a step -------------------------------------------------------------------------------------------------

    def _after_step(self, terms: dict[str, float]) -> None:
        c, step, now = self.config, self.trainer.step_count, time.monotonic()
        for name, value in terms.items():
            total, times = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, times + 1  # not every term is computed at every step
        count = step - self.counted_step
        if count >= c.metric_steps or now - self.counted_at >= ROW_SECONDS:
            means = {name: total / times for name, (total, times) in self.sums.items()}
            speed = count * c.batch_size / (now - self.counted_at)
            self.run_folder.log_metrics({"step": step, "seconds": self.elapsed, "pairs_per_second": speed, **means})
            self.sums, self.counted_step, self.counted_at = {}, step, now
            self._show(means, speed)
        if now - self.told_at >= STATUS_SECONDS:
            self._tell()
        if now - self.visited_at >= self._interval(self.visit_cost):
            self._visit()
        if now - self.judged_at >= self._interval(self.judge_cost):
            self._judge()
        if now - self.saved_at >= c.checkpoint_seconds:
            self._save()

    def _interval(self, cost: float) -> float:
        """Seconds to the next visit: soon, so that a class sees it grow, unless that would keep it from growing."""
        share = FIRST_SHARE if self.elapsed < FIRST_SECONDS else VISIT_SHARE
        return min(max(FIRST_VISITS, cost / share), self.config.sample_seconds)

    def _tell(self) -> None:
        """The heartbeat: where the training is."""
        self.told_at = time.monotonic()
        self.run_folder.set_status(
            "running", step=self.trainer.step_count, reason="", share=self._share(), elapsed=self.elapsed
        )

    def _show(self, means: dict[str, float], speed: float) -> None:
        self.bar.n = min(self.bar.total, int(self.elapsed) if self.config.minutes else self.trainer.step_count)
        losses = " ".join(f"{short} {means[name]:.2f}" for name, short in SHOWN.items())
        judged = " ".join(f"{name.removesuffix('_accuracy')} {value:.0%}" for name, value in self.accuracy.items())
        self.bar.set_postfix_str(f"step {self.trainer.step_count} {losses} {speed:.0f} pairs/s {judged}", refresh=True)

    def _visit(self) -> None:
        """The film strip: the same latent codes at every visit."""
        start, trainer = time.monotonic(), self.trainer
        if self.columns:
            codes = torch.Generator().manual_seed(self.config.seed + 1)
            latents = torch.randn(len(self.columns), self.config.model.latent_dim, generator=codes)
            image, mel = trainer.sample([column.prompt for column in self.columns], latents)
            strips.write_visit(self.run_folder, trainer.step_count, image, mel, self.config.model.audio)
        self.visited_at, self.visit_cost = self._not_training_since(start)

    def _judge(self) -> None:
        """A sheet of more samples, and what the live judge says of them."""
        start, trainer, step = time.monotonic(), self.trainer, self.trainer.step_count
        if self.prompts and not self._stopping():
            image, mel = trainer.sample([p.text for p in self.prompts], self.latents)
            shown = list(range(0, JUDGED, JUDGED // (SHEET_COLUMNS * SHEET_ROWS))[: SHEET_COLUMNS * SHEET_ROWS])
            captions = [self.prompts[i].text for i in shown]
            sample_sheet(image[shown], mel[shown], captions, self.run_folder.sample_path(step), SHEET_COLUMNS)
            self._ask_judge(image, mel)
        self.judged_at, self.judge_cost = self._not_training_since(start)

    def _ask_judge(self, image, mel) -> None:
        """In parts, so that who wants to stop need not wait for it."""
        totals: dict[str, float] = {}
        judged = 0
        for first in range(0, len(self.prompts) if self.judge else 0, JUDGED_AT_ONCE):
            if self._stopping():
                return
            rows = slice(first, first + JUDGED_AT_ONCE)
            concepts = [prompt.concept for prompt in self.prompts[rows]]
            for name, value in self.judge(image[rows], mel[rows], concepts).items():
                totals[name] = totals.get(name, 0.0) + value * len(concepts)
            judged += len(concepts)
        if judged:
            self.accuracy = {name: value / judged for name, value in totals.items()}
            row = {"step": self.trainer.step_count, "seconds": self.elapsed, **self.accuracy}
            self.run_folder.log_metrics(row)

    def _save(self) -> None:
        start = time.monotonic()
        save(self.trainer, self.run_folder, self.elapsed)
        self.saved_at, _ = self._not_training_since(start)

    def _not_training_since(self, start: float) -> tuple[float, float]:
        """Now, and the seconds since ``start``, which are left out of the speed of training."""
        now = time.monotonic()
        self.counted_at += now - start
        return now, now - start

    # The end ------------------------------------------------------------------------------------------------------

    def _end(self, state: str, reason: str, **more) -> int:
        if self.run_folder:
            more |= {"share": self._share(), "elapsed": self.elapsed}
            self.run_folder.set_status(state, step=self.trainer.step_count, reason=reason, **more)
            self.run_folder.log(f"{state}: {reason}")
            self.bar.close()
            print(f"{state}: {reason} {self.run_folder.folder}", file=sys.stderr)
        return 0 if state in ("finished", "stopped", "paused") else 1

    def _catch_signals(self) -> dict:
        """Ctrl-C and a polite kill save and stop at the next step instead of losing work."""

        def stop(*_):
            self.interrupted = True

        try:
            return {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not in the main thread, where Python delivers none
            return {}


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that the GPU's or the machine's memory was too small."""
    return isinstance(error, torch.OutOfMemoryError) or lacks_memory(error)


def out_of_memory(batch_size: int) -> tuple[str, str, dict]:
    """State, reason and what to try: half the batch in whole fours, or a smaller preset where that is the least."""
    if batch_size <= 4:
        return "out_of_memory", "The memory was too small even for the smallest batch; try a smaller preset.", {}
    half = max(4, batch_size // 8 * 4)
    return "out_of_memory", f"The memory was too small; try a batch size of {half}.", {"batch_size": half}
