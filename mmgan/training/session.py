"""Steps until the end. What happens between them (metrics, looks, checkpoints, requests) is done by callbacks.

A training from nothing, one that goes on, and a fine-tuning are the same session with other callbacks
(:mod:`mmgan.training.callbacks`, :mod:`mmgan.training.finetune.held_out`).
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

import torch
from accelerate.utils import broadcast

from ..errors import MmganError, lacks_memory
from ..language import Message
from ..runs.run import Run
from .resuming import save
from .trainer import Trainer

IDLE_SECONDS = 600.0  # after such a pause the process ends, to free its memory; it can still be resumed
PAUSE_POLL = 0.1  # seconds between two checks whether a pause is over


class Callback:
    """What a session does beside its steps; a subclass overrides the moments that it needs."""

    def begin(self, session: Session) -> None:
        """Before the first step."""

    def after_step(self, session: Session, terms: dict[str, float]) -> None:
        """After each step, whose loss terms are ``terms``."""

    def answer(self, session: Session, request: str) -> None:
        """Somebody asked for "save" or "sample"."""

    def after_pause(self, seconds: float) -> None:
        """A pause of so many seconds is over; clocks should not count it."""

    def enough(self, session: Session) -> bool:
        """Whether to end before the time asked for is over."""
        return False

    def conclude(self, session: Session) -> None:
        """The last step is done, and nobody asked to stop: what is shown and saved now is the result."""

    def finish(self, session: Session) -> None:
        """The last look at the result, before it is saved."""

    def close(self) -> None:
        """The session is over, whichever way."""

    def reasons(self) -> list[Message]:
        """What a finished run's reason should also say."""
        return []


class Session:
    """Trains until the end.

    Args:
        trainer: does the steps.
        run: the folder that this process writes; None on all processes but the first.
        elapsed: seconds trained before.
        callbacks: in the order in which they act.
    """

    def __init__(self, trainer: Trainer, run: Run | None, elapsed: float, callbacks: Sequence[Callback] = ()):
        self.trainer, self._run, self.elapsed = trainer, run, elapsed
        self.config, self.schedule = trainer.config, trainer.config.schedule
        self.callbacks = list(callbacks) if run else []
        self.started = time.monotonic() - elapsed
        self.saved_at = self.started + elapsed
        self.looking = 0.0  # seconds not spent on steps, left out of the speed of training
        self.interrupted = self.left = False

    @property
    def run_folder(self) -> Run:
        """The folder that this process writes. Only where there is one are there callbacks."""
        assert self._run is not None
        return self._run

    def run(self) -> int:
        """Returns the exit status; the run's status says how it ended, whatever happens."""
        previous = self._catch_signals()
        try:
            return self._steps()
        except MmganError as error:
            return self._end("failed", error.message)
        except Exception as error:
            if is_out_of_memory(error):
                state, reason, more = out_of_memory(self.config.optimization.batch_size)
                return self._end(state, reason, **more)
            if self._run:
                self._run.log(traceback.format_exc())
            return self._end("failed", Message("training.failed_at", step=self.trainer.step_count, error=error))
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _steps(self) -> int:
        if self._run:
            self._run.set_status("starting", stage="samples")
        self._each("begin", self)
        while True:
            done, self.trainer.progress = self._agree(*self._state())
            if done:
                break
            terms = self.trainer.step()
            self.elapsed = time.monotonic() - self.started
            self._each("after_step", self, terms)
        if not self._run:
            return 0
        if self.left:
            return self._end("paused", self._saved())
        stopped = self.stopping()
        if not stopped:
            self._each("finish", self)
        self.save()
        return self._end("stopped" if stopped else "finished", self._saved())

    def _each(self, moment: str, *arguments) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(*arguments)

    # How far it is ------------------------------------------------------------------------------------------------

    def _state(self) -> tuple[bool, float]:
        """Whether to end now, and the share that is done; requests are answered first."""
        if not self._run:
            return False, 0.0
        self._answer_requests()
        if self.stopping() or self.left:
            return True, self.share()
        done = self.share() >= 1 or any([callback.enough(self) for callback in self.callbacks])
        if done:
            self._each("conclude", self)
        return done, self.share()

    def share(self) -> float:
        """How much is done of what is asked for, 0..1 and beyond."""
        return self.share_at(self.trainer.step_count, self.elapsed)

    def share_at(self, step: int, seconds: float) -> float:
        """How much was done at that step, after so many seconds, of what is asked for now."""
        return seconds / (60 * self.schedule.minutes) if self.schedule.minutes else step / self.schedule.steps

    def stopping(self) -> bool:
        """Whether somebody asked for the end."""
        return self.interrupted or self.run_folder.requested("stop")

    def _agree(self, done: bool, share: float) -> tuple[bool, float]:
        """What the first process says, on every process."""
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1:
            return done, share
        values = broadcast(torch.tensor([float(done), share], dtype=torch.float64, device=accelerator.device))
        return bool(values[0]), float(values[1])

    def tell(self, **more) -> None:
        """The heartbeat: where the training is, and ``more``."""
        told: dict[str, Any] = {"reason": "", "share": self.share(), "elapsed": self.elapsed} | more
        self.run_folder.set_status("running", step=self.trainer.step_count, **told)

    # Requests -----------------------------------------------------------------------------------------------------

    def _answer_requests(self) -> None:
        run = self.run_folder
        for request in ("save", "sample"):
            if run.requested(request):
                self._each("answer", self, request)
                step = self.trainer.step_count
                answers = run.status().get("answered", {}) | {request: {"step": step, "time": time.time()}}
                run.set_status("running", step=step, answered=answers)
                run.withdraw(request)
        if run.requested("pause") and not self.stopping():
            self._pause()

    def _pause(self) -> None:
        """Saves and waits, doing next to nothing; after ``IDLE_SECONDS`` the process ends."""
        run, since = self.run_folder, time.monotonic()
        self.save()
        run.set_status("paused", step=self.trainer.step_count, reason=self._saved())
        while run.requested("pause") and not self.stopping():
            if time.monotonic() - since > IDLE_SECONDS:
                self.left = True
                return
            time.sleep(PAUSE_POLL)
        seconds = time.monotonic() - since
        self.started, self.saved_at = self.started + seconds, self.saved_at + seconds
        self._each("after_pause", seconds)
        self.tell()

    # Saving and ending --------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Writes the checkpoint."""
        start = time.monotonic()
        save(self.trainer, self.run_folder, self.elapsed)
        self.saved_at = time.monotonic()
        self.looking += self.saved_at - start

    def _saved(self) -> Message:
        return Message("runs.saved", step=self.trainer.step_count)

    def _end(self, state: str, reason: Message, **more) -> int:
        if self._run:
            self._each("close")
            if state == "finished":
                more_reasons = [said for callback in self.callbacks for said in callback.reasons()]
                reason = Message.row(reason, *more_reasons) if more_reasons else reason
            more |= {"share": self.share(), "elapsed": self.elapsed}
            self._run.set_status(state, step=self.trainer.step_count, reason=reason, **more)
            self._run.log(f"{state}: {reason}")
            print(f"{state}: {reason} {self._run.folder}", file=sys.stderr)
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


def out_of_memory(batch_size: int) -> tuple[str, Message, dict]:
    """State, reason and what to try: half the batch in whole fours, or a smaller preset where that is the least."""
    if batch_size <= 4:
        return "out_of_memory", Message("training.no_memory"), {}
    half = max(4, batch_size // 8 * 4)
    return "out_of_memory", Message("training.less_memory", size=half), {"batch_size": half}
