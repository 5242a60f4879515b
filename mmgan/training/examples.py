"""What a run shows of the files that it learned from, and how it forgets them once these are deleted."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from ..evaluation.report import PAPER, sheet_grid
from ..files import replace_file
from .run_files import read_json, to_json
from .runs import Run

SHEET = "samples/before-after.png"  # of a fine-tuning: samples before, samples after, and the files nearest to these
SECTIONS = 3  # of equally many rows


def forget_examples(run: Run) -> None:
    """Takes the real examples off a run's film strip, and the nearest files off its sheet. What was made stays."""
    path = run.strips / "strips.json"
    if path.exists():
        described = read_json(path)
        nothing = [False] * len(described["prompts"])
        replace_file(path, to_json(described | {"has_image": nothing, "has_sound": nothing}), flush=False)
    for name in ("real.png", "real-mel.png", "real.flac"):
        (run.strips / name).unlink(missing_ok=True)
    sheet = run.folder / SHEET
    try:
        with Image.open(sheet) as picture:
            picture.load()
    except OSError:  # there is none, or it is damaged: then nothing of it is kept
        sheet.unlink(missing_ok=True)
        return
    grid = sheet_grid()
    section = (picture.height - grid["top"]) // grid["down"] // SECTIONS * grid["down"]
    picture.paste(PAPER, (0, grid["top"] + (SECTIONS - 1) * section, picture.width, picture.height))
    out = io.BytesIO()
    picture.save(out, "PNG")
    replace_file(sheet, out.getvalue(), flush=False)


def forget_data(runs: Iterable[Run], data: Path) -> None:
    """:func:`forget_examples` of those that learned from the folder ``data``, which is gone."""
    for run in runs:
        if run.config.get("data") == str(data.resolve()):
            forget_examples(run)


def data_are_gone(run: Run) -> bool:
    """Whether the folder or zip that the run learned from has been deleted."""
    data = Path(run.config.get("data", ""))
    return data.is_absolute() and not data.exists()
