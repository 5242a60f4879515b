"""Runs of one folder: started as processes of their own, watched and directed through their folders alone.

A training goes on when the process that started it ends; another manager of the same folder, in another process, sees
and directs it as well.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from pathlib import Path

from ..data.registry import DATASETS, PREFIX
from ..errors import TrainingError
from ..language import NOTHING, Message
from ..models.cost import check_model
from ..system.files import exists, saving
from ..system.locks import alone
from .access import Access
from .checks import MAX_NAME, NAME, check_name, check_settings
from .describe import describe, settings_of
from .history import History
from .process import COMMAND, CORES, spawn
from .run import ALIVE, Run
from .sweep import STARTING, sweep

MAX_RUNNING = max(1, min(4, CORES // 2))  # trainings at a time; more would only wait for each other's cores
WAIT_SECONDS = 5.0  # to wait for a run's answer before the request says that it will come later
UNSAID = Message("runs.ended_unsaid")


class NoRoom(TrainingError):
    """So many runs are being trained already that one more would slow all of them down; ``running`` has their names."""

    def __init__(self, running: list[str]):
        super().__init__("runs.no_room", names=", ".join(running))
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
        raise TrainingError("runs.no_such_run", name=str(name)[:MAX_NAME])

    def status(self, name: str) -> dict:
        """The run's status, correct also for a process that has just started or has ended without a word."""
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
                self._started.pop(name, None)  # from now on its folder says how it is
                threading.Thread(target=process.wait, daemon=True).start()  # else a dead process keeps its number
            else:
                return status | {"state": "starting", "stage": "process", "reason": NOTHING, "alive": True}
        return status

    def describe(self, name: str) -> dict:
        """What a list shows of the run, as JSON values and messages (:func:`mmgan.runs.describe.describe`)."""
        return describe(self.run(name), self.status(name))

    def settings(self, name: str) -> dict:
        """Everything that the run was asked for, by name: "data", "learning_rate", "model.image.size", ..."""
        return settings_of(self.run(name), self.status(name))

    def history(self, name: str) -> History:
        """The run's metrics, read on from the last position."""
        run = self.run(name)
        with self._reading:
            if name not in self._histories:
                while len(self._histories) >= 16:  # bounds the memory of a server that runs for weeks
                    self._histories.pop(next(iter(self._histories)))
                self._histories[name] = History(run)
            return self._histories[name]

    def models(self) -> list[tuple[str, Path]]:
        """(name, folder) of every run with a checkpoint, from which can be sampled; the newest first."""
        runs = [(name, Run(self.folder / name)) for name in self.names()]
        return [(name, run.folder) for name, run in runs if run.model_step() is not None]

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
            raise TrainingError("runs.no_data")
        check_settings(preset, settings or {})
        if start_from:
            check_model(start_from)
        if data not in DATASETS and not exists(data):
            raise TrainingError("runs.no_folder", path=data)
        arguments = [f"--data={PREFIX * (data in DATASETS)}{data}", "--preset", preset, "--device", device]
        arguments += [f"--start-from={start_from}"] if start_from else []
        return self._begin(name, "train", arguments, settings, access)

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
            raise TrainingError("runs.no_folder", path=data)
        arguments = [str(Path(data).resolve()), f"--base={base}", f"--minutes={minutes}", "--device", device]
        return self._begin(name, "finetune", arguments, settings, access)

    def resume(self, name: str) -> None:
        """Lets a paused training go on, or starts one again from its checkpoint.

        Raises:
            TrainingError: it is not at rest, it never began, or too many trainings run.
        """
        run, status = self.run(name), self.status(name)
        if status["state"] in ALIVE:
            raise TrainingError("runs.trained_already", name=name)
        with self._room():
            if status["alive"]:
                run.withdraw("pause")
                if self._wait(lambda: run.status()["state"] != "paused") and run.status()["alive"]:
                    return  # else its process has just left, and a new one takes over
            if not run.resumable():
                raise TrainingError("runs.never_began", name=name)
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
            raise TrainingError("runs.being_trained", name=name)
        with self._lock:
            run.remove()
        with self._reading:
            self._histories.pop(name, None)

    # How it is done -----------------------------------------------------------------------------------------------

    def _begin(
        self, name: str, command: str, arguments: list[str], settings: dict | None, access: Access | None
    ) -> Run:
        for key, value in (settings or {}).items():
            arguments += ["--set", f"{key}={value}"]
        with self._room():
            run = Run(self.folder / name)
            run.claim(access=access)
            self._spawn(run, arguments, command)
        return run

    @contextlib.contextmanager
    def _room(self):
        """Lets one more run begin within the block; meanwhile no other begins, not even from another server."""
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
            raise TrainingError("runs.not_trained", name=name)
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
        self._started[run.folder.name] = spawn(self.command, run, [command, *arguments])
