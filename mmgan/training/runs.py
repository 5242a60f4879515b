"""A training run as a folder, which one process writes and any number read.

::

    config.json     what was asked for; never changes
    metrics.jsonl   one JSON object a line, each with its "step"; append-only, but see :meth:`Run.resume`
    status.json     replaced as a whole: state, step, reason, pid, host, started, updated
    samples/        sample sheets by step
    checkpoint/     the last good checkpoint (:mod:`mmgan.checkpoint`)
    log.txt         for people
    stop            exists once somebody asked for a stop; the only thing that readers write

All that the app shows of a run is read from there, so a reload, a second browser and a restart show the same. This
module needs no torch, so that whoever only looks at runs need not load it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import socket
import time
from pathlib import Path

from ..errors import TrainingError
from ..files import present, process_lives, replace_file, saving

FORMAT, VERSION = "mmgan-run", 1
STATES = ("starting", "running", "finished", "stopped", "failed", "out_of_memory")
ALIVE = ("starting", "running")  # states that only a living process can be in
STALE_SECONDS = 120.0  # without a heartbeat; a step on the slowest laptop takes less
_RESUME = 2**40  # a place in the metrics is resumes * _RESUME + byte, so that no place outlives a cut
_OURS = {
    "log.txt",
    "stop",
    ".lock",
    "samples",
    "status.json",
}  # may be there before the run is: whoever starts it captures its output


class Run:
    """One run folder. Make it with :meth:`create`, :meth:`resume` (both write) or :meth:`open` (reads)."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._lock = None
        self._metrics = None

    # ---------------------------------------------------------------------------------------------------- beginnings

    @classmethod
    def create(cls, folder: str | Path, config: dict) -> Run:
        """A new run that this process writes, in state "starting".

        Raises:
            TrainingError: the folder holds a run or anything else, or another process writes it.
            MmganError: the folder cannot be written.
        """
        run = cls(folder)
        if run.exists():
            raise TrainingError(f"{run.folder} already holds a run; resume it, or choose another folder.")
        if run.folder.is_dir() and {entry.name for entry in run.folder.iterdir()} - _OURS:
            raise TrainingError(f"{run.folder} is not empty and no training run; choose an empty or a new folder.")
        with saving(run.folder):
            (run.folder / "samples").mkdir(parents=True, exist_ok=True)
            run._acquire()
            run._stop_file.unlink(missing_ok=True)
            run.set_status("starting", step=0, started=time.time())
            # Last, because this file is what makes the folder a run.
            replace_file(
                run.folder / "config.json", _json({"format": FORMAT, "version": VERSION, "config": config}, indent=2)
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
            raise TrainingError(f"{run.folder} is no training run; name a folder that mmgan train wrote.")
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
            raise TrainingError(f"{run.folder} has no checkpoint to resume from; start the training anew.")
        with saving(run.folder):
            run._acquire()
            run._stop_file.unlink(missing_ok=True)
            run._cut_metrics(step)
            resumes = _read_json(run.folder / "status.json").get("resumes", 0) + 1  # readers see that rows were cut
            run.set_status("starting", step=step, reason="", resumes=resumes)
        return run

    def exists(self) -> bool:
        """Whether the folder says of itself that it is a run."""
        return _read_json(self.folder / "config.json").get("format") == FORMAT

    def close(self) -> None:
        """Lets others write the run. Also done by the end of the process, whatever ends it."""
        for file in (self._metrics, self._lock):
            if file is not None:
                file.close()
        self._metrics = self._lock = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------------- contents

    @property
    def config(self) -> dict:
        """What the run was asked to do."""
        return _read_json(self.folder / "config.json").get("config", {})

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint is, or will be."""
        return self.folder / "checkpoint"

    def checkpoint_step(self) -> int | None:
        """The step at which the checkpoint was saved; None while there is none."""
        state = _read_json(present(self.checkpoint) / "training.json").get("state")
        step = state.get("step") if isinstance(state, dict) else None
        return step if isinstance(step, int) else None

    def sample_path(self, step: int, suffix: str = ".png") -> Path:
        """Where the sample sheet of ``step`` goes."""
        return self.folder / "samples" / f"{step:07d}{suffix}"

    def samples(self, suffix: str = ".png") -> list[Path]:
        """The sample sheets, oldest first."""
        return sorted((self.folder / "samples").glob(f"[0-9]*{suffix}"))

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

    # -------------------------------------------------------------------------------------------------------- metrics

    def log_metrics(self, values: dict) -> None:
        """Appends one row, with "step" among the values, and hands it to the operating system at once.

        Numbers may be of NumPy or one-element tensors; what is not finite becomes null, for JSON has no word for it.

        Raises:
            MmganError: the disk is full.
        """
        with saving(self._metrics_path):
            if self._metrics is None:
                self._mend_metrics()
                self._metrics = open(self._metrics_path, "ab", buffering=0)  # noqa: SIM115 (open as long as the run)
            data = _json(values)
            if self._metrics.write(data) != len(data):
                self._metrics.close()
                self._metrics = None  # so that the next row is written after the torn line has been cut off
                raise OSError(errno.ENOSPC, "the disk took only part of a line")

    def metrics(self, since: int = 0) -> tuple[list[dict], int]:
        """Rows after the place ``since``, and the place to ask from next; 0 is the beginning.

        A last line without its end is left for the next call. After a resume has cut the file, all rows come again:
        whoever keeps rows drops those whose step is not below the first new one's, which does nothing at other times.
        """
        resumes = _read_json(self.folder / "status.json").get("resumes", 0) * _RESUME  # before the file: see resume()
        start = since - resumes if since >= resumes else 0
        try:
            with open(self._metrics_path, "rb") as file:
                if start > 0:
                    file.seek(start - 1)
                    if file.read(1) != b"\n":  # cut a moment ago
                        start = 0
                file.seek(start)
                data = file.read()
        except FileNotFoundError:
            return [], 0
        end = data.rfind(b"\n") + 1
        rows = (_parse(line) for line in data[:end].splitlines())
        return [row for row in rows if row is not None], resumes + start + end

    @property
    def _metrics_path(self) -> Path:
        return self.folder / "metrics.jsonl"

    def _mend_metrics(self) -> None:
        """Cuts off a last line that a kill left without its end."""
        with contextlib.suppress(FileNotFoundError):
            data = self._metrics_path.read_bytes()
            if data and not data.endswith(b"\n"):
                os.truncate(self._metrics_path, data.rfind(b"\n") + 1)

    def _cut_metrics(self, step: int) -> None:
        """Cuts the file before its first row beyond ``step``."""
        self._mend_metrics()
        with contextlib.suppress(FileNotFoundError):
            position = 0
            for line in self._metrics_path.read_bytes().splitlines(keepends=True):
                row = _parse(line)
                if row is not None and isinstance(row.get("step"), (int, float)) and row["step"] > step:
                    os.truncate(self._metrics_path, position)
                    return
                position += len(line)

    # --------------------------------------------------------------------------------------------------------- status

    def set_status(self, state: str, step: int | None = None, reason: str | None = None, **more) -> None:
        """Replaces the status; what is not given stays as it was. Calling it now and then is the run's heartbeat.

        Args:
            state: one of ``STATES``.
            reason: one sentence for people, such as why it failed.
            more: JSON values to show, such as ``batch_size`` to try after running out of memory.
        """
        if state not in STATES:
            raise ValueError(f"{state!r} is none of {', '.join(STATES)}")
        status = {"step": 0, "reason": "", "started": time.time(), **_read_json(self.folder / "status.json"), **more}
        if step is not None:
            status["step"] = step
        if reason is not None:
            status["reason"] = reason
        status |= {"state": state, "pid": os.getpid(), "host": socket.gethostname(), "updated": time.time()}
        path, data = self.folder / "status.json", _json(status, indent=2)
        try:
            replace_file(path, data, flush=False)  # called many times a minute
        except OSError:
            # A full disk has no room for a second file, but the first one's block can still say how the run ended.
            with contextlib.suppress(OSError):
                path.write_bytes(data)

    def status(self) -> dict:
        """state, step, reason, pid, host, started, updated and whatever else was set, honestly.

        A run that says it is running and whose process has ended, or has been silent for ``STALE_SECONDS`` where it
        cannot be asked, reads as failed, with the step to resume from in the reason.
        """
        status = {"state": "failed", "step": 0, "reason": "", "pid": 0, "host": "", "started": 0.0, "updated": 0.0}
        found = _read_json(self.folder / "status.json")
        if not found:
            return status | {"reason": "The run never started; start it again."}
        status |= found
        if status["state"] not in ALIVE or self._lives(status):
            return status
        step = self.checkpoint_step()
        advice = "nothing was saved, so start it again" if step is None else f"resume it from step {step}"
        return status | {"state": "failed", "reason": f"The process ended without saying why; {advice}."}

    def _lives(self, status: dict) -> bool:
        fresh = time.time() - float(status["updated"]) < STALE_SECONDS
        if status["host"] != socket.gethostname():
            return fresh
        # The number alone may by now be another process's; the lock may be held by one that has yet to say so.
        return process_lives(int(status["pid"])) and (self._lock is not None or self._locked())

    # ----------------------------------------------------------------------------------------------------------- stop

    @property
    def _stop_file(self) -> Path:
        return self.folder / "stop"

    def request_stop(self) -> None:
        """Asks the training process to save and stop at its next step.

        Raises:
            MmganError: the folder cannot be written.
        """
        with saving(self._stop_file):
            self._stop_file.touch()

    def stop_requested(self) -> bool:
        """Whether somebody asked for a stop since the run was created or resumed."""
        return self._stop_file.exists()

    # ----------------------------------------------------------------------------------------------------------- lock

    def _acquire(self) -> None:
        """Makes this process the run's only writer until :meth:`close` or its end.

        Raises:
            TrainingError: another process is.
        """
        file = open(self.folder / ".lock", "ab")  # noqa: SIM115 (open as long as the run is locked)
        for _ in range(20):  # a reader that looks whether the run lives holds the lock for a moment
            if _try_lock(file):
                self._lock = file
                return
            time.sleep(0.02)
        file.close()
        raise TrainingError(f"Another process is training in {self.folder}; stop it first, or choose another folder.")

    def _locked(self) -> bool:
        try:
            with open(self.folder / ".lock", "rb") as file:
                return not _try_lock(file, shared=True)
        except OSError:
            return False


def _try_lock(file, shared: bool = False) -> bool:
    """Locks the open file if nobody else holds it; the operating system lets go of it when the process ends."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _plain(value):
    """JSON values only: numbers of NumPy and one-element tensors as Python's, not-a-number and infinity as None."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(value: dict, indent: int | None = None) -> bytes:
    return (json.dumps(_plain(value), indent=indent, ensure_ascii=False) + "\n").encode()


def _parse(line: bytes) -> dict | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _read_json(path: Path) -> dict:
    """The object in the file; empty where there is none."""
    try:
        return _parse(path.read_bytes()) or {}
    except OSError:
        return {}
