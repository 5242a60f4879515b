"""``mmgan train``, and ``--resume`` of any run.

The run's folder is made before the libraries are loaded, so that it shows up at once.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..config import PRESETS, TrainingConfig
from ..runs.checks import configured
from ..runs.run import Run
from .begin import check_same, direct, going_on, has_checkpoint, open_run, sizes_of, stoppable


def main(options) -> int:
    """Trains as the options of :mod:`mmgan.cli` say. Returns the exit status."""
    if getattr(options, "nice", 0) and hasattr(os, "nice"):
        os.nice(options.nice)
    out = Path(options.out)
    if options.resume:
        run = Run.open(out)
        saved, changes, more = run.config, direct(options), getattr(options, "set", [])
        check_same(run, options)
        if "finetune" in saved:
            from .finetune.command import resume as resume_finetune

            return resume_finetune(out, options.device, options.text_encoder, settings=changes, more=more)
        config = going_on(run, changes, more)
        data, text_encoder = saved.get("data", ""), options.text_encoder or saved.get("text_encoder")
        start, encoding = saved.get("start_from"), saved.get("encoding")
    else:
        encoding = getattr(options, "encoding", None)
        if encoding:
            from ..data.folder.encodings import checked_encoding

            encoding = checked_encoding(encoding)
        data, text_encoder, start = options.data, options.text_encoder, options.start_from
        model = sizes_of(start) if start else PRESETS[options.preset or "tiny"]
        config = configured(TrainingConfig(model=model), direct(options), options.set)
    resume = options.resume and has_checkpoint(out)
    more = {"start_from": start} | ({"encoding": encoding} if encoding else {})
    with open_run(config, data, out, resume, text_encoder, more) as run, stoppable(run) as ready:
        from .train import Beginning, begin

        how = Beginning(data, encoding, start)
        return begin(how, run, out, config, resume, options.device, text_encoder, ready=ready)
