"""A training run as a folder, which one process writes and any number read.

::

    config.json     what was asked for at first; never changes: what was later is in changes.json
    metrics.jsonl   one JSON object a line, each with its "step"; append-only, but see :meth:`Run.resume`
    status.json     replaced as a whole: state, step, reason, pid, host, started, updated
    samples/        sample sheets by step, and in strips/ the same few latent codes at each visit
    checkpoint/     the last good checkpoint (:mod:`mmgan.models.checkpoint`)
    log.txt         for people
    access.json     whose it is (:mod:`mmgan.runs.access`); a run without one is everybody's
    stop            exists once somebody asked for a stop; likewise pause, save and sample: all that readers write

Whatever the app shows of a run is read from there, so a reload, a second browser and a restart show the same. This
module needs no torch, so looking at runs does not load it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import time
import uuid
from pathlib import Path

from ..errors import TrainingError
from ..language import NOTHING, Message
from ..system.files import exists, process_lives, remove_left, replace_file, saving
from ..system.locks import Held, hold, is_held
from . import changes
from .access import ACCESS, Access, write_access
from .files import FORMAT, STATES, VERSION, Damaged, read_checkpoint, read_config, read_status, to_json
from .metrics import Metrics, cut_rows

ALIVE = ("starting", "running")  # states that need a living process; a paused one may have left
REQUESTS = ("stop", "pause", "save", "sample")  # files that ask the training process for something
STALE_SECONDS = 120.0  # without a heartbeat a process counts as dead; a step on the slowest laptop takes less
CLAIM_SECONDS = 30.0  # from the claim of a folder to its process, which usually takes a second
ABANDONED_SECONDS = 10.0  # after which an empty folder counts as abandoned; filling one takes milliseconds
_OURS = {"log.txt", ".lock", "samples", "status.json", ACCESS, *REQUESTS}  # may be there before the run
_LEFT = re.compile(r"\.(?:config|status|access)\.json\.new-\d+-\d+")  # by a process killed as it began the run


class Run(Metrics):
    """One run folder. Make it with :meth:`create`, :meth:`resume` (both write) or :meth:`open` (reads)."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._lock: Held | None = None

    # ---------------------------------------------------------------------------------------------------- beginnings

    @classmethod
    def create(cls, folder: str | Path, config: dict, access: Access | None = None) -> Run:
        """A new run that this process writes, in state "starting".

        A run that ended before its first step (its data could not be read, say) may be begun anew in its folder.

        Args:
            config: what it is asked to do.
            access: whose it is, unless whoever claimed the folder has said so already; None: everybody's.

        Raises:
            TrainingError: the folder holds a run or anything else, or another process writes it.
            MmganError: the folder cannot be written.
        """
        run = cls(folder)
        if run.exists() and not run.came_to_nothing():
            raise TrainingError("runs.holds_run", path=run.folder)
        there = {entry.name for entry in run.folder.iterdir()} if run.folder.is_dir() else set()
        if not run.exists() and any(not _LEFT.fullmatch(name) for name in there - _OURS):
            raise TrainingError("runs.not_empty", path=run.folder)
        with saving(run.folder):
            (run.folder / "samples").mkdir(parents=True, exist_ok=True)
            run._acquire()
            remove_left(run.folder)
            run._forget_requests()
            if access is not None and not (run.folder / ACCESS).exists():
                write_access(run.folder, access)
            for path in (run._metrics_path, run.folder / changes.FILE):  # left by a run here that came to nothing
                path.unlink(missing_ok=True)
            run.set_status("starting", step=0, reason="", started=time.time(), stage="libraries")
            # Last, because this file is what makes the folder a run.
            replace_file(
                run.folder / "config.json", to_json({"format": FORMAT, "version": VERSION, "config": config}, indent=2)
            )
        return run

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """An existing run, to look at or to ask for a stop.

        Raises:
            TrainingError: there is no run.
        """
        run = cls(folder)
        if not run.exists():
            raise TrainingError("runs.no_run", path=run.folder)
        return run

    @classmethod
    def resume(cls, folder: str | Path) -> Run:
        """An existing run that this process goes on writing, back at the step of its checkpoint.

        Metrics beyond that step belong to a past that the resumed training replaces, and are cut off: the one exception
        to append-only. A line torn by a kill is cut off too.

        Raises:
            TrainingError: there is no run, it has no checkpoint, or another process writes it.
        """
        run = cls.open(folder)
        step = run.checkpoint_step()
        if step is None:
            raise TrainingError("runs.no_checkpoint", path=run.folder)
        with saving(run.folder):
            run._acquire()
            run._forget_requests()
            cut_rows(run._metrics_path, step)
            resumes = run.said().get("resumes", 0) + 1  # readers see that rows were cut
            run.set_status("starting", step=step, reason="", resumes=resumes, stage="libraries")
        return run

    def exists(self) -> bool:
        """Whether the folder says of itself that it is a run."""
        try:
            read_config(self.folder)
        except Damaged:
            return False
        return (self.folder / "config.json").is_file()

    def there(self) -> bool:
        """Whether the folder is a run, or was one before its files were damaged."""
        return exists(self.folder / "status.json") or self.exists()

    def resumable(self) -> bool:
        """Whether its training can go on, from its checkpoint or, where it never had one, from the beginning."""
        return self.exists() and (self.checkpoint_step() is not None or self.came_to_nothing())

    def came_to_nothing(self) -> bool:
        """Whether it ended before its first step, so that there is nothing to resume and nothing to lose."""
        status = self.status()
        waits = not status["alive"] or self._claimed(status)  # claimed by a process that is about to begin it anew
        return waits and status["step"] == 0 and self.checkpoint_step() is None

    def close(self) -> None:
        """Lets others write the run. Also done by the end of the process, whatever ends it."""
        if self._metrics is not None:
            self._metrics.close()
        if self._lock is not None:
            self._lock.close()
        self._metrics = self._lock = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------------- contents

    @property
    def config(self) -> dict:
        """What the run was asked to do, with later changes; {} while there is no config yet.

        Raises:
            Damaged: config.json or changes.json is damaged.
        """
        return changes.with_changes(read_config(self.folder), self.folder)

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint is, or will be."""
        return self.folder / "checkpoint"

    def checkpoint_step(self) -> int | None:
        """The step at which the checkpoint was saved; None while there is none, or none that can be used."""
        try:
            return read_checkpoint(self.checkpoint).get("step")
        except Damaged:
            return None

    def model_step(self) -> int | None:
        """The step of its model, also of an imported one that lacks the state for training on."""
        step = self.checkpoint_step()
        return self.status()["step"] if step is None and (self.checkpoint / "config.json").is_file() else step

    def data_are_gone(self) -> bool:
        """Whether the folder or zip that it learned from has been deleted."""
        data = Path(self.config.get("data", ""))
        return data.is_absolute() and not exists(data)

    def sample_path(self, step: int, suffix: str = ".png") -> Path:
        """Where the sample sheet of ``step`` goes."""
        return self.folder / "samples" / f"{step:07d}{suffix}"

    def samples(self, suffix: str = ".png") -> list[Path]:
        """The sample sheets, oldest first."""
        return sorted((self.folder / "samples").glob(f"[0-9]*{suffix}"))

    @property
    def strips(self) -> Path:
        """Where the film strip is (:mod:`mmgan.training.strips`)."""
        return self.folder / "samples" / "strips"

    def visits(self) -> list[int]:
        """The steps at which the film strip was written, in order."""
        names = (path.stem for path in self.strips.glob("[0-9]*.png"))
        return sorted(int(name) for name in names if name.isdecimal() and len(name) <= 15)

    def log(self, text: str) -> None:
        """Appends ``text`` to log.txt with the time. A disk too full for it is no reason to end a training."""
        with contextlib.suppress(OSError), open(self.folder / "log.txt", "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def log_tail(self, lines: int = 20) -> str:
        """The last ``lines`` lines of log.txt."""
        try:
            with open(self.folder / "log.txt", "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 400 * lines))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return ""

    # --------------------------------------------------------------------------------------------------------- status

    def set_status(self, state: str, step: int | None = None, reason: str | Message | None = None, **more) -> None:
        """Replaces the status; what is not given stays as it was. Calling it now and then is the run's heartbeat.

        Args:
            state: one of ``STATES``.
            reason: for people, such as why it failed; a text is shown as it stands.
            more: JSON values to show, such as ``batch_size`` to try after running out of memory.
        """
        if state not in STATES:
            raise ValueError(f"{state!r} is none of {', '.join(STATES)}")
        status = {"step": 0, "reason": NOTHING, "started": time.time(), **self.said(), **more}
        if step is not None:
            status["step"] = step
        if reason is not None:
            status["reason"] = reason
        status |= {"state": state, "pid": os.getpid(), "host": socket.gethostname(), "updated": time.time()}
        path, data = self.folder / "status.json", to_json(status, indent=2)
        try:
            replace_file(path, data, flush=False)  # called many times a minute
        except OSError:
            # A full disk has no room for a new file, but the old one can be overwritten with how the run ended.
            with contextlib.suppress(OSError):
                path.write_bytes(data)

    def status(self) -> dict:
        """state, step, reason (a message), pid, host, started, updated, alive and whatever else was set, honestly.

        ``alive`` says whether a process writes the run: a paused one may have ended, its checkpoint saved.

        A run that says it is running and whose process has ended, or has been silent for ``STALE_SECONDS`` where it
        cannot be asked, reads as failed, with the step to resume from in the reason. So does one whose status.json is
        damaged, with that as the reason.
        """
        status = {"state": "failed", "step": 0, "reason": NOTHING, "pid": 0, "host": "", "started": 0.0, "updated": 0.0}
        try:
            found = read_status(self.folder)
        except Damaged as error:
            alive = self._lock is not None or is_held(self.folder / ".lock")
            return status | {"reason": error.message, "alive": alive}
        if not found:
            return status | {"reason": Message("runs.never_started"), "alive": False}
        status |= found
        status["alive"] = status["state"] in (*ALIVE, "paused") and self._lives(status)
        if status["state"] not in ALIVE or status["alive"]:
            return status
        step = self.checkpoint_step()
        silently = Message("runs.ended_silently") if step is None else Message("runs.ended_silently_at", step=step)
        return status | {"state": "failed", "reason": silently}

    def said(self) -> dict:
        """What status.json says, as far as it can be used."""
        try:
            return read_status(self.folder)
        except Damaged:
            return {}

    def _lives(self, status: dict) -> bool:
        silent = time.time() - status["updated"]
        fresh = silent < STALE_SECONDS
        if self._claimed(status):
            return silent < CLAIM_SECONDS
        if status["host"] != socket.gethostname():
            return fresh
        # The number may by now belong to another process, and the lock to one that has yet to write its own.
        return process_lives(status["pid"]) and (self._lock is not None or is_held(self.folder / ".lock"))

    # ------------------------------------------------------------------------------------------------------- requests

    def request(self, what: str) -> None:
        """Asks the training process for one of ``REQUESTS``, which it answers after its present step.

        A stop saves first; a pause lasts until :meth:`withdraw`.

        Raises:
            MmganError: the folder cannot be written.
        """
        if what not in REQUESTS:
            raise ValueError(f"{what!r} is none of {', '.join(REQUESTS)}")
        with saving(self.folder / what):
            (self.folder / what).touch()

    def requested(self, what: str) -> bool:
        """Whether somebody asked for ``what``, and neither an answer nor a withdrawal came since."""
        return (self.folder / what).exists()

    def withdraw(self, what: str) -> None:
        """Takes a request back; taking back a pause lets the training go on."""
        with saving(self.folder / what):
            (self.folder / what).unlink(missing_ok=True)

    def _forget_requests(self) -> None:
        """Withdraws requests of the past; those made after a claim are meant for the training that now begins."""
        if not self._claimed(self.said()):
            for what in REQUESTS:
                self.withdraw(what)

    @staticmethod
    def _claimed(status: dict) -> bool:
        return status.get("state") == "starting" and not status.get("pid")

    # ----------------------------------------------------------------------------------------------------------- lock

    def _acquire(self) -> None:
        """Makes this process the run's only writer until :meth:`close` or its end.

        Raises:
            TrainingError: another process is.
        """
        for _ in range(20):  # a reader who checks whether the run lives holds the lock for a moment
            if held := hold(self.folder / ".lock"):
                self._lock = held
                return
            time.sleep(0.02)
        raise TrainingError("runs.another_process", path=self.folder)

    def claim(self, resume: bool = False, access: Access | None = None) -> None:
        """Makes this a run that is about to start, before the process that will write it is there.

        Args:
            access: whose a new run is; None: everybody's. It is written before anybody can see the run.

        Raises:
            TrainingError: it is a new run and the folder is there already.
            MmganError: the folder cannot be made.
        """
        with saving(self.folder):
            if resume:
                for what in REQUESTS:
                    self.withdraw(what)
            else:
                try:
                    self.folder.mkdir(parents=True)
                except FileExistsError:
                    if not self._abandoned():
                        raise TrainingError("runs.folder_taken", name=self.folder.name) from None
                    (self.folder / ACCESS).unlink(missing_ok=True)
                if access is not None:
                    write_access(self.folder, access)
            status = {"step": 0, "started": time.time(), **self.said()}
            status |= {"state": "starting", "stage": "process", "reason": "", "pid": 0}
            status |= {"host": socket.gethostname(), "updated": time.time()}
            replace_file(self.folder / "status.json", to_json(status, indent=2))

    def _abandoned(self) -> bool:
        """Whether a kill left the folder before its status.json was written."""
        empty = {entry.name for entry in self.folder.iterdir()} <= {ACCESS}
        return empty and time.time() - self.folder.stat().st_mtime > ABANDONED_SECONDS

    def give_up(self, reason: Message) -> None:
        """Writes "failed" for a process that the folder was claimed for and that ended before it could write."""
        with contextlib.suppress(TrainingError):  # another process writes the run, so it lives
            self._acquire()
            self.set_status("failed", reason=reason)
            self.close()

    def remove(self) -> None:
        """Deletes the run for good, unless a process writes it.

        Raises:
            TrainingError: it is being trained.
            MmganError: the folder cannot be deleted.
        """
        if self.status()["alive"] and self.status()["state"] == "starting":
            raise TrainingError("runs.being_started", name=self.folder.name)
        with saving(self.folder):
            self._acquire()  # nobody starts it while it goes
            gone = self.folder.with_name(f".{uuid.uuid4().hex[:8]}.deleted-{os.getpid()}")
            if os.name == "nt":
                self.close()  # Windows moves no folder in which a file is open
            os.rename(self.folder, gone)  # all of it at once, so that a kill leaves no half of a run
            self.close()
            shutil.rmtree(gone)
