"""Removes what a run shows of the files that it learned from, once these are deleted."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path

from ..data.media.decoding import open_picture
from ..errors import DataError
from ..evaluation.report import PAPER, sheet_grid
from ..runs.files import Damaged, read_strips, to_json
from ..runs.run import Run
from ..system.files import replace_file

SHEET = "samples/before-after.png"  # of a fine-tuning: samples before and after, and the files nearest to the latter
SECTIONS = 3  # of the sheet, with equally many rows


def forget_examples(run: Run) -> None:
    """Takes the real examples off a run's film strip, and the nearest files off its sheet. What was made stays."""
    path = run.strips / "strips.json"
    try:
        described = read_strips(run.strips)
    except Damaged:  # then none of it is kept
        described = {}
        path.unlink(missing_ok=True)
    if described:
        nothing = [False] * len(described["prompts"])
        replace_file(path, to_json(described | {"has_image": nothing, "has_sound": nothing}), flush=False)
    for name in ("real.png", "real-mel.png", "real.flac"):
        (run.strips / name).unlink(missing_ok=True)
    sheet = run.folder / SHEET
    try:
        picture = open_picture(sheet.read_bytes()).convert("RGB")
    except (OSError, DataError):  # absent or damaged: then none of it is kept
        sheet.unlink(missing_ok=True)
        return
    grid = sheet_grid()
    section = (picture.height - grid["top"]) // grid["down"] // SECTIONS * grid["down"]
    picture.paste(PAPER, (0, grid["top"] + (SECTIONS - 1) * section, picture.width, picture.height))
    out = io.BytesIO()
    picture.save(out, "PNG")
    replace_file(sheet, out.getvalue(), flush=False)


def forget_data(runs: Iterable[Run], data: Path) -> None:
    """:func:`forget_examples` of those that learned from the folder ``data``, which is gone; of one whose config.json
    is damaged it cannot be known, so that forgets them as well."""
    for run in runs:
        try:
            ours = run.config.get("data") == str(data.resolve())
        except Damaged:
            ours = True
        if ours:
            with contextlib.suppress(OSError):  # deleted meanwhile, or the disk is full; go on with the others
                forget_examples(run)
