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

SHEET = "samples/before-after.png"  # of a fine-tuning: three lots of rows, of which the last are the nearest files
LOTS = 3


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
    if not sheet.exists():
        return
    with Image.open(sheet) as picture:
        picture.load()
    grid = sheet_grid()
    lot = (picture.height - grid["top"]) // grid["down"] // LOTS * grid["down"]
    picture.paste(PAPER, (0, grid["top"] + (LOTS - 1) * lot, picture.width, picture.height))
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
