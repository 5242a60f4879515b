"""A run without networks: a thread of the test writes the folder as a trainer does, and answers its requests."""

import json
import threading
import time
from contextlib import contextmanager

import numpy as np
import soundfile
from PIL import Image

from mmgan.language import Message
from mmgan.runs.run import Run

RATE, CLIP = 16_000, 4_096
TRAINING = {"loss": "relativistic", "learning_rate": 0.0007, "steps": 100_000, "minutes": 0.0, "batch_size": 16}


def strip(run: Run, name: str, shade: int) -> None:
    """Eight columns of one shade, with eight short tones."""
    run.strips.mkdir(exist_ok=True)
    tone = 0.3 * np.sin(np.arange(8 * CLIP) * (0.05 + shade / 1000))
    soundfile.write(run.strips / f"{name}.flac", tone, RATE, format="FLAC")
    for ending in ("-mel.png", ".png"):
        Image.new("L", (8 * 16, 16), shade).save(run.strips / f"{name}{ending}")


def row(run: Run, step: int) -> None:
    wave = 1 + 0.4 * np.sin(step / 50)
    run.log_metrics({"step": step, "generator": wave, "discriminator": 2 - wave, "penalty": wave / 3,
                     "pairs_per_second": 60.0, "contrastive": wave})  # fmt: skip
    if step % 10 == 0:
        run.log_metrics({"step": step, "image_accuracy": 0.5, "audio_accuracy": 0.4, "both": 0.3})


def begin(folder, **training) -> Run:
    run = Run.create(folder, {"training": TRAINING | training, "data": "shapes", "text_encoder": None})
    described = {"prompts": [f"prompt {k}" for k in range(8)], "has_image": [True] * 8, "has_sound": [True] * 8}
    strip(run, "real", 250)
    (run.strips / "strips.json").write_text(json.dumps(described | {"clip_seconds": CLIP / RATE}))
    strip(run, "0000000", 60)
    return run


def save(run: Run, step: int) -> None:
    run.checkpoint.mkdir(exist_ok=True)
    (run.checkpoint / "training.json").write_text(json.dumps({"version": 1, "tensors": [], "state": {"step": step}}))


def finished(
    folder, rows: int = 200, state: str = "finished", reason: str | Message = "", more=None, **training
) -> None:
    """A run of the past."""
    with begin(folder, **training) as run:
        for step in range(1, min(rows, 400) + 1):
            row(run, step)
        if rows > 400:  # by hand, for it is about the reader
            with open(run.folder / "metrics.jsonl", "a") as file:
                for step in range(401, rows + 1):
                    file.write(f'{{"step": {step}, "generator": {1 + 0.3 * np.sin(step / 900):.4f}}}\n')
        for step in (rows // 4, rows // 2, rows):
            strip(run, f"{step:07d}", 60 + step * 180 // rows)
        save(run, rows)
        run.set_status(state, step=rows, reason=reason, share=0.5, elapsed=100.0, **(more or {}))


@contextmanager
def trained(folder, **training):
    """A run that trains while the block runs, and answers as a trainer does."""
    run, over = begin(folder, **training), threading.Event()

    def train():
        step = 0
        while not over.wait(0.1):
            if run.requested("stop"):
                save(run, step)
                run.set_status("stopped", step=step, reason=Message("runs.saved", step=step))
                run.close()
                return
            if run.requested("pause"):
                save(run, step)
                run.set_status("paused", step=step, reason=Message("runs.saved", step=step))
                continue
            step += 1
            row(run, step)
            run.set_status("running", step=step, share=step / 100_000, elapsed=step / 10)
            if step % 30 == 0:
                strip(run, f"{step:07d}", 60 + step % 180)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        yield run
    finally:
        over.set()
        thread.join()
        run.close()
        time.sleep(0)
