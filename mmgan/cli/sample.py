"""``mmgan sample``: prompts become files."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

from ..errors import MmganError
from ..system.files import replace_file, saving

SAMPLE_FILES = "[0-9][0-9][0-9]*.png", "[0-9][0-9][0-9]*.wav", "metadata.csv"  # of an output folder


def add_commands(command) -> None:
    add = command("sample", sample, "Write pictures and sounds of prompts to a folder.")
    add("prompts", nargs="+", metavar="PROMPT", help="a sentence in quotes, or several")
    add("-n", "--num-samples", type=int, default=4, help="samples of each prompt (default 4)")
    add("--seed", type=int, default=0, help="the same seed gives the same samples (default 0)")
    add(
        "-o", "--out", default="out", metavar="FOLDER",
        help="000.png, 000.wav, ... and metadata.csv go here (default out)",
    )  # fmt: skip
    add("--overwrite", action="store_true", help="replace the samples that FOLDER holds already")
    add("--model", default="digits", help="a name that ships, a folder or a Hub id (default digits)")
    add("--truncation", type=float, default=1.0, help="below 1: plainer, steadier samples (default 1)")


def sample(options: argparse.Namespace) -> None:
    from ..sampling.pipeline import Pipeline
    from ..text.encoder import check_prompt

    prompts = [check_prompt(prompt) for prompt in options.prompts]  # all of them before anything is written
    folder = _output_folder(options.out, options.overwrite)
    pipe = Pipeline.from_pretrained(options.model, device=options.device)
    rows, milliseconds = [], 0.0
    for prompt in prompts:
        out = pipe(prompt, num_samples=options.num_samples, seed=options.seed, truncation=options.truncation)
        for image, waveform, seed in zip(out.images, out.audio, out.seeds, strict=True):
            names = _write_pair(folder, len(rows), image, waveform, out.sampling_rate)
            rows.append([*names, prompt, options.model, seed, f"{options.truncation:g}"])
        milliseconds += sum(out.milliseconds.values())
    _write_metadata(folder, rows)
    pairs = "1 picture and its sound" if len(rows) == 1 else f"{len(rows)} pictures and their sounds"
    print(f"{pairs} in {folder} ({options.model}, seed {options.seed}, {out.device}, {milliseconds:.0f} ms)")


def _output_folder(out: str, overwrite: bool) -> Path:
    """The folder to write samples to, made if need be; earlier samples in it are deleted only on request."""
    folder = Path(out)
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
        earlier = [path for name in SAMPLE_FILES for path in folder.glob(name)]
        if earlier and not overwrite:
            raise MmganError("cli.holds_samples", folder=folder)
        for path in earlier:
            path.unlink()
    return folder


def _write_pair(folder: Path, index: int, image, waveform, sampling_rate: int) -> tuple[str, str]:
    """Writes 000.png and 000.wav (and so on) and returns their names."""
    from ..audio.waveform import write_wav

    picture, sound = io.BytesIO(), io.BytesIO()
    image.save(picture, "PNG")
    write_wav(sound, waveform, sampling_rate)
    names = f"{index:03d}.png", f"{index:03d}.wav"
    for name, buffer in zip(names, (picture, sound), strict=True):
        _write(folder / name, buffer.getvalue())
    return names


def _write_metadata(folder: Path, rows: list[list]) -> None:
    """Writes metadata.csv, last, so that a folder that has it is complete; it makes the folder a dataset."""
    from ..data.folder.layout import safe_cell

    table = io.StringIO(newline="")
    rows = [[picture, sound, safe_cell(text), *more] for picture, sound, text, *more in rows]
    csv.writer(table).writerows([["file_name", "audio_file", "text", "model", "seed", "truncation"], *rows])
    _write(folder / "metadata.csv", table.getvalue().encode("utf-8"))


def _write(path: Path, data: bytes) -> None:
    with saving(path):
        replace_file(path, data)
