"""The metrics of a run as rows of a file: appended whole, and cut only where a resumed training replaces its past."""

from __future__ import annotations

import contextlib
import errno
import os
from io import FileIO
from pathlib import Path

from ..system.files import saving
from .files import parse_line, to_json

_RESUME = 2**40  # a place in the metrics is resumes * _RESUME + byte: a cut makes earlier places void


class Metrics:
    """metrics.jsonl of the run in ``folder``, which says in ``said`` how often it was resumed."""

    folder: Path
    _metrics: FileIO | None = None

    def said(self) -> dict:
        """What status.json says."""
        raise NotImplementedError

    def log_metrics(self, values: dict) -> None:
        """Appends one row, with "step" among the values, and hands it to the operating system at once.

        Numbers may be of NumPy or one-element tensors; what is not finite becomes null, for JSON has no word for it.

        Raises:
            MmganError: the disk is full.
        """
        with saving(self._metrics_path):
            if self._metrics is None:
                mend_lines(self._metrics_path)
                self._metrics = open(self._metrics_path, "ab", buffering=0)  # noqa: SIM115 (open as long as the run)
            data = to_json(values)
            if self._metrics.write(data) != len(data):
                self._metrics.close()
                self._metrics = None  # the next row then first cuts off the torn line
                raise OSError(errno.ENOSPC, "the disk took only part of a line")

    def metrics(self, since: int = 0) -> tuple[list[dict], int]:
        """Rows after the place ``since``, and the place to ask from next; 0 is the beginning.

        A last line without its end is left for the next call. After a resume has cut the file, all rows come again:
        whoever keeps rows drops those whose step is not below the first new one's, which does nothing at other times.
        """
        resumes = self.said().get("resumes", 0) * _RESUME  # read before the file: resume() cuts first and counts after
        start = since - resumes if since >= resumes else 0
        try:
            with open(self._metrics_path, "rb") as file:
                if start > 0:
                    file.seek(start - 1)
                    if file.read(1) != b"\n":  # cut a moment ago
                        start = 0
                file.seek(start)
                data = file.read()
        except OSError:
            return [], 0
        end = data.rfind(b"\n") + 1
        rows = (parse_line(line) for line in data[:end].splitlines())
        return [row for row in rows if row is not None], resumes + start + end

    @property
    def _metrics_path(self) -> Path:
        return self.folder / "metrics.jsonl"


def mend_lines(path: Path) -> None:
    """Cuts off a last line that a kill left without its end."""
    with contextlib.suppress(FileNotFoundError):
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.truncate(path, data.rfind(b"\n") + 1)


def cut_rows(path: Path, step: int) -> None:
    """Cuts the file of rows before its first one beyond ``step``."""
    mend_lines(path)
    with contextlib.suppress(FileNotFoundError):
        position = 0
        for line in path.read_bytes().splitlines(keepends=True):
            row = parse_line(line)
            if row is not None and isinstance(row.get("step"), (int, float)) and row["step"] > step:
                os.truncate(path, position)
                return
            position += len(line)
