"""Runs of one folder: started as processes of their own, watched and directed through their folders alone.

A training belongs to nobody: it goes on when whoever started it ends, and another manager of the same folder, in
another process, sees and directs it as well. This module needs no torch and no gradio.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from ..config import PRESETS
from ..cost import check_model
from ..data import NAMES, PREFIX
from ..errors import TrainingError
from ..files import exists, saving
from ..locks import alone
from .access import Access
from .adopt import adopt, model_step
from .asked import MAX_NAME, NAME, check_name, check_settings, flat, preset_of
from .history import History
from .run_files import Damaged, damage_of, data_name
from .runs import ALIVE, REQUESTS, Run
from .sweep import STARTING, sweep

__all__ = ["COMMAND", "MAX_RUNNING", "PRESETS", "Manager", "NoRoom", "check_name", "check_settings", "preset_of"]

COMMAND = (sys.executable, "-m", "mmgan.cli")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
MAX_RUNNING = max(1, min(4, CORES // 2))  # trainings at a time: on the same cores each only waits for the others
NICE = 10  # how far a training yields to the page: see tests/benchmarks/beside.py
WAIT_SECONDS = 5.0  # that a request waits for its answer before it says that it will come later
UNSAID = "The training process ended before it could say why; the log has its last words."


class NoRoom(TrainingError):
    """So many runs are being trained already that one more would slow all of them down; ``running`` has their names."""

    def __init__(self, running: list[str]):
        super().__init__(f"Already being trained: {', '.join(running)}; stop or pause a run first.")
        self.running = running


class Manager:
    """Starts, directs and lists the runs in ``folder``, which need not exist yet.

    Args:
        folder: where runs are, each in a folder of its name.
        command: what ``mmgan`` is called as, by default ``COMMAND``.
    """

    def __init__(self, folder: str | Path = "runs", command: tuple[str, ...] | None = None):
        self.folder, self.command = Path(folder), command or COMMAND
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._started: dict[str, subprocess.Popen] = {}
        self._histories: dict[str, History] = {}
        sweep(self.folder)

    # What there is ------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The runs' names, the newest first."""
        if not self.folder.is_dir():
            return []
        found = []
        for entry in os.scandir(self.folder):
            if NAME.fullmatch(entry.name) and entry.is_dir() and (run := Run(entry.path)).there():
                found.append((-run.said().get("started", 0.0), entry.name))
        return [name for _, name in sorted(found)]

    def run(self, name: str) -> Run:
        """The run of that name, to read.

        Raises:
            TrainingError: there is none.
        """
        if NAME.fullmatch(str(name)) and (run := Run(self.folder / str(name))).there():
            return run
        raise TrainingError(f"There is no run named {str(name)[:MAX_NAME]}; it may have been deleted.")

    def status(self, name: str) -> dict:
        """The run's status, honest also about a process that was just started or has ended without a word."""
        run = self.run(name)
        status = run.status()
        process = self._started.get(name)
        if process is not None:
            speaks = status["pid"] == process.pid
            if process.poll() is not None:
                self._started.pop(name, None)
                if not speaks:
                    run.give_up(UNSAID)
                    return run.status()
            elif speaks:
                self._started.pop(name, None)  # from here on its folder says it all
                threading.Thread(target=process.wait, daemon=True).start()  # so that no dead process keeps its number
            else:
                return status | {"state": "starting", "stage": "process", "reason": "", "alive": True}
        return status

    def describe(self, name: str) -> dict:
        """What a list shows of the run, as JSON values.

        ``state``, ``stage`` (of a start), ``step``, ``share`` done (0..1), ``seconds`` trained, ``seconds_left`` (None:
        unknown), ``reason``, ``started`` (Unix time), ``data``, ``preset``, ``loss``, ``batch_size`` to try after
        running out of memory, ``checkpoint`` (its step or None), ``resumable``, ``waiting`` (requests not yet
        answered), ``answered``, ``finetune`` (what a fine-tuning says of itself; None of others). Of a run whose files
        are damaged ``state`` is "damaged" and ``reason`` says which; it can be deleted as any other.
        """
        run, status = self.run(name), self.status(name)
        damage = "" if status["alive"] else damage_of(run.folder)
        if damage:
            status |= {"state": "damaged", "reason": damage}
        share, elapsed = status.get("share") or 0.0, status.get("elapsed") or 0.0
        left = elapsed * (1 - share) / share if 0 < share <= 1 and status["state"] in (*ALIVE, "paused") else None
        try:
            config = run.config
        except Damaged:
            config = {}
        training = config.get("training", {})
        return {
            "name": name, "state": status["state"], "stage": status.get("stage", ""), "step": status["step"],
            "share": round(min(1.0, share), 4), "seconds": round(elapsed, 1),
            "seconds_left": None if left is None else round(left), "reason": status["reason"],
            "started": status["started"], "updated": status["updated"], "alive": status["alive"],
            "data": data_name(config, status), "preset": preset_of(training), "loss": training.get("loss", ""),
            "steps": training.get("steps"), "minutes": training.get("minutes"),
            "resumable": status["state"] not in (*ALIVE, "finished") and run.resumable(),
            "batch_size": status.get("batch_size"), "checkpoint": model_step(run),
            "waiting": [what for what in REQUESTS if status["alive"] and run.requested(what)],
            "answered": status.get("answered", {}), "finetune": status.get("finetune"),
        }  # fmt: skip

    def settings(self, name: str) -> dict:
        """Everything that the run was asked for, by name: "data", "learning_rate", "model.image_size", ..."""
        config = self.run(name).config
        found = {"data": data_name(config, self.status(name)), "text_encoder": config.get("text_encoder") or ""}
        found["start_from"] = Path(config.get("start_from") or "").name
        return found | flat(config.get("training", {}))

    def history(self, name: str) -> History:
        """The run's metrics, read on from where they were left."""
        run = self.run(name)
        with self._reading:
            if name not in self._histories:
                while len(self._histories) >= 16:  # the memory of a page open for weeks
                    self._histories.pop(next(iter(self._histories)))
                self._histories[name] = History(run)
            return self._histories[name]

    def models(self) -> list[tuple[str, Path]]:
        """(name, folder) of every run with a checkpoint, from which can be sampled; the newest first."""
        runs = [(name, Run(self.folder / name)) for name in self.names()]
        return [(name, run.folder) for name, run in runs if model_step(run) is not None]

    def running(self) -> list[str]:
        """The runs that are being trained or prepared now."""
        found = []
        for name in self.names():
            with contextlib.suppress(TrainingError):  # deleted just now
                if self.status(name)["state"] in ALIVE:
                    found.append(name)
        return found

    def free_name(self, stem: str) -> str:
        """``stem`` and the first number that no run has."""
        stem = re.sub(r"[^\w .()+-]", "", stem, flags=re.UNICODE).strip(" ._")[: MAX_NAME - 5] or "run"
        number = 1
        while (self.folder / f"{stem}-{number}").exists():
            number += 1
        return f"{stem}-{number}"

    # What can be done ---------------------------------------------------------------------------------------------

    def start(
        self, name: str, data: str, preset: str = "tiny", settings: dict | None = None, device: str = "auto",
        start_from: str | None = None, access: Access | None = None,
    ) -> Run:  # fmt: skip
        """Starts a training as a process of its own.

        Args:
            name: of the run and of its folder.
            data: a dataset's name, a folder or a zip.
            preset: the model's sizes.
            settings: fields of :class:`~mmgan.config.TrainingConfig` by name, ``model.``-fields too.
            start_from: a model (name, folder or run) whose weights to go on from, and whose sizes then count.
            access: whose the run is; None: everybody's.

        Raises:
            TrainingError: the name or a setting cannot be used, or too many trainings run.
            CheckpointError: there is no such model to start from.
        """
        name = check_name(name)
        if not (data := str(data).strip()):
            raise TrainingError("Say what to learn from: shapes, digits, or a folder.")
        check_settings(preset, settings or {})
        if start_from:
            check_model(start_from)
        if data not in NAMES and not exists(data):
            raise TrainingError(f"There is no folder or zip {data} on the machine where mmgan runs; check the path.")
        with self._room():
            run = Run(self.folder / name)
            run.claim(access=access)
            arguments = [f"--data={PREFIX * (data in NAMES)}{data}", "--preset", preset, "--device", device]
            arguments += [f"--start-from={start_from}"] if start_from else []
            for key, value in (settings or {}).items():
                arguments += ["--set", f"{key}={value}"]
            self._spawn(run, arguments)
        return run

    def finetune(
        self, name: str, data: str, base: str, minutes: float = 8.0, settings: dict | None = None, device: str = "auto",
        access: Access | None = None,
    ) -> Run:  # fmt: skip
        """Starts a fine-tuning as a process of its own.

        Args:
            name: of the run and of its folder.
            data: a project's folder, any folder or a zip.
            base: a model's name, folder or run.
            settings, access: see :meth:`start`.

        Raises:
            TrainingError: the name or a setting cannot be used, or too many trainings run.
            CheckpointError: there is no such base.
        """
        name = check_name(name)
        check_model(base)
        check_settings("tiny", settings or {})
        if not exists(data):
            raise TrainingError(f"There is no folder or zip {data} on the machine where mmgan runs; check the path.")
        with self._room():
            run = Run(self.folder / name)
            run.claim(access=access)
            arguments = [str(Path(data).resolve()), f"--base={base}", f"--minutes={minutes}", "--device", device]
            for key, value in (settings or {}).items():
                arguments += ["--set", f"{key}={value}"]
            self._spawn(run, arguments, "finetune")
        return run

    def adopt(self, name: str, source: str | Path) -> Run:
        """Makes a run of that name of a model zip from elsewhere.

        Raises:
            TrainingError: the name cannot be used, or is taken.
            CheckpointError: see :func:`~mmgan.sharing.import_model`.
        """
        return adopt(source, self.folder / check_name(name))

    def resume(self, name: str) -> None:
        """Lets a paused training go on, or starts one again from its checkpoint.

        Raises:
            TrainingError: it is not at rest, it never began, or too many trainings run.
        """
        run, status = self.run(name), self.status(name)
        if status["state"] in ALIVE:
            raise TrainingError(f"{name} is being trained already.")
        with self._room():
            if status["alive"]:
                run.withdraw("pause")
                if self._wait(lambda: run.status()["state"] != "paused") and run.status()["alive"]:
                    return  # else its process left just now, and a new one takes over
            if not run.resumable():
                raise TrainingError(f"{name} cannot be resumed, because it never began; start it again.")
            run.claim(resume=True)
            self._spawn(run, ["--resume"])

    def stop(self, name: str) -> dict:
        """Asks the training to save and end; returns its status, which is "stopped" unless a step takes seconds.

        Raises:
            TrainingError: it is not being trained.
        """
        return self._ask(name, "stop", lambda status: not status["alive"])

    def pause(self, name: str) -> dict:
        """Asks the training to save and wait; returns its status.

        Raises:
            TrainingError: it is not being trained.
        """
        return self._ask(name, "pause", lambda status: status["state"] not in ALIVE)

    def save(self, name: str) -> dict:
        """Asks for a checkpoint now; returns the status, whose ``answered`` says at which step it was saved."""
        return self._ask(name, "save", lambda status: not self.run(name).requested("save"))

    def sample(self, name: str) -> dict:
        """Asks for samples now; returns the status."""
        return self._ask(name, "sample", lambda status: not self.run(name).requested("sample"))

    def delete(self, name: str) -> None:
        """Deletes the run and all its files for good.

        Raises:
            TrainingError: it is being trained.
        """
        run, status = self.run(name), self.status(name)
        if status["alive"]:
            raise TrainingError(f"{name} is being trained; stop it first, then delete it.")
        with self._lock:
            run.remove()
        with self._reading:
            self._histories.pop(name, None)

    # How it is done -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _room(self):
        """In the block one more run may begin, and no other does meanwhile, in another server neither."""
        with self._lock, contextlib.ExitStack() as stack:
            with saving(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(alone(self.folder / STARTING))
            if len(running := self.running()) >= MAX_RUNNING:
                raise NoRoom(running)
            yield

    def _ask(self, name: str, what: str, answered) -> dict:
        run, status = self.run(name), self.status(name)
        if not status["alive"]:
            raise TrainingError(f"{name} is not being trained.")
        run.request(what)
        self._wait(lambda: answered(self.status(name)))
        return self.status(name)

    @staticmethod
    def _wait(done) -> bool:
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if done():
                return True
            time.sleep(0.05)
        return False

    def _spawn(self, run: Run, arguments: list[str], command: str = "train") -> None:
        """A process in a session of its own, so that neither our end nor a Ctrl-C at our terminal ends it."""
        command = [*self.command, command, "--out", str(run.folder), "--nice", str(NICE), *arguments]
        run.log("$ " + " ".join(["mmgan", *command[len(self.command) :]]))
        # One compute thread: two on two cores collapse as soon as somebody samples (tests/benchmarks/beside.py).
        environment = {**os.environ, "OMP_NUM_THREADS": threads(), "PYTHONUNBUFFERED": "1"}
        apart = {"start_new_session": True}
        if os.name == "nt":
            apart = {"creationflags": 0x00000200 | 0x00004000}  # a process group of its own, below normal priority
        with saving(run.folder / "log.txt"), open(run.folder / "log.txt", "ab") as log:
            self._started[run.folder.name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, close_fds=True, **apart
            )


def threads() -> str:
    """Compute threads of a training beside the page: all but one of the cores, and no more than eight."""
    return str(max(1, min(8, CORES - 1)))
